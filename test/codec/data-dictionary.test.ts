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
  type DataDictionary,
} from '../../src/codec/index.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const there = (data: DataDictionary): string => encodeData(data).toString('hex');
const id = Uuid.fromString('9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07');

describe('bytes that other programs know', () => {
  it('agree with the example of the REST interface', () => {
    expect(encodeData({ key: new PythonTuple([]) })).toStrictEqual(hex('A1 63 6B6579 D880 80'));
    expect(decodeData(Buffer.from('oWNrZXnYgIA=', 'base64'))).toStrictEqual({ key: new PythonTuple([]) });
  });

  it('agree with the examples of the RPC interface, whose keys and method are byte strings', () => {
    const request = decodeValue(hex('D8 18 58 18 A3 42 6964 01 46 6D6574686F64 43 6E6F77 46 706172616D73 80')) as Tagged;
    expect(request.tag).toBe(24);
    expect(decodeData(request.value as Uint8Array)).toStrictEqual({ id: 1, method: Uint8Array.from(Buffer.from('now')), params: [] });
    const answer = new Map<unknown, unknown>([[Buffer.from('id'), 1], [Buffer.from('result'), 0x6b000b48]]);
    const envelope = encodeValue(new Tagged(24, encodeValue(answer)));
    expect(envelope).toStrictEqual(hex('D8 18 51 A2 42 6964 01 46 726573756C74 1A 6B000B48'));
  });

  it.each<[string, unknown, string]>([
    ['a nested tuple', new PythonTuple([1, new PythonTuple(['a'])]), 'd880 82 01 d880 81 6161'],
    ['a UUID', id, 'd825 50 9c1e3ab461a54e459d8b2f1c52b16e07'],
    ['2^53', 2n ** 53n, '1b0020000000000000'],
    ['-2^53', -(2n ** 53n), '3b001fffffffffffff'],
    ['-2^53 - 1', -(2n ** 53n) - 1n, '3b0020000000000000'],
    ['the last safe integer', Number.MAX_SAFE_INTEGER, '1b001fffffffffffff'],
    ['the first safe integer', Number.MIN_SAFE_INTEGER, '3b001ffffffffffffe'],
    ['2^32 - 1', 2 ** 32 - 1, '1affffffff'],
    ['2^32', 2 ** 32, '1b0000000100000000'],
    ['-2^32', -(2 ** 32), '3affffffff'],
    ['-2^32 - 1', -(2 ** 32) - 1, '3b0000000100000000'],
    ['-2^31 - 1', -(2 ** 31) - 1, '3a80000000'],
    ['the float 2^53', 2 ** 53, 'fb4340000000000000'],
    ['the float 60.0', new CborFloat(60), 'fb404e000000000000'],
    ['a date before 1970', new Date(-1500), 'c1 fb bff8000000000000'],
    ['the last date', new Date(8.64e15), 'c1 1b 000007dba8218000'],
    ['a date of milliseconds', new Date(1_448_028_061_123), 'c1 fb 41d593c9e747df3b'],
    ['mixed keys', new Map<unknown, unknown>([['a', 1], [2, 'b'], [true, null]]), 'a3 6161 01 02 6162 f5 f6'],
    ['tuples for keys', new Map([[new PythonTuple([1, 2]), 3]]), 'a1 d880 820102 03'],
    ['a tag of 32 bits', new Tagged(0xffff_ffff, 1), 'daffffffff 01'],
    ['a byte order mark', '\ufeffa', '64 efbbbf 61'],
  ])('%s', (_name, value, bytes) => {
    expect(encodeValue(value)).toStrictEqual(hex(bytes));
    expect(decodeValue(hex(bytes))).toStrictEqual(value);
  });

  it('are the shortest for bigints, which come back as numbers where these are safe', () => {
    const written = encodeValue([0n, 23n, 24n, -1n, 0xffff_ffffn, 2n ** 40n, -(2n ** 40n)]);
    expect(written.toString('hex')).toBe('87001718182' + '01affffffff1b00000100000000003b000000ffffffffff');
    expect(decodeValue(written)).toStrictEqual([0, 23, 24, -1, 0xffff_ffff, 2 ** 40, -(2 ** 40)]);
  });
});

