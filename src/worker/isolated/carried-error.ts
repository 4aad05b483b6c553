import { decodeData, encodeData, type DataDictionary } from '../../codec/index.js';
import * as errors from '../../errors/index.js';
import { errorData } from '../error-data.js';

/**
 * Writes anything thrown: name, message, stack, code and cause, cut to a bounded size. An error of this package keeps its class.
 */
export function encodeThrown(thrown: unknown): Uint8Array {
  const details = thrown instanceof errors.CoordinateError ? { details: thrown.details } : {};
  return encodeData({ ...errorData(thrown), ...details });
}

/** An Error like the one that was thrown. */
export function decodeThrown(bytes: Uint8Array): Error {
  return revive(decodeData(bytes));
}

function revive(data: DataDictionary): Error {
  const { name, message, stack, code, details, cause } = data;
  const options = isDictionary(cause) ? { cause: revive(cause) } : undefined;
  const error = isDictionary(details) ? coordinateError(code, details, options) : undefined;
  const revived = error ?? new Error(String(message), options);
  // As with errors made here, what is printed is the stack, and name and stack are not enumerable.
  define(revived, 'name', String(name));
  define(revived, 'stack', typeof stack === 'string' ? stack : `${String(name)}: ${String(message)}`);
  if (error === undefined && (typeof code === 'string' || typeof code === 'number')) Object.assign(revived, { code });
  return revived;
}

function coordinateError(code: unknown, details: DataDictionary, options: ErrorOptions | undefined): Error | undefined {
  if (typeof code !== 'string' || !Object.hasOwn(errors.errorRegistry, code)) return undefined;
  const known = (errors as Readonly<Record<string, unknown>>)[`${code}Error`];
  // The classes differ in what their constructors take, but are made of nothing but the code and the details.
  return Reflect.construct(
    errors.CoordinateError,
    [code, details, options],
    typeof known === 'function' ? known : errors.CoordinateError,
  ) as Error;
}

function isDictionary(value: unknown): value is DataDictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function define(error: Error, property: string, value: string): void {
  Object.defineProperty(error, property, { value, configurable: true, writable: true, enumerable: false });
}
