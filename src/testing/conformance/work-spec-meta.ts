import assert from 'node:assert/strict';
import { CborFloat, type DataDictionary } from '../../codec/index.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import type { WorkSpecMeta } from '../../core/work-spec/work-spec-meta.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, minuteMs, specWith } from './set-up.js';

const defaults: WorkSpecMeta = {
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

async function metaOf(namespace: Namespace, definition: DataDictionary): Promise<WorkSpecMeta> {
  return (await namespace.setWorkSpec({ name: 'spec', ...definition })).meta();
}

export const workSpecMetaCases = cases('Work spec', {
  'every meta field has its default': async ({ namespace }) => {
    assertSameData(await metaOf(namespace, {}), defaults);
  },

  'every meta field is read from its key': async ({ namespace }) => {
    const meta = await metaOf(namespace, {
      priority: 3,
      weight: 7,
      disabled: true,
      continuous: true,
      interval: 60,
      max_running: 4,
      max_getwork: 5,
      max_retries: 6,
      min_gb: 8,
      then: 'next',
      runtime: 'python',
    });
    assertSameData(
      meta,
      {
        ...defaults,
        priority: 3,
        weight: 7,
        paused: true,
        continuous: true,
        canBeContinuous: true,
        intervalMs: 60_000,
        maxRunning: 4,
        maxAttemptsReturned: 5,
        maxRetries: 6,
        minMemoryGb: 8,
        nextWorkSpecName: 'next',
        runtime: 'python',
      },
    );
  },

  'weight is 20 less niceness when it is not given': async ({ namespace }) => {
    assert.equal((await metaOf(namespace, { nice: 5 })).weight, 15);
    assert.equal((await metaOf(namespace, { nice: -10 })).weight, 30);
    assert.equal((await metaOf(namespace, { nice: 5, weight: 9 })).weight, 9);
    assert.equal((await metaOf(namespace, { nice: 5, weight: 'heavy' })).weight, 15);
  },

  'weight is never below 1 by definition': async ({ namespace }) => {
    assert.equal((await metaOf(namespace, { nice: 20 })).weight, 1);
    assert.equal((await metaOf(namespace, { nice: 99 })).weight, 1);
    assert.equal((await metaOf(namespace, { weight: -4 })).weight, 1);
    assert.equal((await metaOf(namespace, { weight: 0, nice: 5 })).weight, 1, 'a weight of 0 is a weight given');
  },

  'an interval keeps its fractions': async ({ namespace }) => {
    assert.equal((await metaOf(namespace, { interval: 0.25 })).intervalMs, 250);
    assert.equal((await metaOf(namespace, { interval: 1.5 })).intervalMs, 1500);
  },

  'memory may be a fraction': async ({ namespace }) => {
    assert.equal((await metaOf(namespace, { min_gb: 0.5 })).minMemoryGb, 0.5);
  },

  'a fraction is cut where a whole number is meant': async ({ namespace }) => {
    const meta = await metaOf(namespace, { max_running: 2.9, max_getwork: 3.9, max_retries: 4.9, weight: 5.9, priority: -6.9 });
    const { maxRunning, maxAttemptsReturned, maxRetries, weight, priority } = meta;
    assert.deepEqual([maxRunning, maxAttemptsReturned, maxRetries, weight, priority], [2, 3, 4, 5, -6]);
  },

  'a float is a number, though it say a whole one': async ({ namespace }) => {
    // Python and Go write 2.0 as a float, which is read as a CborFloat.
    const two = new CborFloat(2);
    const numbers = { priority: two, weight: two, interval: two, max_running: two, max_getwork: two, max_retries: two, min_gb: two };
    const { priority, weight, intervalMs, maxRunning, maxAttemptsReturned, maxRetries, minMemoryGb } = await metaOf(namespace, numbers);
    assert.deepEqual([priority, weight, intervalMs, maxRunning], [2, 2, 2000, 2]);
    assert.deepEqual([maxAttemptsReturned, maxRetries, minMemoryGb], [2, 2, 2]);
    assert.equal((await metaOf(namespace, { nice: two })).weight, 18);
  },

  'a priority may be negative': async ({ namespace }) => {
    assert.equal((await metaOf(namespace, { priority: -3 })).priority, -3);
  },

  'a known key of the wrong type counts as absent': async ({ namespace }) => {
    const meta = await metaOf(namespace, {
      priority: 'high',
      weight: [],
      nice: {},
      disabled: 'yes',
      continuous: 1,
      interval: 'often',
      max_running: true,
      max_getwork: '5',
      max_retries: { a: 1 },
      min_gb: 'lots',
      then: 5,
      runtime: ['go'],
    });
    assertSameData(meta, defaults);
  },

  'a known key that is null counts as absent': async ({ namespace }) => {
    const keys = ['priority', 'weight', 'nice', 'disabled', 'continuous', 'interval', 'max_running', 'max_getwork'];
    const definition = Object.fromEntries([...keys, 'max_retries', 'min_gb', 'then', 'runtime'].map((key) => [key, null]));
    assertSameData(await metaOf(namespace, definition), defaults);
  },

  'setData resets every meta field from the data': async ({ namespace }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec', continuous: true, priority: 1 });
    await spec.setMeta({
      priority: 9,
      weight: 9,
      paused: true,
      continuous: false,
      intervalMs: 9,
      maxRunning: 9,
      maxAttemptsReturned: 9,
      maxRetries: 9,
      minMemoryGb: 9,
    });
    await spec.setData({ name: 'spec', max_running: 2 });
    assertSameData(await spec.meta(), { ...defaults, maxRunning: 2 });
  },

  'setData keeps a nextContinuous in the future': async ({ namespace, clock }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec', continuous: true });
    const future = new Date(clock.now().getTime() + minuteMs);
    await spec.setMeta({ nextContinuous: future });
    await spec.setData({ name: 'spec', continuous: true, interval: 5 });
    assert.deepEqual((await spec.meta()).nextContinuous, future);
    await namespace.setWorkSpec({ name: 'spec', continuous: true });
    assert.deepEqual((await spec.meta()).nextContinuous, future);
  },

  'setData forgets a nextContinuous in the past': async ({ namespace, clock }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec', continuous: true });
    await spec.setMeta({ nextContinuous: clock.now() });
    clock.advance(1);
    await spec.setData({ name: 'spec', continuous: true });
    assert.equal((await spec.meta()).nextContinuous, null);
  },

  'setMeta changes only the fields given': async ({ namespace, clock }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec', continuous: true, then: 'next', runtime: 'go', min_gb: 2 });
    const changes: Partial<WorkSpecMeta>[] = [
      { priority: 9 },
      { weight: 0 },
      { paused: true },
      { continuous: false },
      { intervalMs: 1500 },
      { nextContinuous: clock.now() },
      { maxRunning: 4 },
      { maxAttemptsReturned: 5 },
      { maxRetries: 6 },
      { minMemoryGb: 0.5 },
    ];
    let expected = { ...(await spec.meta()) };
    for (const change of changes) {
      await spec.setMeta(change);
      expected = { ...expected, ...change };
      assertSameData(await spec.meta(), expected);
    }
    await spec.setMeta({});
    assertSameData(await spec.meta(), expected);
    assertSameData(await spec.data(), { name: 'spec', continuous: true, then: 'next', runtime: 'go', min_gb: 2 });
  },

  'setMeta can take nextContinuous away': async ({ namespace, clock }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec', continuous: true });
    await spec.setMeta({ nextContinuous: clock.now() });
    await spec.setMeta({ nextContinuous: null });
    assert.equal((await spec.meta()).nextContinuous, null);
  },

  'setMeta ignores what the definition fixes, and the counts': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a'], { then: 'next', runtime: 'go' });
    await spec.setMeta({
      canBeContinuous: true,
      nextWorkSpecName: 'elsewhere',
      runtime: 'python',
      availableCount: 70,
      pendingCount: 80,
      maxRunning: 3,
    });
    assertSameData(
      await spec.meta({ counts: true }),
      { ...defaults, nextWorkSpecName: 'next', runtime: 'go', maxRunning: 3, availableCount: 1 },
    );
  },

  'what meta() answers can be given back to setMeta': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a'], { continuous: true, then: 'next', priority: 2 });
    const before = await spec.meta({ counts: true });
    await spec.setMeta({ ...before, priority: 3 });
    assertSameData(await spec.meta({ counts: true }), { ...before, priority: 3 });
  },

  'a spec that can not be continuous does not become so, and that is no error': async ({ namespace }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.setMeta({ continuous: true, priority: 4 });
    const { continuous, canBeContinuous, priority } = await spec.meta();
    assert.deepEqual({ continuous, canBeContinuous, priority }, { continuous: false, canBeContinuous: false, priority: 4 });
  },

  'a spec that can be continuous may be switched off and on': async ({ namespace }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec', continuous: true });
    await spec.setMeta({ continuous: false });
    assert.equal((await spec.meta()).continuous, false);
    assert.equal((await spec.meta()).canBeContinuous, true);
    await spec.setMeta({ continuous: true });
    assert.equal((await spec.meta()).continuous, true);
  },

  'counts are given only on request': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c', 'd', 'e']);
    await spec.addWorkUnit('delayed', {}, { notBefore: new Date(clock.now().getTime() + minuteMs) });
    const worker = await namespace.worker('worker');
    await (await claim(worker)).finish();
    await worker.requestAttempts({ numberOfWorkUnits: 3 });
    const without = await spec.meta();
    assert.deepEqual([without.availableCount, without.pendingCount], [0, 0]);
    const { availableCount, pendingCount } = await spec.meta({ counts: true });
    assert.deepEqual([availableCount, pendingCount], [1, 3]);
  },
});
