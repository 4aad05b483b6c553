import assert from 'node:assert/strict';
import { assertActive, assertAttempts, assertAttemptStatus, assertUnitStatus } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, claimNames, heldUnit, leaseMs, minuteMs, namesOf, specWith } from './set-up.js';

export const addWorkUnitsCases = cases('Work spec', {
  'many units are added at once': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, []);
    const notBefore = new Date(clock.now().getTime() + minuteMs);
    const added = await spec.addWorkUnits([
      { name: 'b', data: { n: 1 } },
      { name: new Uint8Array([97]), data: { n: 2 }, meta: { priority: 3 } },
      { name: 'c', data: { n: 3 }, meta: { notBefore } },
    ]);
    assert.equal(added, 3);
    assert.deepEqual(namesOf(await spec.workUnits()), ['a', 'b', 'c']);
    assertSameData(await (await spec.workUnit('a')).meta(), { priority: 3, notBefore: null });
    assertSameData(await (await spec.workUnit('b')).data(), { n: 1 });
    await assertUnitStatus(await spec.workUnit('c'), 'delayed');
  },

  'adding no units is no error': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    assert.equal(await spec.addWorkUnits([]), 0);
  },

  'thousands of units are added in one call': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const units = Array.from({ length: 3000 }, (_, index) => ({ name: `unit ${index}`, data: { index } }));
    assert.equal(await spec.addWorkUnits(units), 3000);
    assertSameData(await spec.countWorkUnitStatus(), { available: 3000 });
    assertSameData(await (await spec.workUnit('unit 2999')).data(), { index: 2999 });
  },

  'of the same name twice in one batch the last wins': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const added = await spec.addWorkUnits([
      { name: 'a', data: { n: 1 }, meta: { priority: 9 } },
      { name: 'b', data: { n: 2 } },
      { name: new Uint8Array([97]), data: { n: 3 }, meta: { priority: 1 } },
      { name: 'b', data: { n: 4 } },
    ]);
    assert.equal(added, 2, 'it counts distinct names');
    const a = await spec.workUnit('a');
    assertSameData(await a.data(), { n: 3 });
    assert.equal(await a.priority(), 1);
    assertSameData(await (await spec.workUnit('b')).data(), { n: 4 });
  },

  'an available unit added again has its data and meta replaced': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, []);
    const notBefore = new Date(clock.now().getTime() + minuteMs);
    const unit = await spec.addWorkUnit('a', { old: 1 }, { priority: 5, notBefore });
    const again = await spec.addWorkUnit('a', { new: 2 });
    assertSameData(await unit.data(), { new: 2 });
    assertSameData(await again.meta(), { priority: 0, notBefore: null });
    await assertUnitStatus(unit, 'available');
    await spec.addWorkUnit('a', {}, { notBefore });
    await assertUnitStatus(unit, 'delayed');
    assert.deepEqual(await claimNames(await namespace.worker('worker')), []);
  },

  'a finished unit added again can run again': async ({ namespace }) => {
    const { spec, unit, attempt, worker } = await heldUnit(namespace);
    await attempt.finish({ from: 'finish' });
    await spec.addWorkUnit('unit', { from: 'second adding' });
    await assertUnitStatus(unit, 'available');
    assertSameData(await unit.data(), { from: 'second adding' });
    await assertAttemptStatus(attempt, 'finished');
    const second = await claim(worker);
    assertSameData(second.data, { from: 'second adding' });
    assertAttempts(await unit.attempts(), [attempt, second]);
  },

  'a failed unit added again can run again': async ({ namespace }) => {
    const { spec, unit, attempt, worker } = await heldUnit(namespace);
    await attempt.fail({ from: 'fail' });
    await spec.addWorkUnits([{ name: 'unit', data: {} }]);
    await assertUnitStatus(unit, 'available');
    await assertAttemptStatus(attempt, 'failed');
    assert.deepEqual(await claimNames(worker), ['unit']);
  },

  'a finished unit added again to run later is delayed': async ({ namespace, clock }) => {
    const { spec, unit, attempt } = await heldUnit(namespace);
    await attempt.finish();
    await spec.addWorkUnit('unit', {}, { notBefore: new Date(clock.now().getTime() + minuteMs) });
    await assertUnitStatus(unit, 'delayed');
  },

  'a pending unit added again goes on undisturbed': async ({ namespace, clock }) => {
    const { spec, unit, attempt, worker } = await heldUnit(namespace);
    await spec.addWorkUnit('unit', { from: 'second adding' }, { priority: 6 });
    await assertUnitStatus(unit, 'pending');
    await assertActive(unit, attempt);
    assertSameData(await unit.data(), { from: 'unit' }, 'the running attempt’s data show');
    assert.equal(await unit.priority(), 6);
    await attempt.renew(leaseMs);
    clock.advance(leaseMs + 1);
    assertSameData(await unit.data(), { from: 'second adding' });
    assertSameData((await claim(worker)).data, { from: 'second adding' });
  },

  'a pending unit added again can be finished as if nothing had happened': async ({ namespace, clock }) => {
    const { spec, unit, attempt } = await heldUnit(namespace);
    await spec.addWorkUnits([{ name: 'unit', data: {}, meta: { notBefore: new Date(clock.now().getTime() + minuteMs) } }]);
    await attempt.finish();
    await assertUnitStatus(unit, 'finished');
  },

  'a unit added again keeps its past attempts': async ({ namespace }) => {
    const { spec, unit, attempt } = await heldUnit(namespace);
    await attempt.retry();
    await spec.addWorkUnit('unit', {});
    assertAttempts(await unit.attempts(), [attempt]);
  },

  'adding units tells of the unit added': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const unit = await spec.addWorkUnit('a', { x: 1 }, { priority: 2 });
    assert.equal(unit.name, 'a');
    assert.equal(unit.workSpec.name, 'spec');
    assert.equal(await unit.priority(), 2);
  },
});
