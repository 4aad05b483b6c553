import { describe, expect, test } from 'vitest';
import { boolArray, byteaArray, float8Array, int4Array, int8Array, tidArray, timestamptzArray } from '../../src/database/index.js';
import { testDatabase } from '../support/database.js';

/** What the server makes of an array: its members as text, in order. */
const database = await testDatabase();
async function read(type: string, array: Buffer): Promise<{ members: (string | null)[]; shape: unknown }> {
  const members = await database.query<{ member: string | null }>(
    `select member::text from unnest($1::${type}[]) with ordinality as a (member, n) order by n`,
    [array],
  );
  const [shape] = await database.query(
    'select array_ndims($1::' + type + '[]) as dimensions, array_lower($1, 1) as lower, cardinality($1) as cardinality',
    [array],
  );
  return { members: members.map(({ member }) => member), shape };
}

describe('a binary array', () => {
  test.each([
    ['bytea', byteaArray],
    ['bigint', int8Array],
    ['integer', int4Array],
    ['tid', tidArray],
    ['boolean', boolArray],
    ['double precision', float8Array],
    ['timestamptz', timestamptzArray],
  ] as [string, (items: never[]) => Buffer][])('of %s may be empty', async (type, make) => {
    expect(await read(type, make([]))).toEqual({ members: [], shape: expect.objectContaining({ cardinality: 0 }) as unknown });
  });

  test('of bytea holds any bytes, none, and nulls', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const items = [all, null, Buffer.alloc(0), Buffer.from('\\x00"{},NULL'), new Uint8Array([1, 2]).subarray(1)];
    const { members, shape } = await read('bytea', byteaArray(items));
    expect(members).toEqual(items.map((item) => (item === null ? null : `\\x${Buffer.from(item).toString('hex')}`)));
    expect(shape).toEqual({ dimensions: 1, lower: 1, cardinality: 5 });
  });

  test('of bytea may be large', async () => {
    const items = Array.from({ length: 20_000 }, (_, index) => Buffer.alloc(100, index));
    const [row] = await database.query(
      `select count(*)::integer as count, sum(length(member))::integer as bytes, md5(string_agg(member, '' order by n)) as md5
      from unnest($1::bytea[]) with ordinality as a (member, n)`,
      [byteaArray(items)],
    );
    const { createHash } = await import('node:crypto');
    expect(row).toEqual({ count: 20_000, bytes: 2_000_000, md5: createHash('md5').update(Buffer.concat(items)).digest('hex') });
  });

  test('of bigint holds every whole number of JavaScript’s', async () => {
    const items = [0, 1, -1, 2 ** 31, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    expect((await read('bigint', int8Array(items))).members).toEqual(items.map(String));
  });

  test('of integer, tid and boolean holds each of theirs', async () => {
    const integers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
    expect((await read('integer', int4Array(integers))).members).toEqual(integers.map(String));
    const places = [0, 1, 2 ** 16 - 1, 2 ** 16, 2 ** 48 - 1];
    const pageAndRow = (place: number): string => `(${Math.floor(place / 2 ** 16)},${place % 2 ** 16})`;
    expect((await read('tid', tidArray(places))).members).toEqual(places.map(pageAndRow));
    expect((await read('boolean', boolArray([true, false]))).members).toEqual(['true', 'false']);
  });

  test('of double precision holds every number to the last bit, and nulls', async () => {
    const items = [0, -0, 0.1 + 0.2, 1e308, -5e-324, Number.MAX_VALUE, Infinity, -Infinity, Number.NaN, null];
    const { members } = await read('double precision', float8Array(items));
    expect(members.map((member) => (member === null ? null : Number(member)))).toEqual(items);
  });

  test('of timestamptz holds every time that a caller may give, and nulls', async () => {
    const items = [
      new Date('2000-01-01T00:00:00.000Z'),
      new Date('1999-12-31T23:59:59.999Z'),
      new Date('2015-11-20T17:34:21.123Z'),
      new Date('0001-01-01T00:00:00.000Z'),
      new Date('9999-12-31T23:59:59.999Z'),
      null,
    ];
    const rows = await database.query<{ time: string | null }>(
      `select to_char(member at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as time
      from unnest($1::timestamptz[]) with ordinality as a (member, n) order by n`,
      [timestamptzArray(items)],
    );
    expect(rows.map(({ time }) => time)).toEqual(items.map((item) => item?.toISOString() ?? null));
  });

  test('of one type is not taken for one of another', async () => {
    await expect(database.query('select $1::bigint[]', [float8Array([1])])).rejects.toMatchObject({ code: '42804' });
    await expect(database.query('select $1::bytea[]', [int8Array([1])])).rejects.toMatchObject({ code: '42804' });
  });
});
