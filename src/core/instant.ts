import { byteaArray } from '../database/index.js';

/** A timestamptz column that is never null. */
export function instant(value: unknown): Date {
  return value instanceof Date ? value : new Date(String(value));
}

/** A timestamptz column. */
export function instantOrNull(value: unknown): Date | null {
  return value === null || value === undefined ? null : instant(value);
}

/** A bytea column that holds the UTF-8 of a name. */
export function nameFromBytes(value: unknown): string {
  return Buffer.from(value as Uint8Array).toString('utf8');
}

/** Names as a parameter of type bytea[]. */
export function namesArray(names: readonly string[]): Buffer {
  return byteaArray(names.map((name) => Buffer.from(name)));
}

/** A bytea column. */
export function bytes(value: unknown): Buffer {
  return value as Buffer;
}
