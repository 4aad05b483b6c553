import { BadCborError, InvalidArgumentError } from '../errors/index.js';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';

/**
 * A map of strings to any value that CBOR can hold: the definition of a work spec, the data of a work unit, attempt or worker.
 * See `encodeValue` for the values.
 */
export type DataDictionary = Readonly<Record<string, unknown>>;

/**
 * Writes a dictionary as one CBOR map, as it is stored and sent.
 *
 * @param field What errors call the dictionary; they append the path to the member at fault: `data.items[3].x`.
 * @throws InvalidArgumentError when it is not a plain object, or a member cannot be written (see `encodeValue`).
 * @example encodeData({ path: '/a', size: 2n ** 60n, parts: new PythonTuple([1, 2]) })
 */
export function encodeData(data: DataDictionary, field = 'data'): Buffer {
  if (!isPlainObject(data)) throw new InvalidArgumentError(field, 'must be a plain object with string keys');
  return encodeValue(data, field);
}

/**
 * Reads a dictionary: a new plain object, with `__proto__` as an own member if it is there. Keys that are byte strings become text.
 *
 * @throws BadCborError when the bytes are not one well-formed CBOR map with string keys (see `decodeValue`).
 */
export function decodeData(bytes: Uint8Array): DataDictionary {
  const value = decodeValue(bytes);
  if (isPlainObject(value)) return value;
  throw new BadCborError(value instanceof Map ? 'a dictionary has a key that is not a string' : 'it is not a map');
}

function isPlainObject(value: unknown): value is DataDictionary {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
