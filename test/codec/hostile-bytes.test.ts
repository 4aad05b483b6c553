import { describe, expect, it } from 'vitest';
import { decodeData, decodeValue, MAX_DEPTH } from '../../src/codec/index.js';
import { BadCborError } from '../../src/errors/index.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function problem(bytes: Buffer, decode: (bytes: Uint8Array) => unknown = decodeValue): string {
  try {
    decode(bytes);
  } catch (error) {
    if (error instanceof BadCborError) return error.message;
    throw error;
  }
  throw new Error(`was decoded: ${bytes.subarray(0, 40).toString('hex')}`);
}

describe('malformed bytes are refused with one clear sentence', () => {
  it.each<[string, string, RegExp]>([
    ['no bytes', '', /middle of an item/],
    ['a truncated head', '19 00', /middle of an item/],
    ['a truncated 64-bit head', '1b 00000000 000000', /middle of an item/],
    ['a truncated float', 'fb 3ff00000', /middle of an item/],
    ['a truncated text', '63 6161', /middle of an item/],
    ['a truncated byte string', '5a ffffffff 00', /middle of an item/],
    ['a byte string of 2^63 bytes', '5b 8000000000000000 00', /middle of an item/],
    ['a map without its last value', 'a2 6161 01 6162', /claims 4 items, but only 5 bytes|middle of an item/],
    ['a tag without its value', 'c1', /middle of an item/],
    ['an indefinite list without an end', '9f 01', /middle of an item/],
    ['an indefinite string without an end', '7f 6161', /middle of an item/],
    ['a list of 2^32 - 1', '9a ffffffff', /claims 4294967295 items, but only 0 bytes follow/],
    ['a list of 2^64 - 1', '9b ffffffffffffffff 00', /claims 18446744073709552000 items/],
    ['a map of 2^31', 'ba 80000000 00', /claims 4294967296 items/],
    ['nested lists that claim the same bytes', '98ff'.repeat(100), /claims|middle/],
    ['bytes after the item', '01 02', /1 of them, from byte 1/],
    ['bytes after a map', 'a0 a0', /follow after the end/],
    ['bytes after a tagged item', 'd880 80 00', /follow after the end/],
    ['additional information 28', '1c', /28 is not allowed/],
    ['additional information 29 of a string', '7d', /29 is not allowed/],
    ['additional information 30 of a simple value', 'fe', /30 is not allowed/],
    ['an indefinite integer', '1f', /31 is not allowed/],
    ['an indefinite negative integer', '3f', /31 is not allowed/],
    ['an indefinite tag', 'df 00', /31 is not allowed/],
    ['a simple value below 32 in two bytes', 'f8 18', /simple value 24/],
    ['false in two bytes', 'f8 14', /simple value 20/],
    ['a break at the top', 'ff', /break is out of place/],
    ['a break in a definite list', '82 01 ff', /break is out of place/],
    ['a break for the value of a member', 'bf 6161 ff', /break is out of place/],
    ['a break for the content of a tag', '9f c1 ff', /break is out of place/],
    ['a break in a definite map', 'a1 ff', /claims|break is out of place/],
    ['a chunk of another type', '5f 6161 ff', /no chunk/],
    ['a chunk that is chunked itself', '5f 5f 4101 ff ff', /no chunk/],
    ['a number among chunks', '7f 01 ff', /no chunk/],
    ['a character split between chunks', '7f 61c3 61bc ff', /not UTF-8/],
    ['an invalid byte in text', '62 61ff', /not UTF-8/],
    ['an overlong character', '62 c080', /not UTF-8/],
    ['a surrogate', '63 eda080', /not UTF-8/],
    ['a character beyond Unicode', '64 f4908080', /not UTF-8/],
    ['a truncated character', '62 61c3', /not UTF-8/],
    ['an invalid byte in a long text', `79 0100 ${'61'.repeat(255)}ff`, /not UTF-8/],
    ['a key that is not UTF-8', 'a1 61ff 01', /not UTF-8/],
    ['a byte string key that is not UTF-8', 'a1 41ff 01', /not UTF-8/],
    ['a tag of 33 bits', 'db 0000000100000000 00', /tag number/],
    ['a key twice', 'a2 6161 01 6161 02', /key "a" twice/],
    ['a key twice, in different heads', 'a2 6161 01 780161 02', /key "a" twice/],
    ['a key twice, as text and as bytes', 'a2 6161 01 4161 02', /key "a" twice/],
    ['a key twice, in chunks', 'a2 6161 01 7f 6161 ff 02', /key "a" twice/],
    ['a key twice, deep inside', '81 a1 6161 82 01 a2 6162 01 6162 02', /key "b" twice/],
    ['a key twice, under a float', 'a1 6161 a3 6162 01 6163 f93c00 6162 02', /key "b" twice/],
    ['a number twice as a key', 'a2 01 01 1801 02', /key 1 twice/],
    ['a list twice as a key', 'a2 8101 01 811801 02', /key of some structure twice/],
    ['a float twice as a key', 'a2 f93c00 01 fb3ff0000000000000 02', /key of some structure twice/],
    ['__proto__ twice', `a2 69${Buffer.from('__proto__').toString('hex')} 01 69${Buffer.from('__proto__').toString('hex')} 02`, /twice/],
  ])('%s', (_name, bytes, message) => {
    expect(problem(hex(bytes))).toMatch(/^Cannot decode CBOR: /);
    expect(problem(hex(bytes))).toMatch(message);
  });

  it('tells floats and integers, and their signs, apart as keys', () => {
    expect((decodeValue(hex('a4 00 01 f90000 02 f98000 03 f93800 04')) as Map<unknown, unknown>).size).toBe(4);
  });

  it('wants a map with string keys for a dictionary', () => {
    expect(problem(hex('80'), decodeData)).toMatch(/not a map/);
    expect(problem(hex('f6'), decodeData)).toMatch(/not a map/);
    expect(problem(hex('d818 41a0'), decodeData)).toMatch(/not a map/);
    expect(problem(hex('a1 01 02'), decodeData)).toMatch(/key that is not a string/);
  });
});

