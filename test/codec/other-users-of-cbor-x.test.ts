import { addExtension, decode, encode, Tag } from 'cbor-x';
import { expect, it } from 'vitest';
import { CborFloat, decodeData, encodeData, PythonTuple, Uuid } from '../../src/codec/index.js';

class Foreign {}

const data = { tuple: new PythonTuple([1]), id: new Uuid(new Uint8Array(16)), at: new Date(0), float: new CborFloat(1) };

it('leaves the extensions of cbor-x as they are', () => {
  encodeData(data);
  expect(decode(Buffer.from('d88080', 'hex'))).toEqual(new Tag([], 128));
  expect(encode(new Date(0)).toString('hex')).toBe('c11a00000000');
});

it('is not affected by extensions that others register for the same tags', () => {
  const before = encodeData(data);
  for (const tag of [1, 37, 128]) addExtension({ Class: Foreign, tag, encode: () => Buffer.of(), decode: () => new Foreign() });
  expect(decodeData(before)).toStrictEqual(data);
  expect(encodeData(data)).toStrictEqual(before);
});

it('does not disturb results that lie in the same memory', () => {
  const results = Array.from({ length: 2_000 }, (_, index) => [encodeData({ index }), encode({ index })] as const);
  encodeData({ big: 'x'.repeat(1_000_000) });
  const values = results.map(([ours, theirs]) => [decodeData(ours), decode(theirs)]);
  expect(values).toEqual(values.map((_, index) => [{ index }, { index }]));
});
