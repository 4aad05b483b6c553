/*
 * PostgreSQL's binary format of one-dimensional arrays. `pg` sends a Buffer as a binary parameter; a thousand payloads
 * travel as they are, where its text format would double them as hexadecimal digits and quote each one.
 */

const oids = { bytea: 17, int8: 20, float8: 701, timestamptz: 1184 } as const;

/** PostgreSQL counts microseconds from 2000-01-01. */
const epochMs = Date.UTC(2000, 0, 1);

/** A `bytea[]`. */
export function byteaArray(items: readonly (Uint8Array | null)[]): Buffer {
  const size = items.reduce((total, item) => total + 4 + (item?.length ?? 0), 20);
  const array = header(Buffer.allocUnsafe(size), oids.bytea, items.length);
  let at = 20;
  for (const item of items) {
    at = array.writeInt32BE(item === null ? -1 : item.length, at);
    if (item !== null) {
      array.set(item, at);
      at += item.length;
    }
  }
  return array;
}

/** A `bigint[]`. */
export function int8Array(items: readonly number[]): Buffer {
  return wordArray(oids.int8, items, (array, item, at) => array.writeBigInt64BE(BigInt(item), at));
}

/** A `double precision[]`. */
export function float8Array(items: readonly (number | null)[]): Buffer {
  return wordArray(oids.float8, items, (array, item, at) => array.writeDoubleBE(item, at));
}

/** A `timestamptz[]`. */
export function timestamptzArray(items: readonly (Date | null)[]): Buffer {
  return wordArray(oids.timestamptz, items, (array, item, at) =>
    array.writeBigInt64BE(BigInt(item.getTime() - epochMs) * 1000n, at),
  );
}

function wordArray<T>(oid: number, items: readonly (T | null)[], write: (to: Buffer, item: T, at: number) => void): Buffer {
  const size = items.reduce<number>((total, item) => total + (item === null ? 4 : 12), 20);
  const array = header(Buffer.allocUnsafe(size), oid, items.length);
  let at = 20;
  for (const item of items) {
    at = array.writeInt32BE(item === null ? -1 : 8, at);
    if (item !== null) {
      write(array, item, at);
      at += 8;
    }
  }
  return array;
}

/** One dimension, from 1; the flag says that nulls may occur. */
function header(array: Buffer, oid: number, length: number): Buffer {
  array.writeInt32BE(1, 0);
  array.writeInt32BE(1, 4);
  array.writeInt32BE(oid, 8);
  array.writeInt32BE(length, 12);
  array.writeInt32BE(1, 16);
  return array;
}
