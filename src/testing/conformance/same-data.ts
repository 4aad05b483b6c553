import assert from 'node:assert/strict';
import { CborFloat, CborSimple, PythonTuple, Tagged, Uuid } from '../../codec/index.js';

/**
 * Asserts that two data values are the same CBOR value. Unlike `assert.deepStrictEqual` it does not ask for the same prototypes of
 * maps and byte strings (a Buffer is a Uint8Array, a map may have no prototype); it tells apart all that the codec does.
 */
export function assertSameData(actual: unknown, expected: unknown, path = 'data'): void {
  if (isScalar(expected)) {
    assert.ok(Object.is(actual, expected), `${path} is ${show(actual)}, not ${show(expected)}`);
    return;
  }
  assert.equal(kindOf(actual), kindOf(expected), path);
  const actualMembers = membersOf(actual);
  const expectedMembers = membersOf(expected);
  assert.deepEqual([...actualMembers.keys()].sort(), [...expectedMembers.keys()].sort(), `keys of ${path}`);
  for (const [key, member] of expectedMembers) assertSameData(actualMembers.get(key), member, `${path}.${key}`);
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function kindOf(value: unknown): string {
  if (isScalar(value)) return show(value);
  if (Array.isArray(value)) return 'list';
  if (value instanceof Uint8Array) return 'bytes';
  for (const kind of [Date, Map, CborFloat, CborSimple, PythonTuple, Tagged, Uuid]) {
    if (value instanceof kind) return kind.name;
  }
  return 'map';
}

/** What a value is made of, by key. */
function membersOf(value: unknown): Map<string, unknown> {
  if (value instanceof Date) return new Map([['time', value.getTime()]]);
  if (value instanceof CborFloat) return new Map([['float', value.valueOf()]]);
  if (value instanceof Uint8Array) return new Map([['bytes', Buffer.from(value).toString('hex')]]);
  if (value instanceof Map) return new Map([['entries', [...(value as Map<unknown, unknown>)]]]);
  // Own members only, and `__proto__` as any other.
  return new Map(Object.entries(value as object));
}

function show(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : `${typeof value} ${String(value)}`;
}