describe('a dictionary', () => {
  it('keeps null apart from absent, and empty lists and maps', () => {
    expect(decodeData(encodeData({ a: null, b: [], c: {}, d: '' }))).toStrictEqual({ a: null, b: [], c: {}, d: '' });
  });

  it('leaves out members that are undefined, at every depth', () => {
    expect(there({ a: undefined, b: { c: undefined, d: 1 } })).toBe(there({ b: { d: 1 } }));
    expect(there({ a: undefined })).toBe('a0');
  });

  it('keeps the order of members and is the same each time', () => {
    const data = { z: 1, a: [{ y: 2, b: new CborFloat(3) }], m: id };
    expect(there(data)).toBe(there(data));
    expect(Object.keys(decodeData(encodeData(data)))).toEqual(['z', 'a', 'm']);
  });

  it('writes each float and stand-in in its place among byte strings', () => {
    const data = {
      first: Buffer.alloc(8, 1),
      float: new CborFloat(7),
      bytes: Buffer.alloc(8, 2),
      text: '12345678',
      nested: [Buffer.alloc(0), new CborSimple(23), new CborSimple(99), -(2n ** 64n), id, -0, Buffer.of(99)],
      keys: new Map<unknown, unknown>([[new CborFloat(1), Buffer.alloc(8)], [1, new CborFloat(2)]]),
    };
    const read = decodeData(encodeData(data));
    expect(read).toEqual({
      ...data,
      first: new Uint8Array(8).fill(1),
      bytes: new Uint8Array(8).fill(2),
      nested: [new Uint8Array(0), new CborSimple(23), new CborSimple(99), -(2n ** 64n), id, -0, Uint8Array.of(99)],
      keys: new Map<unknown, unknown>([[new CborFloat(1), new Uint8Array(8)], [1, new CborFloat(2)]]),
    });
    expect(encodeData(read)).toEqual(encodeData(data));
  });

  it('is not changed by encoding, and its bytes not by decoding', () => {
    const data = Object.freeze({ a: Object.freeze([1, new CborFloat(1)]), b: undefined, big: 2 ** 40 });
    const bytes = encodeData(data);
    const before = Object.getOwnPropertyNames(bytes);
    decodeData(bytes);
    expect(Object.getOwnPropertyNames(bytes)).toEqual(before);
    expect(data).toStrictEqual({ a: [1, new CborFloat(1)], b: undefined, big: 2 ** 40 });
  });

  it('holds copies of byte strings', () => {
    const bytes = encodeData({ a: Buffer.from('xyz') });
    const { a } = decodeData(bytes);
    bytes.fill(0);
    expect(a).toStrictEqual(Uint8Array.from(Buffer.from('xyz')));
  });

  it('takes objects without a prototype, with a member `constructor`, arrays of a class, and ignores toJSON', () => {
    class List extends Array<unknown> {}
    const bare: Record<string, unknown> = Object.assign(Object.create(null), { a: 1 });
    expect(decodeData(encodeData(bare))).toStrictEqual({ a: 1 });
    expect(decodeData(encodeData({ constructor: 'x', toString: 1, hasOwnProperty: 2 }))).toStrictEqual({
      constructor: 'x',
      toString: 1,
      hasOwnProperty: 2,
    });
    expect(there({ a: List.of(1, 2) })).toBe('a16161820102');
    expect(there({ a: { toJSON: 1 } })).toBe('a16161a166746f4a534f4e01');
  });

  it('reads keys that are byte strings as text, at every depth', () => {
    expect(decodeData(hex('a2 4161 01 4162 a1 4163 02'))).toStrictEqual({ a: 1, b: { c: 2 } });
  });

  it('reads heads that are longer than needed', () => {
    expect(decodeData(hex('bb0000000000000001 7b0000000000000001 61 3b0000000000000000'))).toStrictEqual({ a: -1 });
  });

  it('keeps a date it cannot hold as its tag', () => {
    for (const bytes of ['c1fb3ff0000000000001', 'c11b0001000000000000', 'c1fb7ff8000000000000', 'c16161', 'c1fb8000000000000000']) {
      const value = decodeValue(hex(bytes));
      expect(value).toBeInstanceOf(Tagged);
      expect(encodeValue(value).toString('hex')).toBe(bytes);
    }
    expect(decodeValue(hex('c1fb41d452d9ec000000'))).toStrictEqual(new Date('2013-03-21T20:04:00Z'));
  });

  it('keeps tags 37 and 128 around something unfitting', () => {
    expect(decodeValue(hex('d8254101'))).toStrictEqual(new Tagged(37, Uint8Array.of(1)));
    expect(decodeValue(hex('d88001'))).toStrictEqual(new Tagged(128, 1));
  });

  it('gives memory back after a big one', () => {
    const big = encodeData({ a: 'x'.repeat(1_000_000) });
    expect(decodeData(big)).toStrictEqual({ a: 'x'.repeat(1_000_000) });
    expect(encodeData({ a: 1 }).buffer.byteLength).toBeLessThanOrEqual(65_536);
  });
});

describe('values of our own', () => {
  it('Uuid reads and shows the canonical form', () => {
    const upper = Uuid.fromString('9C1E3AB4-61A5-4E45-9D8B-2F1C52B16E07');
    expect(upper).toStrictEqual(id);
    expect(String(upper)).toBe('9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07');
    expect(JSON.stringify([id])).toBe('["9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07"]');
    expect(() => Uuid.fromString('9c1e3ab461a54e459d8b2f1c52b16e07')).toThrow(/^uuid: /);
    expect(() => new Uuid(new Uint8Array(15))).toThrow(/^uuid: /);
  });

  it('PythonTuple is iterable and apart from a list', () => {
    const tuple = new PythonTuple([1, 'a']);
    expect([...tuple]).toEqual([1, 'a']);
    expect(tuple.length).toBe(2);
    expect(tuple).toEqual(new PythonTuple([1, 'a']));
    expect(tuple).not.toEqual(new PythonTuple([1, 'b']));
    expect(tuple).not.toEqual([1, 'a']);
  });

  it('CborFloat calculates like a number and is apart from it', () => {
    const float = new CborFloat(2);
    expect(Number(float) + 1).toBe(3);
    expect(JSON.stringify({ float })).toBe('{"float":2}');
    expect(float).toEqual(new CborFloat(2));
    expect(float).not.toEqual(new CborFloat(3));
    expect(float).not.toEqual(2);
  });

  it('CborSimple refuses what would come back as something else', () => {
    for (const simple of [-1, 20, 21, 22, 24, 31, 256, 1.5]) expect(() => new CborSimple(simple)).toThrow(/^simple: /);
  });
});
