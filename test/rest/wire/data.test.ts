import { CborFloat, CborSimple, PythonTuple, Tagged, Uuid } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import { dataFromWire, dataToWire, decodeBody, encodeBody } from '../../../src/rest/wire/index.js';

/** What becomes of data on their way through a body. */
function sent(data: Record<string, unknown>, format: 'json' | 'cbor'): { text: string; received: unknown } {
  const bytes = encodeBody({ data: dataToWire(data, format) }, format);
  return { text: bytes.toString('utf8'), received: dataFromWire(decodeBody(bytes, format).data, 'data') };
}

const jsonText = (data: Record<string, unknown>): string => sent(data, 'json').text.slice('{"data":'.length, -1);

describe('data in JSON', () => {
  test.each<[string, Record<string, unknown>]>([
    ['{}', {}],
    ['{"a":1,"b":-7}', { a: 1, b: -7 }],
    ['{"a":1.0}', { a: new CborFloat(1) }],
    ['{"a":[0.5,-0.0]}', { a: [0.5, -0] }],
    ['{"a":1e+21,"b":1e-7}', { a: 1e21, b: 1e-7 }],
    // A float beyond 2^53 prints like an integer.
    ['{"a":1152921504606847000.0}', { a: 2 ** 60 }],
    ['{"a":18446744073709551615,"b":-9223372036854775808}', { a: 2n ** 64n - 1n, b: -(2n ** 63n) }],
    ['{"a":null,"b":[],"c":{},"d":true,"e":"x"}', { a: null, b: [], c: {}, d: true, e: 'x' }],
    ['{"a":"1.0","b":"\\"2.0\\\\"}', { a: '1.0', b: '"2.0\\' }],
  ])('%s keeps its numbers', (text, data) => {
    expect(jsonText(data)).toBe(text);
    expect(sent(data, 'json').received).toEqual(data);
  });

  test('keeps a member __proto__', () => {
    const data = JSON.parse('{"__proto__":{"a":1},"b":2}') as Record<string, unknown>;
    expect(Object.keys(sent(data, 'json').received as object)).toEqual(['__proto__', 'b']);
    expect(Object.keys(sent({ ...data, c: new CborFloat(1) }, 'json').received as object)).toContain('c');
    const withFloat = JSON.parse('{"__proto__":1}') as Record<string, unknown>;
    withFloat.f = new CborFloat(1);
    expect(jsonText(withFloat)).toBe('{"__proto__":1,"f":1.0}');
  });

  test('of tuples and UUIDs is the base64 of CBOR', () => {
    expect(jsonText({ key: new PythonTuple([]) })).toBe('"oWNrZXnYgIA="');
  });

  test.each<[string, Record<string, unknown>]>([
    ['a tuple deep inside', { a: [{ b: new PythonTuple([1, 'x']) }] }],
    ['a UUID', { id: Uuid.fromString('9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07') }],
    ['bytes beside a UUID', { id: Uuid.fromString('9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07'), b: Uint8Array.of(1, 2) }],
    ['a date', { at: new Date('2026-11-20T08:55:24.105Z') }],
    ['an infinity', { a: Number.POSITIVE_INFINITY }],
    ['a tag', { a: new Tagged(99, 'x') }],
    ['a simple value', { a: new CborSimple(23) }],
    ['keys that are not text', { a: new Map([[1, 2]]) }],
  ])('of %s loses nothing', (_what, data) => {
    const { text, received } = sent(data, 'json');
    expect(text).toMatch(/^\{"data":"[A-Za-z0-9+/]+={0,2}"\}$/);
    expect(received).toEqual(data);
  });

  test('of bytes alone is an object with base64, as clients of the protocol expect', () => {
    expect(jsonText({ a: Uint8Array.of(0xfb, 0xff), b: [new CborFloat(2)] })).toBe('{"a":"+/8=","b":[2.0]}');
  });
});

test('data in CBOR keep everything, bytes too', () => {
  const data = { a: Uint8Array.of(1), t: new PythonTuple([1, new CborFloat(1)]), d: new Date(0), n: Number.NaN, big: 2n ** 63n };
  expect(sent(data, 'cbor').received).toEqual(data);
});

describe('data are read', () => {
  test('from base64 with padding and line ends, in either format', () => {
    expect(dataFromWire('oWNrZXnY\r\ngIA=', 'data')).toEqual({ key: new PythonTuple([]) });
    expect(dataFromWire(Buffer.from('oWNrZXnYgIA=', 'base64'), 'data')).toEqual({ key: new PythonTuple([]) });
  });

  test.each<[string, unknown, string]>([
    ['a list', [], 'MalformedRequest'],
    ['a number', 7, 'MalformedRequest'],
    ['a float', new CborFloat(1), 'MalformedRequest'],
    ['a map with a key that is not text', new Map([[1, 2]]), 'MalformedRequest'],
    ['base64 without its padding', 'oWNrZXnYgIA', 'MalformedRequest'],
    ['text that is no base64', 'oWNr*XnYgIA=', 'MalformedRequest'],
    ['CBOR that ends too early', 'oWNrZXnY', 'BadCbor'],
    ['CBOR that is no map', 'gA==', 'BadCbor'],
  ])('but not from %s', (_what, value, code) => {
    expect(() => dataFromWire(value, 'data')).toThrow(expect.objectContaining({ code }));
  });
});
