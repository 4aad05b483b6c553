import { CborFloat } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import { decodeBody } from '../../../src/rest/wire/index.js';

const read = (text: string | Uint8Array): unknown => decodeBody(Buffer.from(text as string), 'json');

describe('a body in JSON', () => {
  test('is read with its numbers as they are', () => {
    const body = '{"a": 1, "b": 1.0, "c": 9007199254740993, "d": [1e2, -0, -0.0], "e": "9007199254740993"}';
    expect(read(body)).toEqual({ a: 1, b: new CborFloat(1), c: 9007199254740993n, d: [new CborFloat(100), 0, -0], e: '9007199254740993' });
  });

  test('takes the last of two members of one name, numbers to be kept or not', () => {
    expect(read('{"a": 1, "a": 2}')).toEqual({ a: 2 });
    expect(read('{"a": 1.0, "a": 2.0}')).toEqual({ a: new CborFloat(2) });
  });

  test('may have quotes, brackets and digits in its strings', () => {
    const value = { '[{"\\': `${'['.repeat(5_000)}\\"1.0` };
    expect(read(JSON.stringify(value))).toEqual(value);
  });

  test.each([
    ['nothing', ''],
    ['half an object', '{"a":'],
    ['a string without its end', '{"a": "x'],
    ['a bad number', '{"a": 1.0.0}'],
    ['a number with a leading zero', '{"a": 01.5}'],
    ['a number that is too large', '{"a": 1e999}'],
    ['two values', '{} {}'],
    ['two values with a float', '{"a":1.5} {}'],
    ['NaN', '{"a": NaN}'],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d)],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '7.0'],
    ['10,000 levels of lists', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['10,000 levels without an end', '[{"a":'.repeat(10_000)],
  ])('is refused with one sentence: %s', (_what, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'MalformedRequest', status: 400 }));
  });
});

test('a body in CBOR must be a map with text for keys', () => {
  expect(() => decodeBody(Buffer.from('80', 'hex'), 'cbor')).toThrow('the body must be an object');
  expect(() => decodeBody(Buffer.from('a10102', 'hex'), 'cbor')).toThrow('the body must be an object');
  expect(() => decodeBody(Buffer.from('a1', 'hex'), 'cbor')).toThrow(expect.objectContaining({ code: 'BadCbor' }));
});