describe('nesting', () => {
  it.each([
    ['lists', '81'],
    ['maps', 'a16161'],
    ['indefinite lists', '9f'],
    ['maps as keys', 'a1'],
    ['tags', 'c6'],
    ['references of cbor-x', 'd81c'],
    ['tuples', 'd88081'],
  ])('of %s is refused beyond the limit, however deep', (_name, level) => {
    for (const levels of [MAX_DEPTH + 1, 1_000_000]) {
      expect(problem(Buffer.concat([hex(level.repeat(levels)), hex('0000')]))).toMatch(/nests deeper than/);
    }
  });

  it('is read down to the limit', () => {
    for (const level of ['81', 'a16161', 'c6', 'a1616b']) {
      expect(() => decodeValue(Buffer.concat([hex(level.repeat(MAX_DEPTH)), hex('00')]))).not.toThrow();
    }
    expect(() => decodeValue(hex('9f'.repeat(MAX_DEPTH) + 'ff'.repeat(MAX_DEPTH)))).not.toThrow();
  });
});

describe('what cbor-x would do with', () => {
  it.each([
    ['a reference', 'd81d 00'],
    ['a shared value', 'd81c 80'],
    ['a record', 'd9dfff 83 19e000 81 6161 01'],
    ['bundled strings', 'd9dff9 82 1a00000005 01'],
    ['an error', 'd81b 82 6161 6162'],
    ['a packed table', 'd833 84 81 01 80 80 e0'],
    ['a packed reference', 'c6 00'],
    ['a typed array', 'd855 44 00000000'],
    ['a set', 'd90102 81 01'],
    ['an explicit map', 'd90103 a1 6161 01'],
    ['self-described CBOR', 'd9d9f7 01'],
    ['a decimal fraction', 'c4 82 21 19 6ab3'],
    ['a text date', 'c0 6161'],
  ])('%s does not happen: the tag survives', (_name, bytes) => {
    const value = decodeValue(hex(bytes));
    expect(value).toHaveProperty('tag');
  });
});

describe('__proto__', () => {
  const key = `69${Buffer.from('__proto__').toString('hex')}`;

  it.each([
    ['text', `a1 ${key} a1 68706f6c6c75746564 f5`],
    ['a byte string', `a1 49${key.slice(2)} a1 68706f6c6c75746564 f5`],
    ['chunks', `bf 7f 625f5f 6770726f746f5f5f ff a1 68706f6c6c75746564 f5 ff`],
    ['a long head', `a1 7809${key.slice(2)} a1 68706f6c6c75746564 f5`],
  ])('as %s is an own member and changes no prototype', (_name, bytes) => {
    const data = decodeData(hex(bytes));
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(Object.keys(data)).toEqual(['__proto__']);
    expect(Object.getOwnPropertyDescriptor(data, '__proto__')?.value).toEqual({ polluted: true });
    expect((data as { polluted?: unknown }).polluted).toBeUndefined();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
