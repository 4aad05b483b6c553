import assert from 'node:assert/strict';
import type { Namespace } from '../../core/namespace/namespace.js';
import type { Worker } from '../../core/worker/worker.js';
import { cases } from './conformance-case.js';
import { claim, claimNames, leaseMs, specWith } from './set-up.js';

async function specsOfWeights(namespace: Namespace, weights: Readonly<Record<string, number>>, units: number): Promise<void> {
  const names = Array.from({ length: units }, (_, index) => `unit ${index}`);
  for (const [name, weight] of Object.entries(weights)) await specWith(namespace, names, { name, weight });
}

async function claimSpec(worker: Worker): Promise<string> {
  return (await claim(worker)).workUnit.workSpec.name;
}

export const schedulingCases = cases('Scheduling', {
  'the work spec of the highest priority is served first': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b'], { name: 'high', priority: 2, weight: 1 });
    await specWith(namespace, ['c'], { name: 'low', priority: 1, weight: 1000 });
    await specWith(namespace, ['d'], { name: 'negative', priority: -1 });
    await specWith(namespace, ['e'], { name: 'none', priority: 0 });
    const worker = await namespace.worker('worker');
    const order: string[] = [];
    for (let request = 0; request < 5; request++) order.push(...(await claimNames(worker)));
    assert.deepEqual(order, ['a', 'b', 'c', 'e', 'd']);
  },

  'a work spec that can not be served leaves its turn to those of lower priority': async ({ namespace }) => {
    await specWith(namespace, ['a'], { name: 'paused', priority: 9, disabled: true });
    await specWith(namespace, ['b'], { name: 'elsewhere', priority: 8, runtime: 'go' });
    await specWith(namespace, [], { name: 'empty', priority: 7 });
    await specWith(namespace, ['c', 'd'], { name: 'limited', priority: 6, max_running: 1 });
    await specWith(namespace, ['e'], { name: 'low' });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { runtimes: [''] }), ['c']);
    assert.deepEqual(await claimNames(worker, { runtimes: [''] }), ['e']);
  },

  'a request gets fewer units rather than units of a second work spec': async ({ namespace }) => {
    await specWith(namespace, ['a'], { name: 'high', priority: 1 });
    await specWith(namespace, ['b'], { name: 'low' });
    assert.deepEqual(await claimNames(await namespace.worker('worker'), { numberOfWorkUnits: 2 }), ['a']);
  },

  'a changed priority of a work spec counts at once': async ({ namespace }) => {
    const a = await specWith(namespace, ['a1', 'a2'], { name: 'a', priority: 1 });
    await specWith(namespace, ['b1', 'b2'], { name: 'b' });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker), ['a1']);
    await a.setMeta({ priority: -1 });
    assert.deepEqual(await claimNames(worker), ['b1']);
  },

  'a work spec of weight 0 or less is never chosen': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b']);
    const worker = await namespace.worker('worker');
    for (const weight of [0, -1]) {
      await spec.setMeta({ weight });
      assert.equal((await spec.meta()).weight, weight);
      assert.deepEqual(await claimNames(worker), []);
    }
    await spec.setMeta({ weight: 1 });
    assert.deepEqual(await claimNames(worker), ['a']);
  },

  'among equals the choice is by weight, and the random number decides': async ({ namespace, setRandom }) => {
    // With nothing pending the scores are the weights: 20 and 10, in order of name.
    const chosen: Record<number, string> = {};
    for (const random of [0, 0.66, 0.67, 0.999]) {
      const names = [`a ${random}`, `b ${random}`] as const;
      await specsOfWeights(namespace, { [names[0]]: 20, [names[1]]: 10 }, 1);
      setRandom(() => random);
      const attempt = await claim(await namespace.worker('worker'), { workSpecs: [...names] });
      chosen[random] = attempt.workUnit.workSpec.name.charAt(0);
    }
    assert.deepEqual(chosen, { 0: 'a', 0.66: 'a', 0.67: 'b', 0.999: 'b' });
  },

  'what is pending counts against a work spec': async ({ namespace, setRandom }) => {
    // a has 1 of 1 pending: scores 20 × 2 − 30 × 1 = 10 and 10 × 2 − 30 × 0 = 20.
    for (const [random, expected] of [[0.33, 'a'], [0.34, 'b']] as const) {
      const fresh = [`a ${random}`, `b ${random}`] as const;
      await specsOfWeights(namespace, { [fresh[0]]: 20, [fresh[1]]: 10 }, 2);
      const worker = await namespace.worker('worker');
      await claim(worker, { workSpecs: [fresh[0]] });
      setRandom(() => random);
      const attempt = await claim(worker, { workSpecs: [...fresh] });
      assert.equal(attempt.workUnit.workSpec.name.charAt(0), expected);
    }
  },

  'a work spec that has more than its share running is not chosen': async ({ namespace, setRandom }) => {
    await specsOfWeights(namespace, { a: 10, b: 10 }, 5);
    const worker = await namespace.worker('worker');
    await worker.requestAttempts({ workSpecs: ['a'], numberOfWorkUnits: 2 });
    // Scores: a 10 × 3 − 20 × 2 < 0, b 10 × 3.
    setRandom(() => 0);
    assert.equal(await claimSpec(worker), 'b');
    // Scores: a 10 × 4 − 20 × 2 = 0, b 10 × 4 − 20 = 20.
    assert.equal(await claimSpec(worker), 'b');
    // Scores: both 10.
    assert.equal(await claimSpec(worker), 'a');
  },

  'only work specs that can be served count in the weighing': async ({ namespace, setRandom }) => {
    await specsOfWeights(namespace, { a: 10, b: 10 }, 2);
    await specWith(namespace, ['x', 'y'], { name: 'A paused', weight: 1000 });
    const worker = await namespace.worker('worker');
    await claim(worker, { workSpecs: ['A paused'] });
    await (await namespace.workSpec('A paused')).setMeta({ paused: true });
    setRandom(() => 0.49);
    assert.equal(await claimSpec(worker), 'a');
    setRandom(() => 0);
    assert.equal(await claimSpec(worker), 'b', 'now a has its share running, and its score is 0');
  },

  'the random number is drawn once for each choice': async ({ namespace, setRandom }) => {
    await specsOfWeights(namespace, { a: 1, b: 1, c: 1 }, 3);
    let drawn = 0;
    setRandom(() => {
      drawn += 1;
      return 0.5;
    });
    const worker = await namespace.worker('worker');
    await worker.requestAttempts({ numberOfWorkUnits: 2 });
    assert.equal(drawn, 1);
    await worker.requestAttempts();
    assert.equal(drawn, 2);
  },

  'candidates are weighed in bytewise order of name': async ({ namespace, setRandom }) => {
    await specsOfWeights(namespace, { '😀': 1, '\uff5e': 1, a: 1, B: 1 }, 1);
    const worker = await namespace.worker('worker');
    setRandom(() => 0);
    const order: string[] = [];
    for (let request = 0; request < 4; request++) order.push(await claimSpec(worker));
    assert.deepEqual(order, ['B', 'a', '\uff5e', '😀']);
  },

  'running work is shared by weight': async ({ namespace }) => {
    await specsOfWeights(namespace, { a: 20, b: 10 }, 60);
    const worker = await namespace.worker('worker');
    const claimed: Record<string, number> = { a: 0, b: 0 };
    for (let request = 0; request < 60; request++) {
      const name = await claimSpec(worker);
      claimed[name] = (claimed[name] ?? 0) + 1;
    }
    const { a = 0, b = 0 } = claimed;
    assert.ok(Math.abs(a - 40) <= 1 && a + b === 60, `of 60 that run, ${a} are of the spec that should have 40`);
  },

  'choices are shared by weight when nothing else is running': async ({ namespace }) => {
    await specsOfWeights(namespace, { a: 30, b: 10 }, 1);
    const worker = await namespace.worker('worker');
    let ofA = 0;
    for (let request = 0; request < 200; request++) {
      const attempt = await claim(worker);
      if (attempt.workUnit.workSpec.name === 'a') ofA += 1;
      await attempt.retry();
    }
    // The deviation to be expected of 200 × 3/4 is 6.
    assert.ok(Math.abs(ofA - 150) <= 25, `of 200 choices, ${ofA} fell on the spec that should have 150`);
  },

  'maxRunning limits what is pending': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c', 'd', 'e', 'f'], { max_running: 2 });
    const worker = await namespace.worker('worker');
    const [a] = await worker.requestAttempts({ numberOfWorkUnits: 9 });
    assert.equal((await spec.meta({ counts: true })).pendingCount, 2);
    assert.deepEqual(await claimNames(worker), []);
    await a?.finish();
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['c']);
    assert.deepEqual(await claimNames(worker), []);
    clock.advance(leaseMs + 1);
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['b', 'c'], 'what has expired does not run');
  },

  'each way to end an attempt makes room under maxRunning': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a'], { max_running: 1 });
    const worker = await namespace.worker('worker');
    await (await claim(worker)).fail();
    await spec.addWorkUnits(['b', 'c'].map((name) => ({ name, data: {} })));
    await (await claim(worker)).retry();
    await (await claim(worker)).expire();
    const attempt = await claim(worker);
    await attempt.workUnit.clearActiveAttempt();
    assert.equal(attempt.workUnit.name, 'b');
    await claim(worker);
    await spec.deleteWorkUnits({ names: ['b'] });
    assert.deepEqual(await claimNames(worker), ['c']);
    assert.deepEqual(await claimNames(worker), []);
  },

  'forced attempts count against maxRunning': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c'], { max_running: 2 });
    const worker = await namespace.worker('worker');
    await worker.makeAttempt(await spec.workUnit('c'));
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['a']);
    await worker.makeAttempt(await spec.workUnit('b'));
    assert.deepEqual(await claimNames(worker), []);
  },

  'maxRunning can be raised, lowered and lifted': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c', 'd'], { max_running: 1 });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['a']);
    await spec.setMeta({ maxRunning: 2 });
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['b']);
    await spec.setMeta({ maxRunning: 1 });
    assert.deepEqual(await claimNames(worker), []);
    await spec.setMeta({ maxRunning: 0 });
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['c', 'd']);
  },
});
