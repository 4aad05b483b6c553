/* A handler's module that cannot be loaded. */
export default (): void => undefined;
throw new Error('broken at the top');
