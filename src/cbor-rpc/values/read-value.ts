import { isUtf8 } from 'node:buffer';
import { CborFloat, PythonTuple, type DataDictionary } from '../../codec/index.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { kindOf } from '../../options/index.js';

/** Makes something of a decoded value, or raises InvalidArgument, which names the field. */
export type ReadValue<T> = (value: unknown, field: string) => T;

/** A text: either kind of string, a byte string being taken as UTF-8. */
export function readText(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  if (!(value instanceof Uint8Array)) throw new InvalidArgumentError(field, `must be a string, not ${kindOf(value)}`);
  if (!isUtf8(value)) throw new InvalidArgumentError(field, 'must be UTF-8');
  return Buffer.from(value).toString('utf8');
}

/** The bytes of either kind of string. */
export function readBytes(value: unknown, field: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value);
  throw new InvalidArgumentError(field, `must be a string, not ${kindOf(value)}`);
}

/** Any number that is finite, or at least not NaN: an infinite one counts as a very large one. */
export function readNumber(value: unknown, field: string): number {
  const number = typeof value === 'bigint' || value instanceof CborFloat ? Number(value) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) {
    throw new InvalidArgumentError(field, `must be a number, not ${kindOf(value)}`);
  }
  return Math.min(Math.max(number, -Number.MAX_VALUE), Number.MAX_VALUE);
}

/** A number, cut to an integer that JavaScript holds exactly. */
export function readInteger(value: unknown, field: string): number {
  const cut = Math.trunc(readNumber(value, field));
  return Math.min(Math.max(cut, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER) + 0;
}

export function readBoolean(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new InvalidArgumentError(field, `must be true or false, not ${kindOf(value)}`);
}

/** A list or a tuple. */
export function readList(value: unknown, field: string): readonly unknown[] {
  const items = listItems(value);
  if (items === undefined) throw new InvalidArgumentError(field, `must be a list, not ${kindOf(value)}`);
  return items;
}

/** A list or a tuple of strings, as bytes. */
export function readBytesList(value: unknown, field: string): Uint8Array[] {
  return readList(value, field).map((item, index) => readBytes(item, `${field}[${index}]`));
}

/** A list or a tuple of strings, as texts. */
export function readTextList(value: unknown, field: string): string[] {
  return readList(value, field).map((item, index) => readText(item, `${field}[${index}]`));
}

/** A map with strings for keys. */
export function readDictionary(value: unknown, field: string): DataDictionary {
  if (isDictionary(value)) return value;
  const problem = value instanceof Map ? 'must be a map with strings for keys' : `must be a map, not ${kindOf(value)}`;
  throw new InvalidArgumentError(field, problem);
}

/** The same for what may be nil. */
export function readOrNull<T>(read: ReadValue<T>): ReadValue<T | null> {
  return (value, field) => (value === null ? null : read(value, field));
}

/** The items of a list or a tuple; undefined for anything else. */
export function listItems(value: unknown): readonly unknown[] | undefined {
  if (value instanceof PythonTuple) return value.items;
  return Array.isArray(value) ? value : undefined;
}

function isDictionary(value: unknown): value is DataDictionary {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
