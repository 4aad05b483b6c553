import { describe, expect, it } from 'vitest';
import { decodeData, encodeData, encodeValue, MAX_DEPTH, PythonTuple, Tagged } from '../../src/codec/index.js';
import type { CoordinateError} from '../../src/errors/index.js';
import { InvalidArgumentError } from '../../src/errors/index.js';

class Unit {
  a = 1;
}

function refusal(value: unknown): CoordinateError {
  try {
    encodeData(value as Record<string, unknown>);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error;
    throw error;
  }
  throw new Error('was encoded');
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 ? { a: value } : [value];
  return value;
}

describe('a value CBOR cannot hold is refused by name', () => {
  const circular: { list: unknown[] } = { list: [1] };
  circular.list.push({ back: circular });
  const self: unknown[] = [];
  self.push(self);

  it.each<[string, unknown, string, RegExp]>([
    ['a function', { f: () => 1 }, 'data.f', /function/],
    ['a symbol', { items: [1, { x: Symbol('s') }] }, 'data.items[1].x', /symbol/],
    ['an instance', { u: new Unit() }, 'data.u', /instance of Unit/],
    ['an object without a class name', { u: Object.create({}) as unknown }, 'data.u', /instance of Object/],
    ['a Set', { items: [0, 0, 0, { x: new Set() }] }, 'data.items[3].x', /instance of Set/],
    ['an Error', { e: new Error('x') }, 'data.e', /instance of Error/],
    ['a RegExp', { e: /x/ }, 'data.e', /instance of RegExp/],
    ['a promise', { e: Promise.resolve() }, 'data.e', /instance of Promise/],
    ['a typed array', { e: new Float64Array(1) }, 'data.e', /instance of Float64Array/],
    ['an ArrayBuffer', { e: new ArrayBuffer(1) }, 'data.e', /instance of ArrayBuffer/],
    ['a boxed string', { e: Object('x') as unknown }, 'data.e', /instance of String/],
    ['undefined in a list', { e: [undefined] }, 'data.e[0]', /use null/],
    ['a hole in a list', { e: [1, , 2] }, 'data.e[1]', /use null/],  
    ['undefined in a tuple', { e: new PythonTuple([undefined]) }, 'data.e[0]', /use null/],
    ['an invalid date', { e: new Date(NaN) }, 'data.e', /invalid date/],
    ['half a surrogate pair', { e: 'a\ud800' }, 'data.e', /surrogate/],
    ['half a surrogate pair in a key', { a: { '\udc00': 1 } }, 'data.a["\\udc00"]', /surrogate/],
    ['a bigint too big', { e: 2n ** 64n }, 'data.e', /range/],
    ['a bigint too small', { e: -(2n ** 64n) - 1n }, 'data.e', /range/],
    ['a tag too big', { e: new Tagged(2 ** 32, 1) }, 'data.e', /tag/],
    ['a tag that is no integer', { e: new Tagged(1.5, 1) }, 'data.e', /tag/],
    ['a value in a tag', { e: new Tagged(99, [Symbol.iterator]) }, 'data.e.value[0]', /symbol/],
    ['a value under an odd key', { 'a b': { 'x-y': [self] } }, 'data["a b"]["x-y"][0][0]', /contains itself/],
    ['a value in a Map', { m: new Map([[1, { x: undefined, y: [() => 1] }]]) }, 'data.m[1].y[0]', /function/],
    ['a key in a Map', { m: new Map([[() => 1, 1]]) }, 'data.m[a key]', /function/],
    ['a key twice', { m: new Map<unknown, number>([[1, 1], [1n, 2]]) }, 'data.m[1]', /twice/],
    ['a key as text and bytes', { m: new Map<unknown, number>([['a', 1], [Buffer.from('a'), 2]]) }, 'data.m[a key]', /twice/],
    ['a tuple twice as a key', { m: new Map([[new PythonTuple([1]), 1], [new PythonTuple([1]), 2]]) }, 'data.m[a key]', /twice/],
    ['a key of bytes that are no text', { m: new Map([[Buffer.of(0xff), 1]]) }, 'data.m[a key]', /UTF-8/],
    ['circular data', circular, 'data.list[1].back', /contains itself/],
    ['a list within itself', { self }, 'data.self[0]', /contains itself/],
    ['a list', [1], 'data', /plain object/],
    ['null', null, 'data', /plain object/],
    ['a string', 'x', 'data', /plain object/],
    ['a Map at the top', new Map([['a', 1]]), 'data', /plain object/],
    ['an instance at the top', new Unit(), 'data', /plain object/],
  ])('%s', (_name, value, field, problem) => {
    const error = refusal(value);
    expect(error.details.field).toBe(field);
    expect(error.details.problem).toMatch(problem);
  });

  it('names the field as told', () => {
    expect(() => encodeData({ a: [Symbol.iterator] }, 'meta')).toThrow('meta.a[0]: is a symbol, which CBOR cannot hold');
    expect(() => encodeValue(undefined)).toThrow('value: is undefined; use null');
  });

  it('takes what is just as deep as allowed, and can read it', () => {
    const value = nested(MAX_DEPTH) as Record<string, unknown>;
    // Compared by their bytes: the time of the matcher doubles with each level.
    expect(encodeData(decodeData(encodeData(value))).equals(encodeData(value))).toBe(true);
    expect(refusal({ a: value }).message).toMatch(/^data\.a\.a\[0\].*nests deeper than/);
    expect(refusal({ a: nested(100_000) }).message).toMatch(/nests deeper than/);
  });

  it('counts tags as levels, as decoding does', () => {
    let tuple = new PythonTuple([]);
    for (let level = 2; level < MAX_DEPTH / 2; level++) tuple = new PythonTuple([tuple]);
    const bytes = encodeData({ a: tuple });
    expect(encodeData(decodeData(bytes)).equals(bytes)).toBe(true);
    expect(refusal({ a: [new PythonTuple([tuple])] }).message).toMatch(/nests deeper than/);
  });

  it('survives getters that throw or change their mind', () => {
    const throwing = { get a(): never { throw new RangeError('no'); } };
    expect(refusal(throwing).message).toBe('data: cannot be written as CBOR: no');
    let reads = 0;
    const fickle = { get a(): unknown { return reads++ === 0 ? 1 : () => 1; } };
    expect(refusal(fickle).message).toMatch(/^data: cannot be written/);
    expect(encodeData({ a: 1 }).toString('hex')).toBe('a1616101');
  });
});
