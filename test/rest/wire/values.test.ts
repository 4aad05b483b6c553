import { CborFloat } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import {
  attemptRequestFromBody,
  durationFromWire,
  durationMember,
  durationToWire,
  integerMember,
  metaChangeFromBody,
  metaFromBody,
  metaToBody,
  numberMember,
  textMember,
  timeFromWire,
  timeToWire,
  unitQueryFromParameters,
  unitQueryToVariables,
} from '../../../src/rest/wire/index.js';

const malformed = expect.objectContaining({ code: 'MalformedRequest' });

describe('a time', () => {
  test.each([
    ['2026-11-20T08:55:24Z', '2026-11-20T08:55:24.000Z'],
    ['2026-11-20T08:55:24.105614939Z', '2026-11-20T08:55:24.105Z'],
    ['2026-11-20T08:55:24.999999999Z', '2026-11-20T08:55:24.999Z'],
    ['2026-11-20T08:55:24.5+05:30', '2026-11-20T03:25:24.500Z'],
    ['2026-11-20t08:55:24z', '2026-11-20T08:55:24.000Z'],
    ['2024-02-29T00:00:00-00:00', '2024-02-29T00:00:00.000Z'],
  ])('%s is read', (text, iso) => {
    expect(timeFromWire(text, 'at')?.toISOString()).toBe(iso);
  });

  test.each(['0001-01-01T00:00:00Z', '0001-01-01T01:00:00+01:00', null, undefined])('that is none: %s', (value) => {
    expect(timeFromWire(value, 'at')).toBeNull();
  });

  test.each(['', 'now', '2026-11-20', '2026-11-20T08:55:24', '2026-11-20 08:55:24Z', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-11-20T24:00:00Z', '2026-11-20T08:55:60Z', '2026-11-20T08:55:24.Z', '2026-11-20T08:55:24+99:00', 7, {}])(
    'is not %j',
    (value) => {
      expect(() => timeFromWire(value, 'at')).toThrow(malformed);
    },
  );

  test('is written in full, none as the zero time', () => {
    expect(timeToWire(new Date(Date.UTC(2026, 10, 20)))).toBe('2026-11-20T00:00:00.000Z');
    expect(timeToWire(null)).toBe('0001-01-01T00:00:00Z');
  });
});

describe('a duration', () => {
  test.each([
    [0, 0],
    [900_000, 900_000_000_000],
    [0.001, 1_000],
    [1_000.000001, 1_000_000_001],
    [100 * 365.25 * 24 * 3_600_000, 3_155_760_000_000_000_000n],
  ])('of %d ms is %s ns', (ms, ns) => {
    expect(durationToWire(ms)).toBe(ns);
    expect(durationFromWire(ns)).toBe(ms);
  });

  test('may be written as a float that is whole', () => {
    expect(durationMember({ delay: new CborFloat(6e10) }, 'delay')).toBe(60_000);
    expect(() => durationMember({ delay: 0.5 }, 'delay')).toThrow(malformed);
    expect(() => durationMember({ delay: '1s' }, 'delay')).toThrow(malformed);
  });
});

test('members that are absent or null are zero; those that all objects inherit are absent', () => {
  expect([textMember({}, 'toString'), textMember({ a: null }, 'a'), numberMember({}, 'a'), integerMember({ a: null }, 'a')]).toEqual(['', '', 0, 0]);
  expect(numberMember({ a: new CborFloat(3) }, 'a')).toBe(3);
  expect(() => textMember({ a: 7 }, 'a')).toThrow('"a" must be a string');
});

test('the meta of a work spec is the same after its way through a body', () => {
  const meta = {
    priority: 1,
    weight: 0,
    paused: true,
    continuous: false,
    canBeContinuous: true,
    intervalMs: 1_500.5,
    nextContinuous: new Date('2030-01-01'),
    maxRunning: 2,
    maxAttemptsReturned: 3,
    maxRetries: 4,
    minMemoryGb: 0.5,
    nextWorkSpecName: 'next',
    runtime: 'node',
    availableCount: 5,
    pendingCount: 6,
  };
  expect(metaFromBody({ ...metaToBody(meta) })).toEqual(meta);
  expect(metaChangeFromBody({ weight: 5, paused: null, max_running: -1 })).toEqual({ weight: 5, maxRunning: 0 });
  expect(metaToBody({ ...meta, minMemoryGb: 0 })).not.toHaveProperty('min_memory_gb');
});

describe('a query for units', () => {
  const read = (text: string): unknown => unitQueryFromParameters(new URLSearchParams(text));

  test('has names as they are, several of them', () => {
    expect(read('name=a&name=-LQ&name=b%20c&limit=10&status=available&status=failed')).toEqual({
      names: ['a', '-LQ', 'b c'],
      limit: 10,
      statuses: ['available', 'failed'],
    });
  });

  test('has a previous name that is decoded when it begins with "-", as clients encode it', () => {
    expect(read('previous=abc')).toEqual({ previousName: Buffer.from('abc') });
    expect(read('previous=-YSBi')).toEqual({ previousName: Buffer.from('a b') });
  });

  test('matches nothing by a name that none can have, and anything by the status any', () => {
    expect(read('name=')).toEqual({ names: [] });
    expect(read('status=any&status=failed')).toEqual({});
  });

  test.each(['', 'limit=', 'limit=0', 'limit=-3', 'unknown=1'])('has no condition: %j', (text) => {
    expect(read(text)).toEqual({});
  });

  test.each(['limit=x', 'limit=1.5', 'status=done', 'previous=-!', 'key=-!'])('is refused: %s', (text) => {
    expect(() => read(text)).toThrow(malformed);
  });

  test('comes back as it was sent', () => {
    const query = { names: ['a', Uint8Array.of(0xff)], statuses: ['failed' as const], previousName: 'x y', limit: 3 };
    const parameters = Object.entries(unitQueryToVariables(query)).flatMap(([name, value]) =>
      [value].flat().map((item: string): [string, string] => [name, item]),
    );
    expect(unitQueryFromParameters(new URLSearchParams(parameters))).toEqual({
      ...query,
      names: ['a', Buffer.of(0xff)],
      previousName: Buffer.from('x y'),
    });
  });
});

test.each([[undefined, 1], [-7, 1], [99, 99], [1e15, 10_000]])('of a request for %s units no more is made than an answer can hold: %d', (asked, units) => {
  expect(attemptRequestFromBody({ number_of_work_units: asked }).request.numberOfWorkUnits).toBe(units);
});
