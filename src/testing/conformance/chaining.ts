import assert from 'node:assert/strict';
import type { DataDictionary } from '../../codec/index.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import { assertAttemptStatus, assertUnitStatus, raises } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, claimNames, heldUnit, leaseMs, namesOf, specWith } from './set-up.js';

/** A unit held in a spec that leads to the spec `next`. */
async function chain(namespace: Namespace) {
  const next = await namespace.setWorkSpec({ name: 'next' });
  return { next, ...(await heldUnit(namespace, { then: 'next' })) };
}

export const chainingCases = cases('Chaining', {
  'output of a finished attempt becomes units of the next work spec': async ({ namespace }) => {
    const { next, attempt } = await chain(namespace);
    await attempt.finish({ output: { a: { x: 1 } }, other: true });
    const unit = await next.workUnit('a');
    await assertUnitStatus(unit, 'available');
    assertSameData(await unit.data(), { x: 1 });
    assertSameData(await unit.meta(), { priority: 0, notBefore: null });
    assert.equal(await unit.numAttempts(), 0);
    const successor = await claim(await namespace.worker('worker'));
    assert.equal(successor.workUnit.workSpec.name, 'next');
  },

  'data given to finish come first': async ({ namespace }) => {
    const { next, attempt } = await chain(namespace);
    await attempt.renew(leaseMs, { output: ['of renew'] });
    await attempt.finish({ output: ['of finish'] });
    assert.deepEqual(namesOf(await next.workUnits()), ['of finish']);
  },

  'data given to finish replace all others, output or not': async ({ namespace }) => {
    const { next, attempt } = await chain(namespace);
    await attempt.renew(leaseMs, { output: ['of renew'] });
    await attempt.finish({ result: 1 });
    assert.deepEqual(await next.workUnits(), []);
  },

  'without data given to finish the attempt’s own count': async ({ namespace }) => {
    const { next, attempt } = await chain(namespace);
    await attempt.renew(leaseMs, { output: ['of renew'] });
    await attempt.finish();
    assert.deepEqual(namesOf(await next.workUnits()), ['of renew']);
  },

  'without data of its own the attempt has the unit’s': async ({ namespace }) => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    const spec = await specWith(namespace, [], { then: 'next' });
    await spec.addWorkUnit('unit', { output: ['of unit'] });
    await (await claim(await namespace.worker('worker'))).finish();
    assert.deepEqual(namesOf(await next.workUnits()), ['of unit']);
  },

  'a failed attempt that is finished generates its output': async ({ namespace }) => {
    const { next, attempt } = await chain(namespace);
    await attempt.fail({ output: ['of failure'] });
    assert.deepEqual(await next.workUnits(), []);
    await attempt.finish({ output: ['in the end'] });
    assert.deepEqual(namesOf(await next.workUnits()), ['in the end']);
  },

  'a late finish generates its output': async ({ namespace, clock }) => {
    const { next, attempt } = await chain(namespace);
    clock.advance(leaseMs + 1);
    await attempt.finish({ output: ['late'] });
    assert.deepEqual(namesOf(await next.workUnits()), ['late']);
  },

  'no end but finish generates output': async ({ namespace }) => {
    const { next, attempt, worker } = await chain(namespace);
    const data: DataDictionary = { output: ['x'] };
    await attempt.renew(leaseMs, data);
    await attempt.retry(data);
    await (await claim(worker)).expire(data);
    await (await claim(worker)).fail(data);
    assert.deepEqual(await next.workUnits(), []);
  },

  'output is generated once': async ({ namespace }) => {
    const { next, attempt } = await chain(namespace);
    await attempt.finish({ output: ['x'] });
    await next.deleteWorkUnits();
    await raises('NotPending', () => attempt.finish({ output: ['x'] }));
    assert.deepEqual(await next.workUnits(), []);
  },

  'a next work spec that is missing is no error': async ({ namespace }) => {
    const { attempt, unit } = await heldUnit(namespace, { then: 'missing' });
    await attempt.finish({ output: ['x'] });
    await assertUnitStatus(unit, 'finished');
    assert.deepEqual(await namespace.workSpecNames(), ['spec']);
    const next = await namespace.setWorkSpec({ name: 'missing' });
    assert.deepEqual(await next.workUnits(), [], 'output is not kept for later');
  },

  'a spec without a next one keeps its output to itself': async ({ namespace }) => {
    const { attempt, unit, spec } = await heldUnit(namespace);
    await attempt.finish({ output: ['x'] });
    assertSameData(await unit.data(), { output: ['x'] });
    assert.deepEqual(namesOf(await spec.workUnits()), ['unit']);
  },

  'the next work spec is looked for in the same namespace': async ({ coordinate, namespace }) => {
    const other = await coordinate.namespace(`${namespace.name} too`);
    try {
      const elsewhere = await other.setWorkSpec({ name: 'next' });
      const { attempt } = await heldUnit(namespace, { then: 'next' });
      await attempt.finish({ output: ['x'] });
      assert.deepEqual(await elsewhere.workUnits(), []);
    } finally {
      await other.destroy();
    }
  },

  'a redefinition decides where output goes': async ({ namespace }) => {
    const elsewhere = await namespace.setWorkSpec({ name: 'elsewhere' });
    const { next, spec, attempt } = await chain(namespace);
    await spec.setMeta({ nextWorkSpecName: 'nowhere' });
    await spec.setData({ name: 'spec', then: 'elsewhere' });
    await attempt.finish({ output: ['x'] });
    assert.deepEqual(await next.workUnits(), []);
    assert.deepEqual(namesOf(await elsewhere.workUnits()), ['x']);
  },

  'a finished unit of the next spec runs again when it comes again': async ({ namespace }) => {
    const { next, attempt, worker } = await chain(namespace);
    const unit = await next.addWorkUnit('x', { old: true }, { priority: 5 });
    await (await claim(worker)).finish();
    await attempt.finish({ output: { x: { new: true } } });
    await assertUnitStatus(unit, 'available');
    assertSameData(await unit.data(), { new: true });
    assert.equal(await unit.priority(), 0);
    assert.equal(await unit.numAttempts(), 1);
  },

  'a pending unit of the next spec goes on undisturbed when it comes again': async ({ namespace }) => {
    const { next, attempt, worker } = await chain(namespace);
    const unit = await next.addWorkUnit('x', { old: true });
    const running = await claim(worker);
    await attempt.finish({ output: { x: { new: true } } });
    await assertAttemptStatus(running, 'pending');
    assertSameData(await unit.data(), { old: true });
    await running.retry();
    assertSameData(await unit.data(), { new: true });
  },

  'a spec may lead to itself': async ({ namespace }) => {
    const { spec, attempt, unit, worker } = await heldUnit(namespace, { then: 'spec' });
    await attempt.finish({ output: { unit: { round: 2 }, another: {} } });
    await assertAttemptStatus(attempt, 'finished');
    await assertUnitStatus(unit, 'available');
    assertSameData(await unit.data(), { round: 2 });
    assert.deepEqual(namesOf(await spec.workUnits()), ['another', 'unit']);
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['another', 'unit']);
  },

  'work passes through a chain of specs': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b'], { name: 'first', then: 'second', priority: 3 });
    await specWith(namespace, [], { name: 'second', then: 'third', priority: 2 });
    const third = await specWith(namespace, [], { name: 'third', priority: 1 });
    const worker = await namespace.worker('worker');
    for (let step = 0; step < 6; step++) {
      const attempt = await claim(worker);
      await attempt.finish({ output: [`${attempt.workUnit.name}'`] });
    }
    assert.deepEqual(namesOf(await third.workUnits({ statuses: ['finished'] })), ["a''", "b''"]);
    assert.deepEqual(await worker.requestAttempts(), []);
  },
});
