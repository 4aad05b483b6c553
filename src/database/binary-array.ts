/*
 * PostgreSQL's binary format of one-dimensional arrays. `pg` sends a Buffer as a binary parameter; a thousand payloads
 * travel as they are, where its text format would double them as hexadecimal digits and quote each one.
 */

const oids = { bool: 16, bytea: 17, int8: 20, int4: 23, tid: 27, float8: 701, timestamptz: 1184 } as const;

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

/** A `bigint[]`. Its halves are written apart: a BigInt for each would be garbage for each. */
export function int8Array(items: readonly number[]): Buffer {
  return wordArray(oids.int8, items, (array, item, at) => {
    const high = Math.floor(item / 2 ** 32);
    array.writeInt32BE(high, at);
    array.writeUInt32BE(item - high * 2 ** 32, at + 4);
  });
}

/** An `integer[]`. */
export function int4Array(items: readonly number[]): Buffer {
  const array = header(Buffer.allocUnsafe(20 + 8 * items.length), oids.int4, items.length);
  let at = 20;
  for (const item of items) {
    at = array.writeInt32BE(4, at);
    at = array.writeInt32BE(item, at);
  }
  return array;
}

/** How many rows of a page can be told apart in a `tid`. */
const rowsOfPage = 2 ** 16;

/** A `tid[]`, each as one number: that of the page times 2^16, and the row's. */
export function tidArray(items: readonly number[]): Buffer {
  const array = header(Buffer.allocUnsafe(20 + 10 * items.length), oids.tid, items.length);
  let at = 20;
  for (const item of items) {
    at = array.writeInt32BE(6, at);
    at = array.writeUInt32BE(Math.floor(item / rowsOfPage), at);
    at = array.writeUInt16BE(item % rowsOfPage, at);
  }
  return array;
}

/** A `boolean[]`. */
export function boolArray(items: readonly boolean[]): Buffer {
  const array = header(Buffer.allocUnsafe(20 + 5 * items.length), oids.bool, items.length);
  let at = 20;
  for (const item of items) {
    at = array.writeInt32BE(1, at);
    at = array.writeInt8(item ? 1 : 0, at);
  }
  return array;
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
