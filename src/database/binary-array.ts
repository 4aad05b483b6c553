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
  const { array, view } = arrayOf(oids.bytea, items.length, size);
  let at = 20;
  for (const item of items) {
    view.setInt32(at, item === null ? -1 : item.length);
    at += 4;
    if (item !== null) {
      array.set(item, at);
      at += item.length;
    }
  }
  return array;
}

/** A `bigint[]`. Its halves are written apart: a BigInt for each would be garbage for each. */
export function int8Array(items: readonly number[]): Buffer {
  const { array, view } = arrayOf(oids.int8, items.length, 20 + 12 * items.length);
  let at = 20;
  for (const item of items) {
    const high = Math.floor(item / 2 ** 32);
    view.setInt32(at, 8);
    view.setInt32(at + 4, high);
    view.setUint32(at + 8, item - high * 2 ** 32);
    at += 12;
  }
  return array;
}

/** An `integer[]`. */
export function int4Array(items: readonly number[]): Buffer {
  const { array, view } = arrayOf(oids.int4, items.length, 20 + 8 * items.length);
  let at = 20;
  for (const item of items) {
    view.setInt32(at, 4);
    view.setInt32(at + 4, item);
    at += 8;
  }
  return array;
}

/** How many rows of a page can be told apart in a `tid`. */
const rowsOfPage = 2 ** 16;

/** A `tid[]`, each as one number: that of the page times 2^16, and the row's. */
export function tidArray(items: readonly number[]): Buffer {
  const { array, view } = arrayOf(oids.tid, items.length, 20 + 10 * items.length);
  let at = 20;
  for (const item of items) {
    view.setInt32(at, 6);
    view.setUint32(at + 4, Math.floor(item / rowsOfPage));
    view.setUint16(at + 8, item % rowsOfPage);
    at += 10;
  }
  return array;
}

/** A `boolean[]`. */
export function boolArray(items: readonly boolean[]): Buffer {
  const { array, view } = arrayOf(oids.bool, items.length, 20 + 5 * items.length);
  let at = 20;
  for (const item of items) {
    view.setInt32(at, 1);
    view.setInt8(at + 4, item ? 1 : 0);
    at += 5;
  }
  return array;
}

/** A `double precision[]`. */
export function float8Array(items: readonly (number | null)[]): Buffer {
  return wordArray(oids.float8, items, (view, item, at) => view.setFloat64(at, item));
}

/** A `timestamptz[]`. */
export function timestamptzArray(items: readonly (Date | null)[]): Buffer {
  return wordArray(oids.timestamptz, items, (view, item, at) => view.setBigInt64(at, BigInt(item.getTime() - epochMs) * 1000n));
}

function wordArray<T>(oid: number, items: readonly (T | null)[], write: (to: DataView, item: T, at: number) => void): Buffer {
  const size = items.reduce<number>((total, item) => total + (item === null ? 4 : 12), 20);
  const { array, view } = arrayOf(oid, items.length, size);
  let at = 20;
  for (const item of items) {
    view.setInt32(at, item === null ? -1 : 8);
    at += 4;
    if (item !== null) {
      write(view, item, at);
      at += 8;
    }
  }
  return array;
}

/**
 * Room for an array of one dimension, from 1, that begins with its header; the flag in that says that nulls may occur. It is written through a view: what a Buffer
 * has for that is as much code again for each call, to be interpreted, or compiled into whoever calls it.
 */
function arrayOf(oid: number, length: number, size: number): { readonly array: Buffer; readonly view: DataView } {
  const array = Buffer.allocUnsafe(size);
  const view = new DataView(array.buffer, array.byteOffset, size);
  view.setInt32(0, 1);
  view.setInt32(4, 1);
  view.setInt32(8, oid);
  view.setInt32(12, length);
  view.setInt32(16, 1);
  return { array, view };
}
