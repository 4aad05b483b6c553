import { describe, expect, it } from 'vitest';
import { CborFloat, CborSimple, decodeValue, encodeValue, Tagged } from '../../src/codec/index.js';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const letters = { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' };
const oneTo25 = Array.from({ length: 25 }, (_, index) => index + 1);

/** RFC 8949 appendix A: the bytes, the value, and the bytes we write for it where they are others. */
const examples: [hex: string, value: unknown, ours?: string][] = [
  ['00', 0],
  ['01', 1],
  ['0a', 10],
  ['17', 23],
  ['1818', 24],
  ['1819', 25],
  ['1864', 100],
  ['1903e8', 1000],
  ['1a000f4240', 1_000_000],
  ['1b000000e8d4a51000', 1_000_000_000_000],
  ['1bffffffffffffffff', 18446744073709551615n],
  ['c249010000000000000000', new Tagged(2, bytes('010000000000000000'))],
  ['3bffffffffffffffff', -18446744073709551616n],
  ['c349010000000000000000', new Tagged(3, bytes('010000000000000000'))],
  ['20', -1],
  ['29', -10],
  ['3863', -100],
  ['3903e7', -1000],
  ['f90000', new CborFloat(0), 'fb0000000000000000'],
  ['f98000', -0, 'fb8000000000000000'],
  ['f93c00', new CborFloat(1), 'fb3ff0000000000000'],
  ['fb3ff199999999999a', 1.1],
  ['f93e00', 1.5, 'fb3ff8000000000000'],
  ['f97bff', new CborFloat(65504), 'fb40effc0000000000'],
  ['fa47c35000', new CborFloat(100_000), 'fb40f86a0000000000'],
  ['fa7f7fffff', 3.4028234663852886e38, 'fb47efffffe0000000'],
  ['fb7e37e43c8800759c', 1.0e300],
  ['f90001', 5.960464477539063e-8, 'fb3e70000000000000'],
  ['f90400', 0.00006103515625, 'fb3f10000000000000'],
  ['f9c400', new CborFloat(-4), 'fbc010000000000000'],
  ['fbc010666666666666', -4.1],
  ['f97c00', Infinity, 'fb7ff0000000000000'],
  ['f97e00', NaN, 'fb7ff8000000000000'],
  ['f9fc00', -Infinity, 'fbfff0000000000000'],
  ['fa7f800000', Infinity, 'fb7ff0000000000000'],
  ['fa7fc00000', NaN, 'fb7ff8000000000000'],
  ['faff800000', -Infinity, 'fbfff0000000000000'],
  ['fb7ff0000000000000', Infinity],
  ['fb7ff8000000000000', NaN],
  ['fbfff0000000000000', -Infinity],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['f7', new CborSimple(23)],
  ['f0', new CborSimple(16)],
  ['f8ff', new CborSimple(255)],
  ['c074323031332d30332d32315432303a30343a30305a', new Tagged(0, '2013-03-21T20:04:00Z')],
  ['c11a514b67b0', new Date('2013-03-21T20:04:00Z')],
  ['c1fb41d452d9ec200000', new Date('2013-03-21T20:04:00.500Z')],
  ['d74401020304', new Tagged(23, bytes('01020304'))],
  ['d818456449455446', new Tagged(24, bytes('6449455446'))],
  ['d82076687474703a2f2f7777772e6578616d706c652e636f6d', new Tagged(32, 'http://www.example.com')],
  ['40', bytes('')],
  ['4401020304', bytes('01020304')],
  ['60', ''],
  ['6161', 'a'],
  ['6449455446', 'IETF'],
  ['62225c', '"\\'],
  ['62c3bc', 'ü'],
  ['63e6b0b4', '水'],
  ['64f0908591', '𐅑'],
  ['80', []],
  ['83010203', [1, 2, 3]],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', oneTo25],
  ['a0', {}],
  ['a201020304', new Map([[1, 2], [3, 4]])],
  ['a26161016162820203', { a: 1, b: [2, 3] }],
  ['826161a161626163', ['a', { b: 'c' }]],
  ['a56161614161626142616361436164614461656145', letters],
  ['5f42010243030405ff', bytes('0102030405'), '450102030405'],
  ['7f657374726561646d696e67ff', 'streaming', '6973747265616d696e67'],
  ['9fff', [], '80'],
  ['9f018202039f0405ffff', [1, [2, 3], [4, 5]], '8301820203820405'],
  ['9f01820203820405ff', [1, [2, 3], [4, 5]], '8301820203820405'],
  ['83018202039f0405ff', [1, [2, 3], [4, 5]], '8301820203820405'],
  ['83019f0203ff820405', [1, [2, 3], [4, 5]], '8301820203820405'],
  [
    '9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff',
    oneTo25,
    '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
  ],
  ['bf61610161629f0203ffff', { a: 1, b: [2, 3] }, 'a26161016162820203'],
  ['826161bf61626163ff', ['a', { b: 'c' }], '826161a161626163'],
  ['bf6346756ef563416d7421ff', { Fun: true, Amt: -2 }, 'a26346756ef563416d7421'],
];

describe('RFC 8949 appendix A', () => {
  it.each(examples)('reads %s', (hex, value) => {
    expect(decodeValue(bytes(hex))).toStrictEqual(value);
  });

  it.each(examples)('writes what %s means', (hex, value, ours: string = hex) => {
    expect(encodeValue(value).toString('hex')).toBe(ours);
  });

  it.each(examples)('reads and writes %s inside of a map', (hex, _value, ours: string = hex) => {
    const decoded = decodeValue(bytes(`a2616b${hex}617a00`));
    expect(encodeValue(decoded).toString('hex')).toBe(`a2616b${ours}617a00`);
  });
});
