import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ItemScanner } from '../../src/cbor-rpc/wire/item-scanner.js';
import { CborFloat, decodeValue, encodeValue, PythonTuple } from '../../src/codec/index.js';
import { BadCborError } from '../../src/errors/index.js';

const limits = { bytes: 100_000, items: 10_000, depth: 20 };
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Where the items end when their bytes come in pieces of some lengths. */
function ends(bytes: Uint8Array, cuts: readonly number[], scanner = new ItemScanner(limits)): number[] {
  const found: number[] = [];
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted((a, b) => a - b);
  for (const [index, place] of places.entries()) {
    const piece = bytes.subarray(place, places[index + 1] ?? place);
    for (let at = 0; at < piece.length; ) {
      at = scanner.scan(piece, at);
      if (at < 0) break;
      found.push(place + at);
    }
  }
  return found;
}

function problem(bytes: Buffer): string {
  try {
    new ItemScanner(limits).scan(bytes, 0);
  } catch (error) {
    if (error instanceof BadCborError) return error.message;
    throw error;
  }
  throw new Error('was not refused');
}

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
    fc.double().map((float) => new CborFloat(float)),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.constantFrom(null, true, false),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.array(tie('value'), { maxLength: 5 }).map((items) => new PythonTuple(items)),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 10 }),
  ),
})).value;

describe('the end of an item is found', () => {
  test('wherever the bytes are cut, whatever follows', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), fc.array(fc.nat()), (values, cuts) => {
        const encoded = values.map((item) => encodeValue(item));
        let end = 0;
        expect(ends(Buffer.concat(encoded), cuts)).toEqual(encoded.map(({ length }) => (end += length)));
      }),
      { seed: 5932, numRuns: 300 },
    );
  });

  test('byte by byte', () => {
    const bytes = encodeValue([{ a: 'b'.repeat(300) }, new PythonTuple([1.5, 2 ** 40])]);
    expect(ends(bytes, Array.from(bytes.keys()))).toEqual([bytes.length]);
  });

  test.each([
    ['a list of indefinite length', '9f 01 9f ff bf 01 02 ff ff'],
    ['a string in chunks', '5f 41 00 42 0102 ff'],
    ['a text in no chunks', '7f ff'],
    ['a tag around a tag', 'd9 0018 c1 00'],
    ['a simple value of two bytes', 'f8 ff'],
    ['a float of 16 bits', 'f9 3c00'],
    ['a list of none with a long head', '9b 0000000000000000'],
  ])('of %s', (_, item) => {
    const bytes = hex(item);
    expect(ends(Buffer.concat([bytes, bytes]), [1, bytes.length + 1])).toEqual([bytes.length, 2 * bytes.length]);
    expect(() => decodeValue(bytes)).not.toThrow();
  });
});

describe('it is refused at once when', () => {
  test.each<[string, string, RegExp]>([
    ['a byte string claims 2^63 bytes', '5b 8000000000000000', /longer than 100000 bytes/],
    ['a text claims a byte more than it may', '7a 000186a1', /longer than 100000 bytes/],
    ['a list claims 2^64 - 1 items', '9b ffffffffffffffff', /more than 10000 items/],
    ['a map claims 5000 members', 'b9 1388', /more than 10000 items/],
    ['a list claims more than what is left', '83 00 00 99 270d', /more than 10000 items/],
    ['lists nest too deep', '81'.repeat(21), /deeper than 20 levels/],
    ['lists of indefinite length nest too deep', '9f'.repeat(21), /deeper than 20 levels/],
    ['tags nest too deep', 'c1'.repeat(21), /deeper than 20 levels/],
    ['a break ends nothing', 'ff', /a break is where nothing/],
    ['a break ends a list of definite length', '81 ff', /a break is where nothing/],
    ['a head has no meaning', '1c', /28 has no meaning/],
    ['an integer is of indefinite length', '1f', /cannot be of indefinite length/],
    ['a tag is of indefinite length', 'df', /cannot be of indefinite length/],
  ])('%s', (_, bytes, message) => expect(problem(hex(bytes))).toMatch(message));

  test('an item that claims nothing never ends', () => {
    expect(problem(Buffer.concat([hex('9f'), Buffer.alloc(10_001)]))).toMatch(/more than 10000 items/);
    const chunks = Buffer.concat(Array.from({ length: 150 }, () => Buffer.concat([hex('59 0400'), Buffer.alloc(1_024)])));
    expect(problem(Buffer.concat([hex('5f'), chunks]))).toMatch(/longer than 100000 bytes/);
  });
});

test('any bytes are an item, the beginning of one, or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
      try {
        expect(ends(bytes, cuts)).toEqual(ends(bytes, []));
      } catch (error) {
        expect(error).toBeInstanceOf(BadCborError);
        expect(() => ends(bytes, [])).toThrow(BadCborError);
      }
    }),
    { seed: 5932, numRuns: 5_000 },
  );
});
