import { describe, expect, test } from 'vitest';
import { CborFloat, PythonTuple, Uuid } from '../../../src/codec/index.js';
import { outputUnits } from '../../../src/core/chaining/output-units.js';
import { maxDurationMs } from '../../../src/options/index.js';

/** The units with their names as text. */
function read(output: unknown) {
  return outputUnits(output).map(({ name, ...unit }) => ({ name: Buffer.from(name).toString(), ...unit }));
}

const plain = { data: {}, priority: 0, delayMs: 0 };

describe('outputUnits', () => {
  test('reads a map of names to data', () => {
    expect(read({ a: { x: 1 }, b: {} })).toEqual([
      { ...plain, name: 'a', data: { x: 1 } },
      { ...plain, name: 'b' },
    ]);
  });

  test('takes __proto__ for a name like any other', () => {
    expect(read(JSON.parse('{"__proto__": {"x": 1}}'))).toEqual([{ ...plain, name: '__proto__', data: { x: 1 } }]);
  });

  test('reads a list of names, text or bytes', () => {
    expect(read(['a', new Uint8Array([98])])).toEqual([
      { ...plain, name: 'a' },
      { ...plain, name: 'b' },
    ]);
  });

  test('keeps names that are not UTF-8', () => {
    expect(outputUnits([new Uint8Array([255, 0])])).toEqual([{ ...plain, name: new Uint8Array([255, 0]) }]);
  });

  test('reads lists and tuples of name, data, meta and priority', () => {
    const output = new PythonTuple([
      ['a', { x: 1 }],
      new PythonTuple(['b', {}, { priority: 3, delay: 90 }]),
      ['c', {}, null, 7],
      ['d', {}, { priority: 3, other: 'ignored' }, new CborFloat(7)],
      ['e', {}, { priority: 3n, delay: 0.25 }, null],
      ['f', {}, { priority: null, delay: null }, undefined, 'more'],
    ]);
    expect(read(output)).toEqual([
      { ...plain, name: 'a', data: { x: 1 } },
      { ...plain, name: 'b', priority: 3, delayMs: 90_000 },
      { ...plain, name: 'c', priority: 7 },
      { ...plain, name: 'd', priority: 7 },
      { ...plain, name: 'e', priority: 3, delayMs: 250 },
      { ...plain, name: 'f' },
    ]);
  });

  test.each([
    7,
    null,
    true,
    new Date(0),
    {},
    [],
    [''],
    ['', {}],
    ['a'.repeat(1001), {}],
    ['ä'.repeat(501), {}],
    ['a'],
    [7, {}],
    ['a', null],
    ['a', 'data'],
    ['a', [1]],
    ['a', new Map([[1, 2]])],
    ['a', new Date(0)],
    ['a', {}, 'meta'],
    ['a', {}, []],
    ['a', {}, { priority: 'high' }],
    ['a', {}, { priority: 'high' }, 7],
    ['a', {}, { delay: '3' }],
    ['a', {}, { delay: Number.NaN }],
    ['a', {}, null, 'high'],
    ['a', {}, null, Number.POSITIVE_INFINITY],
  ])('skips the item %o and reads the others', (item) => {
    expect(read([item, 'good'])).toEqual([{ ...plain, name: 'good' }]);
  });

  test.each(['', 'a'.repeat(1001), 'ä'.repeat(501)])('skips the name %o', (name) => {
    expect(read([name, 'good'])).toEqual([{ ...plain, name: 'good' }]);
    expect(read({ [name]: {}, good: {} })).toEqual([{ ...plain, name: 'good' }]);
  });

  test('takes a name of 1,000 bytes', () => {
    expect(outputUnits(['a'.repeat(1000)])).toHaveLength(1);
  });

  test('skips what is not a dictionary in a map', () => {
    expect(read({ a: null, b: [1], c: 'x', d: new Uuid(new Uint8Array(16)), e: { x: 1 } })).toEqual([
      { ...plain, name: 'e', data: { x: 1 } },
    ]);
  });

  test('reads a Map as the map it is stored as', () => {
    const output = new Map<unknown, unknown>([
      ['a', new Map([['x', 1]])],
      [1, {}],
    ]);
    expect(read(output)).toEqual([{ ...plain, name: 'a', data: { x: 1 } }]);
  });

  test('lets the last of a name count, text and bytes alike', () => {
    expect(read([['a', { x: 1 }, null, 5], 'b', [new Uint8Array([97]), { x: 2 }]])).toEqual([
      { ...plain, name: 'a', data: { x: 2 } },
      { ...plain, name: 'b' },
    ]);
  });

  test('bounds delays', () => {
    expect(read([['a', {}, { delay: -5 }]])).toEqual([{ ...plain, name: 'a' }]);
    expect(read([['a', {}, { delay: 1e300 }]])).toEqual([{ ...plain, name: 'a', delayMs: maxDurationMs }]);
  });

  test.each([undefined, null, 7, 'a', true, new Uint8Array([97]), new Date(0), new CborFloat(1)])('finds none in %o', (output) => {
    expect(outputUnits(output)).toEqual([]);
  });
});
