import assert from 'node:assert/strict';
import type { Worker } from '../../core/worker/worker.js';
import { assertActive, assertAttempts, assertUnitStatus } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, claimNames, leaseMs, secondMs, specWith } from './set-up.js';

/** Uses up the retries of the unit that comes first, in a spec that allows one attempt. */
async function spendFirst(worker: Worker): Promise<void> {
  await (await claim(worker)).retry();
}

export const maxRetriesCases = cases('Scheduling', {
  'a unit that had maxRetries attempts fails instead of being handed out': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, [], { max_retries: 2 });
    await spec.addWorkUnit('a', { not: 'to be kept' });
    const worker = await namespace.worker('worker');
    const first = await claim(worker);
    await first.retry();
    const second = await claim(worker);
    await second.expire();
    clock.advance(secondMs);
    assert.deepEqual(await claimNames(worker), []);
    const unit = await spec.workUnit('a');
    await assertUnitStatus(unit, 'failed');
    assertSameData(await unit.data(), { traceback: 'too many retries' });
    const attempts = await unit.attempts();
    const last = attempts.at(-1);
    assert.ok(last !== undefined);
    assertAttempts(attempts, [first, second, last]);
    assert.ok(last.number > second.number);
    assert.equal(last.worker.name, 'worker');
    await assertActive(unit, last);
    const { status, data, startTime, endTime } = await last.read();
    assert.equal(status, 'failed');
    assertSameData(data, { traceback: 'too many retries' });
    assert.deepEqual([startTime, endTime], [clock.now(), clock.now()]);
    assert.deepEqual(await worker.activeAttempts(), []);
    assertAttempts(await worker.allAttempts(), attempts);
  },

  'attempts count whatever became of them': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a'], { max_retries: 4 });
    const worker = await namespace.worker('worker');
    const unit = await spec.workUnit('a');
    await claim(worker);
    clock.advance(leaseMs + 1);
    await (await claim(worker)).finish();
    await unit.clearActiveAttempt();
    await (await worker.makeAttempt(unit)).fail();
    await spec.addWorkUnit('a', {});
    await (await claim(worker)).retry();
    assert.deepEqual(await claimNames(worker), []);
    await assertUnitStatus(unit, 'failed');
    assert.equal(await unit.numAttempts(), 5);
  },

  'without maxRetries a unit may be tried for ever': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a']);
    const worker = await namespace.worker('worker');
    for (let attempt = 0; attempt < 12; attempt++) await spendFirst(worker);
    await assertUnitStatus(await spec.workUnit('a'), 'available');
  },

  'when a batch has nothing left the next batch is tried': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b'], { max_retries: 1 });
    const worker = await namespace.worker('worker');
    await spendFirst(worker);
    assert.deepEqual(await claimNames(worker), ['b']);
    await assertUnitStatus(await spec.workUnit('a'), 'failed');
  },

  'batch after batch is tried': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c', 'd', 'e'], { max_retries: 1 });
    const worker = await namespace.worker('worker');
    for (const attempt of await worker.requestAttempts({ numberOfWorkUnits: 4 })) await attempt.retry();
    assert.deepEqual(await claimNames(worker), ['e']);
    assertSameData(await spec.countWorkUnitStatus(), { failed: 4, pending: 1 });
  },

  'when a batch has some left just those are returned': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c'], { max_retries: 1 });
    const worker = await namespace.worker('worker');
    await spendFirst(worker);
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 2 }), ['b']);
    assertSameData(await spec.countWorkUnitStatus(), { available: 1, failed: 1, pending: 1 });
  },

  'a spec whose units have all spent their retries leaves its turn to another': async ({ namespace }) => {
    const high = await specWith(namespace, ['a', 'b'], { name: 'high', priority: 1, max_retries: 1 });
    await specWith(namespace, ['c'], { name: 'low' });
    const worker = await namespace.worker('worker');
    for (const attempt of await worker.requestAttempts({ numberOfWorkUnits: 2 })) await attempt.retry();
    assert.deepEqual(await claimNames(worker), ['c']);
    assertSameData(await high.countWorkUnitStatus(), { failed: 2 });
  },

  'units that failed for too many retries do not count as running': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b', 'c'], { max_retries: 1, max_running: 1 });
    const worker = await namespace.worker('worker');
    await spendFirst(worker);
    const attempt = await claim(worker, { numberOfWorkUnits: 9 });
    assert.equal(attempt.workUnit.name, 'b');
    assert.deepEqual(await claimNames(worker), []);
    await attempt.finish();
    assert.deepEqual(await claimNames(worker), ['c']);
  },

  'a unit that failed for too many retries fails again when it is added again': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a'], { max_retries: 1 });
    const worker = await namespace.worker('worker');
    await spendFirst(worker);
    await spec.addWorkUnit('a', { again: true });
    assert.deepEqual(await claimNames(worker), []);
    await assertUnitStatus(await spec.workUnit('a'), 'failed');
    await spec.setMeta({ maxRetries: 9 });
    await spec.addWorkUnit('a', { again: true });
    assertSameData((await claim(worker)).data, { again: true });
  },

  'a lowered maxRetries counts the attempts made before': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a']);
    const worker = await namespace.worker('worker');
    await spendFirst(worker);
    await spec.setMeta({ maxRetries: 1 });
    assert.deepEqual(await claimNames(worker), []);
    await assertUnitStatus(await spec.workUnit('a'), 'failed');
  },
});
