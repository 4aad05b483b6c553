import { describe, expect, test } from 'vitest';
import { CborFloat } from '../../../src/codec/index.js';
import { metaFromData, workSpecName } from '../../../src/core/work-spec/meta-from-data.js';
import { maxDurationMs } from '../../../src/options/index.js';

const defaults = {
  priority: 0,
  weight: 20,
  paused: false,
  continuous: false,
  canBeContinuous: false,
  intervalMs: 0,
  nextContinuous: null,
  maxRunning: 0,
  maxAttemptsReturned: 0,
  maxRetries: 0,
  minMemoryGb: 0,
  nextWorkSpecName: '',
  runtime: '',
  availableCount: 0,
  pendingCount: 0,
};

describe('workSpecName', () => {
  test('is the name', () => {
    expect(workSpecName({ name: 'spec' })).toBe('spec');
  });

  test.each([{}, { name: undefined }, Object.create({ name: 'inherited' }) as Record<string, unknown>])('raises NoWorkSpecName for %o', (data) => {
    expect(() => workSpecName(data)).toThrow(expect.objectContaining({ code: 'NoWorkSpecName' }));
  });

  test.each([null, '', 7, ['spec'], new Uint8Array([115])])('raises BadWorkSpecName for %o', (name) => {
    expect(() => workSpecName({ name })).toThrow(expect.objectContaining({ code: 'BadWorkSpecName' }));
  });
});

describe('metaFromData', () => {
  test('of a bare definition has the defaults', () => {
    expect(metaFromData({ name: 'spec', module: 'm', 'no such key': 1 })).toEqual(defaults);
  });

  test('reads every key', () => {
    const data = {
      name: 'spec',
      priority: 3,
      weight: 7,
      nice: 5,
      disabled: true,
      continuous: true,
      interval: 60,
      max_running: 4,
      max_getwork: 2,
      max_retries: 9,
      min_gb: 1.5,
      then: 'next',
      runtime: 'python',
    };
    expect(metaFromData(data)).toEqual({
      priority: 3,
      weight: 7,
      paused: true,
      continuous: true,
      canBeContinuous: true,
      intervalMs: 60_000,
      nextContinuous: null,
      maxRunning: 4,
      maxAttemptsReturned: 2,
      maxRetries: 9,
      minMemoryGb: 1.5,
      nextWorkSpecName: 'next',
      runtime: 'python',
      availableCount: 0,
      pendingCount: 0,
    });
  });

  test.each([
    [{ weight: 0 }, 1],
    [{ weight: -3 }, 1],
    [{ weight: 0.9 }, 1],
    [{ nice: 5 }, 15],
    [{ nice: -5 }, 25],
    [{ nice: 20 }, 1],
    [{ nice: 100 }, 1],
    [{ nice: 3.9 }, 17],
    [{ weight: 6, nice: 5 }, 6],
    [{ weight: 'heavy', nice: 5 }, 15],
    [{ weight: null }, 20],
    [{ nice: 'very' }, 20],
  ])('the weight of %o is %i', (data, weight) => {
    expect(metaFromData(data).weight).toBe(weight);
  });

  test('takes a key of the wrong type for absent', () => {
    const data = {
      priority: '3',
      weight: true,
      disabled: 1,
      continuous: 'true',
      interval: '60',
      max_running: [4],
      max_getwork: null,
      max_retries: {},
      min_gb: false,
      then: 3,
      runtime: null,
    };
    expect(metaFromData(data)).toEqual(defaults);
  });

  test('knows keys by their exact spelling, and only own ones', () => {
    expect(metaFromData({ Priority: 3, DISABLED: true })).toEqual(defaults);
    expect(metaFromData(Object.create({ priority: 3 }) as Record<string, unknown>)).toEqual(defaults);
  });

  test.each([
    [3.7, 3],
    [-3.7, -3],
    [-0.5, 0],
    [12n, 12],
    [new CborFloat(12), 12],
    [2n ** 70n, Number.MAX_SAFE_INTEGER],
    [-1e300, Number.MIN_SAFE_INTEGER],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
  ])('an integer given as %d is %d', (given, priority) => {
    expect(metaFromData({ priority: given }).priority).toBe(priority);
  });

  test.each([
    [0.25, 250],
    [1.001, 1001],
    [0.0005, 0.5],
    [3n, 3000],
    [1e300, maxDurationMs],
    [-5, 0],
  ])('an interval of %d seconds is %d ms', (interval, intervalMs) => {
    expect(metaFromData({ interval }).intervalMs).toBe(intervalMs);
  });

  test('takes a negative limit for none', () => {
    const { maxRunning, maxAttemptsReturned, maxRetries } = metaFromData({ max_running: -1, max_getwork: -2.5, max_retries: -3n });
    expect([maxRunning, maxAttemptsReturned, maxRetries]).toEqual([0, 0, 0]);
  });

  test('keeps a nextContinuous that is in the future, and no other', () => {
    const now = new Date(1000);
    const kept = (previous: Date | null) => metaFromData({}, { now, previousNextContinuous: previous }).nextContinuous;
    expect(kept(new Date(1001))).toEqual(new Date(1001));
    expect(kept(new Date(1000))).toBeNull();
    expect(kept(new Date(999))).toBeNull();
    expect(kept(null)).toBeNull();
  });
});
