/** What a promise is rejected with, be it undefined. */
export async function caught(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was raised', { cause: value });
}
