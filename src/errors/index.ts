export { CoordinateError, type ErrorDetails } from './coordinate-error.js';
export * from './errors.js';
export * from './server-errors.js';
export { errorRegistry, type ErrorCode } from './registry.js';
