import assert from 'node:assert/strict';
import type { Namespace } from '../../core/namespace/namespace.js';
import type { Reason } from '../../core/work-unit/explanation.js';
import type { WorkUnit } from '../../core/work-unit/work-unit.js';
import type { WorkUnitStatus } from '../../core/work-unit/work-unit-status.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, heldUnit, leaseMs, minuteMs, specWith } from './set-up.js';

/** Asserts the status and that these are all the reasons, in any order but for the first. */
async function assertExplained(unit: WorkUnit, status: WorkUnitStatus, reasons: readonly Reason[]): Promise<void> {
  const explanation = await unit.explain();
  assert.equal(explanation.status, status);
  const byKind = (a: Reason, b: Reason): number => a.kind.localeCompare(b.kind);
  assertSameData(explanation.reasons.toSorted(byKind), reasons.toSorted(byKind), 'reasons');
}

/** A worker that has just asked for work of any kind, so that no unit waits for want of one. */
async function workerAround(namespace: Namespace) {
  const worker = await namespace.worker('worker');
  await worker.requestAttempts();
  return worker;
}

export const explainCases = cases('Beyond the original', {
  'the unit that would be handed out next has nothing in its way': async ({ namespace }) => {
    await workerAround(namespace);
    const spec = await specWith(namespace, ['a', 'b']);
    await assertExplained(await spec.workUnit('a'), 'available', []);
  },

  'explain tells who holds a unit, and until when': async ({ namespace }) => {
    const { unit, attempt } = await heldUnit(namespace);
    const until = new Date(attempt.startTime.getTime() + leaseMs);
    await assertExplained(unit, 'pending', [{ kind: 'held', attempt: attempt.number, worker: 'worker', until }]);
  },

  'explain tells which attempt finished or failed a unit, and when': async ({ namespace, clock }) => {
    const { unit, attempt } = await heldUnit(namespace);
    clock.advance(minuteMs);
    await attempt.fail();
    const failed = clock.now();
    await assertExplained(unit, 'failed', [{ kind: 'failed', attempt: attempt.number, endTime: failed }]);
    clock.advance(minuteMs);
    await attempt.finish();
    const finished = clock.now();
    await assertExplained(unit, 'finished', [{ kind: 'finished', attempt: attempt.number, endTime: finished }]);
  },

  'explain tells until when a unit is delayed': async ({ namespace, clock }) => {
    await workerAround(namespace);
    const spec = await specWith(namespace, []);
    const until = new Date(clock.now().getTime() + minuteMs);
    const unit = await spec.addWorkUnit('a', {}, { notBefore: until });
    await assertExplained(unit, 'delayed', [{ kind: 'delayed', until }]);
    clock.advance(minuteMs);
    await assertExplained(unit, 'available', []);
  },

  'explain tells that a spec is paused, or weighs nothing': async ({ namespace }) => {
    await workerAround(namespace);
    const spec = await specWith(namespace, ['a'], { disabled: true });
    const unit = await spec.workUnit('a');
    await assertExplained(unit, 'available', [{ kind: 'paused' }]);
    await spec.setMeta({ paused: false, weight: -2 });
    await assertExplained(unit, 'available', [{ kind: 'weightless', weight: -2 }]);
    await spec.setMeta({ paused: true });
    await assertExplained(unit, 'available', [{ kind: 'paused' }, { kind: 'weightless', weight: -2 }]);
  },

  'explain tells that a limit is reached': async ({ namespace }) => {
    const worker = await workerAround(namespace);
    const spec = await specWith(namespace, ['a', 'b', 'c'], { max_running: 2 });
    await worker.requestAttempts({ numberOfWorkUnits: 2 });
    const unit = await spec.workUnit('c');
    await assertExplained(unit, 'available', [{ kind: 'limit-reached', maxRunning: 2, pending: 2 }]);
    await spec.setMeta({ maxRunning: 3 });
    await assertExplained(unit, 'available', []);
  },

  'explain tells which work spec comes first': async ({ namespace }) => {
    await workerAround(namespace);
    const spec = await specWith(namespace, ['a'], { priority: 1 });
    const unit = await spec.workUnit('a');
    await specWith(namespace, ['b'], { name: 'lower' });
    await specWith(namespace, ['b'], { name: 'equal', priority: 1 });
    await specWith(namespace, [], { name: 'higher but empty', priority: 7 });
    await assertExplained(unit, 'available', []);
    const higher = await specWith(namespace, ['c'], { name: 'higher', priority: 5 });
    await assertExplained(unit, 'available', [{ kind: 'outranked-by-spec', workSpec: 'higher', priority: 5 }]);
    await higher.setMeta({ paused: true });
    await assertExplained(unit, 'available', []);
  },

  'explain tells how many units come first': async ({ namespace, clock }) => {
    const worker = await workerAround(namespace);
    const spec = await specWith(namespace, ['a', 'b', 'c', 'd']);
    await spec.addWorkUnit('z', {}, { priority: 1 });
    await spec.addWorkUnit('A later', {}, { notBefore: new Date(clock.now().getTime() + minuteMs) });
    await spec.addWorkUnit('e', {});
    const unit = await spec.workUnit('d');
    await assertExplained(unit, 'available', [{ kind: 'outranked-by-units', ahead: 4, atLeast: false }]);
    await worker.requestAttempts({ numberOfWorkUnits: 3 });
    await assertExplained(unit, 'available', [{ kind: 'outranked-by-units', ahead: 1, atLeast: false }]);
    await worker.requestAttempts();
    await assertExplained(unit, 'available', []);
  },

  'explain tells that the next claim will fail the unit': async ({ namespace }) => {
    const worker = await workerAround(namespace);
    const spec = await specWith(namespace, ['a'], { max_retries: 1 });
    const attempt = await claim(worker);
    await attempt.retry();
    const unit = await spec.workUnit('a');
    await assertExplained(unit, 'available', [{ kind: 'retries-spent', attempts: 1, maxRetries: 1 }]);
  },

  'explain tells that nobody has asked for the runtime lately': async ({ namespace, clock }) => {
    const worker = await namespace.worker('worker');
    await worker.requestAttempts({ runtimes: ['python', ''] });
    const spec = await specWith(namespace, ['a'], { runtime: 'go' });
    const unit = await spec.workUnit('a');
    await assertExplained(unit, 'available', [{ kind: 'no-worker', runtime: 'go' }]);
    const python = await specWith(namespace, ['a'], { name: 'python', runtime: 'python' });
    await assertExplained(await python.workUnit('a'), 'available', []);
    // A request that none of the units can answer, so that they are still there to be explained.
    await worker.requestAttempts({ runtimes: ['go'], workSpecs: ['python'] });
    await assertExplained(unit, 'available', []);
    clock.advance(24 * 60 * minuteMs);
    await assertExplained(unit, 'available', [{ kind: 'no-worker', runtime: 'go' }]);
  },

  'explain says it in words': async ({ namespace }) => {
    const { spec, unit } = await heldUnit(namespace);
    assert.match((await unit.explain()).text, /worker/, 'it names who holds the unit');
    await spec.addWorkUnit('another', {});
    assert.notEqual((await (await spec.workUnit('another')).explain()).text, '');
  },
});
