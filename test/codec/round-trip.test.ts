import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CborFloat,
  CborSimple,
  decodeData,
  decodeValue,
  encodeData,
  encodeValue,
  PythonTuple,
  Tagged,
  Uuid,
} from '../../src/codec/index.js';
import { BadCborError } from '../../src/errors/index.js';

const text = fc.string({ unit: 'binary', maxLength: 80 });
const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', '__proto_', 'toString', '0', '12', '', '\ufeff'));
const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Uint8Array.from(array));
const float = fc.oneof(fc.double(), fc.float(), fc.integer().map((n) => n * 2 ** 40)).map((number) => {
  return Number.isSafeInteger(number) && !Object.is(number, -0) ? new CborFloat(number) : number;
});
const bigint = fc
  .bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n })
  .map((big) => (big >= Number.MIN_SAFE_INTEGER && big <= Number.MAX_SAFE_INTEGER ? Number(big) : big));
const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, -(2n ** 64n), 2n ** 64n - 1n, 2n ** 53n, -(2n ** 53n), -0, NaN),
  fc.integer(),
  fc.maxSafeInteger(),
  bigint,
  float,
  text,
  fc.string({ minLength: 60, maxLength: 300 }),
  bytes,
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => new Uuid(id)),
  fc.constantFrom(...[0, 19, 23, 32, 255].map((simple) => new CborSimple(simple))),
);

const { dictionary, value } = fc.letrec<{ value: unknown; dictionary: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { arbitrary: leaf, weight: 5 },
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => new PythonTuple(items)),
    tie('dictionary'),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fc.integer(), text), tie('value')), { maxLength: 4, selector: ([first]) => first })
      .map((entries) => new Map<unknown, unknown>([[7n ** 20n, 1], ...entries])),
    fc.tuple(fc.constantFrom(0, 2, 6, 28, 29, 51, 64, 105, 258, 259, 0xdfff, 2 ** 32 - 1), tie('value')).map(([tag, inner]) => new Tagged(tag, inner)),
  ),
  dictionary: fc.array(fc.tuple(key, tie('value')), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
}));

/** Unlike toStrictEqual, this is not confused by a member `constructor`, nor slow at depth. */
const same: (actual: unknown, expected: unknown) => void = deepStrictEqual;

describe('a round trip', () => {
  it('changes no dictionary', () => {
    fc.assert(
      fc.property(dictionary, (data) => {
        const bytes = encodeData(data);
        const read = decodeData(bytes);
        same(read, data);
        expect(Object.keys(read)).toEqual(Object.keys(data));
        expect(encodeData(read).equals(bytes)).toBe(true);
      }),
      { numRuns: 600 },
    );
  });

  it('changes no value, at any place in a buffer', () => {
    fc.assert(
      fc.property(value, fc.nat(9), (before, offset) => {
        const bytes = Buffer.concat([Buffer.alloc(offset, 0xff), encodeValue(before), Buffer.alloc(3, 0xff)]);
        same(decodeValue(bytes.subarray(offset, bytes.length - 3)), before);
      }),
      { numRuns: 400 },
    );
  });

  it('keeps every text, and every list of them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 400 }), { maxLength: 40 }), (texts) => {
        expect(decodeData(encodeData({ texts, float: new CborFloat(1) }))).toStrictEqual({ texts, float: new CborFloat(1) });
        expect(decodeData(encodeData({ texts }))).toStrictEqual({ texts });
      }),
      { numRuns: 200 },
    );
  });

  it.each([23, 24, 255, 256, 65_535, 65_536, 100_000])('keeps lists, maps, texts and byte strings of %i', (size) => {
    const data = {
      list: Array.from({ length: size }, (_, index) => index),
      map: Object.fromEntries(Array.from({ length: size }, (_, index) => [`k${index}`, index])),
      text: 'é'.repeat(size),
      bytes: new Uint8Array(size).fill(7),
    };
    // Compared by their bytes: the matcher is slow for so many.
    for (const variant of [data, { ...data, float: new CborFloat(1) }]) {
      const written = encodeData(variant);
      const read = decodeData(written) as typeof data;
      expect(encodeData(read).equals(written)).toBe(true);
      expect([read.list.length, Object.keys(read.map).length, read.text, read.bytes.length]).toEqual([size, size, data.text, size]);
    }
  });
});

describe('any bytes', () => {
  const readsOrRefuses = (bytes: Uint8Array): void => {
    let read: unknown;
    try {
      read = decodeValue(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(BadCborError);
      return;
    }
    const written = encodeValue(read);
    same(decodeValue(written), read);
    expect(encodeValue(decodeValue(written)).equals(written)).toBe(true);
  };

  it('are either refused, or read as something that is written and read again as the same', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 30 }), readsOrRefuses), { numRuns: 5_000 });
  });

  it('so are the bytes of a value with some of them changed', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 });
    fc.assert(
      fc.property(value, changes, (before, list) => {
        const bytes = Buffer.from(encodeValue(before));
        for (const [at, byte] of list) bytes[at % bytes.length] = byte;
        readsOrRefuses(bytes);
      }),
      { numRuns: 1_000 },
    );
  });
});
