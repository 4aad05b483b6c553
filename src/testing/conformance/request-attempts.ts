import assert from 'node:assert/strict';
import { assertAttempts, assertUnitStatus } from './assertions.js';
import { cases } from './conformance-case.js';
import { claim, claimNames, leaseMs, minuteMs, namesOf, specWith } from './set-up.js';

export const requestAttemptsCases = cases('Scheduling', {
  'a request is answered with nothing when there is nothing to do': async ({ namespace }) => {
    const worker = await namespace.worker('worker');
    assert.deepEqual(await worker.requestAttempts(), []);
    await namespace.setWorkSpec({ name: 'spec' });
    assert.deepEqual(await worker.requestAttempts(), []);
  },

  'a request is for one unit unless more are asked for': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b', 'c', 'd', 'e', 'f']);
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker), ['a']);
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 2 }), ['b', 'c']);
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 99 }), ['d', 'e', 'f']);
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 99 }), []);
  },

  'a request for less than one unit is for one': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b', 'c', 'd']);
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 0 }), ['a']);
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: -5 }), ['b']);
  },

  'a lease holds for 15 minutes, or as long as the request says': async ({ namespace, clock }) => {
    await specWith(namespace, ['a', 'b', 'c']);
    const worker = await namespace.worker('worker');
    const byDefault = await claim(worker);
    assert.deepEqual((await byDefault.read()).expirationTime, new Date(clock.now().getTime() + leaseMs));
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 2, lifetimeMs: minuteMs });
    for (const attempt of attempts) {
      assert.deepEqual((await attempt.read()).expirationTime, new Date(clock.now().getTime() + minuteMs));
    }
    clock.advance(minuteMs + 1);
    assertAttempts(await worker.activeAttempts(), [byDefault]);
  },

  'a unit is handed out once': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a']);
    const attempt = await claim(await namespace.worker('one'));
    assert.deepEqual(await (await namespace.worker('two')).requestAttempts(), []);
    assertAttempts(await (await spec.workUnit('a')).attempts(), [attempt]);
  },

  'all attempts of a request are of one work spec': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b'], { name: 'one' });
    await specWith(namespace, ['a', 'b'], { name: 'two' });
    const worker = await namespace.worker('worker');
    for (let request = 0; request < 2; request++) {
      const attempts = await worker.requestAttempts({ numberOfWorkUnits: 9 });
      assert.equal(attempts.length, 2);
      assert.equal(new Set(attempts.map(({ workUnit }) => workUnit.workSpec.name)).size, 1);
    }
    assert.deepEqual(await worker.requestAttempts(), []);
  },

  'units of higher priority come first, then the bytewise smallest name': async ({ namespace }) => {
    const spec = await specWith(namespace, ['b', 'a', 'Z']);
    await spec.addWorkUnit('low', {}, { priority: -0.5 });
    await spec.addWorkUnit('high', {}, { priority: 1.5 });
    await spec.addWorkUnit('higher', {}, { priority: 1.75 });
    await spec.addWorkUnit('also high', {}, { priority: 1.5 });
    const worker = await namespace.worker('worker');
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 6 });
    assert.deepEqual(attempts.map(({ workUnit }) => workUnit.name), ['higher', 'also high', 'high', 'Z', 'a', 'b']);
    assertAttempts(attempts, attempts.toSorted((a, b) => a.number - b.number));
    assert.deepEqual(await claimNames(worker), ['low']);
  },

  'a unit given back is next again by its priority and name': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b', 'c']);
    const worker = await namespace.worker('worker');
    await (await claim(worker)).expire();
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 2 }), ['a', 'b']);
  },

  'delayed units are not handed out, however important': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a']);
    await spec.addWorkUnit('later', {}, { priority: 9, notBefore: new Date(clock.now().getTime() + minuteMs) });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['a']);
    clock.advance(minuteMs);
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['later']);
  },

  'a request may name work specs': async ({ namespace }) => {
    for (const name of ['one', 'two', 'three']) await specWith(namespace, [name], { name });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { workSpecs: ['missing'] }), []);
    assert.deepEqual(await claimNames(worker, { workSpecs: ['two'] }), ['two']);
    assert.deepEqual(await claimNames(worker, { workSpecs: ['two'] }), []);
    assert.deepEqual(await claimNames(worker, { workSpecs: ['three', 'two', 'missing'] }), ['three']);
    assert.deepEqual(await claimNames(worker), ['one']);
  },

  'a request may name runtimes, which must match exactly': async ({ namespace }) => {
    await specWith(namespace, ['none'], { name: 'none' });
    await specWith(namespace, ['go'], { name: 'go', runtime: 'go' });
    await specWith(namespace, ['python'], { name: 'python', runtime: 'python' });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { runtimes: ['py', 'Go', 'python '] }), []);
    assert.deepEqual(await claimNames(worker, { runtimes: ['go', 'rust'] }), ['go']);
    assert.deepEqual(await claimNames(worker, { runtimes: ['go', 'rust'] }), []);
    assert.deepEqual(await claimNames(worker, { runtimes: ['', 'go'] }), ['none']);
    assert.deepEqual(await claimNames(worker), ['python'], 'a request without runtimes takes any');
  },

  'the empty runtime matches only the empty runtime': async ({ namespace }) => {
    await specWith(namespace, ['go'], { name: 'go', runtime: 'go' });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { runtimes: [''] }), []);
    await specWith(namespace, ['none'], { name: 'none' });
    assert.deepEqual(await claimNames(worker, { runtimes: ['go'] }), ['go']);
    assert.deepEqual(await claimNames(worker, { runtimes: ['go'] }), []);
    assert.deepEqual(await claimNames(worker, { runtimes: [''] }), ['none']);
  },

  'an empty list of work specs or runtimes lets nothing in': async ({ namespace }) => {
    await specWith(namespace, ['a']);
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { workSpecs: [] }), []);
    assert.deepEqual(await claimNames(worker, { runtimes: [] }), []);
  },

  'a work spec that needs more memory than the worker has is left out': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b', 'c'], { min_gb: 2.5 });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { availableGb: 2.4 }), []);
    assert.deepEqual(await claimNames(worker, { availableGb: 0 }), []);
    assert.deepEqual(await claimNames(worker, { availableGb: 2.5 }), ['a']);
    assert.deepEqual(await claimNames(worker, { availableGb: 64 }), ['b']);
    assert.deepEqual(await claimNames(worker), ['c'], 'a worker that does not say may have any');
  },

  'all conditions of a request must hold': async ({ namespace }) => {
    await specWith(namespace, ['a'], { name: 'one', runtime: 'go', min_gb: 2 });
    await specWith(namespace, ['b'], { name: 'two', runtime: 'go' });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { workSpecs: ['one'], runtimes: ['go'], availableGb: 1 }), []);
    assert.deepEqual(await claimNames(worker, { workSpecs: ['one'], runtimes: [''], availableGb: 3 }), []);
    assert.deepEqual(await claimNames(worker, { workSpecs: ['one', 'two'], runtimes: ['go'], availableGb: 1 }), ['b']);
    assert.deepEqual(await claimNames(worker, { workSpecs: ['one'], runtimes: ['go'], availableGb: 3 }), ['a']);
  },

  'a paused work spec hands out nothing until it goes on': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b'], { disabled: true });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker), []);
    await spec.setMeta({ paused: false });
    const attempt = await claim(worker);
    await spec.setMeta({ paused: true });
    assert.deepEqual(await claimNames(worker), []);
    await attempt.finish();
    await assertUnitStatus(attempt.workUnit, 'finished');
  },

  'a request returns no more than maxAttemptsReturned': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c', 'd', 'e'], { max_getwork: 2 });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['a', 'b']);
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 1 }), ['c']);
    await spec.setMeta({ maxAttemptsReturned: 0 });
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['d', 'e']);
  },

  'requests come from deactivated workers too': async ({ namespace }) => {
    await specWith(namespace, ['a']);
    const worker = await namespace.worker('worker');
    await worker.deactivate();
    assert.deepEqual(await claimNames(worker), ['a']);
  },

  'workers asking for different things are served side by side': async ({ namespace }) => {
    await specWith(namespace, ['a'], { name: 'one' });
    await specWith(namespace, ['b'], { name: 'two' });
    const [one, two] = [await namespace.worker('one'), await namespace.worker('two')];
    const names = await Promise.all([claimNames(one, { workSpecs: ['one'] }), claimNames(two, { workSpecs: ['two'] })]);
    assert.deepEqual(names, [['a'], ['b']]);
    assert.deepEqual(namesOf((await one.activeAttempts()).map(({ workUnit }) => workUnit)), ['a']);
  },
});
