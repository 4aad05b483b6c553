import assert from 'node:assert/strict';
import { assertActive, assertAttempts, assertAttemptStatus, assertUnitStatus, raises, raisesGone } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, claimNames, heldUnit, minuteMs, specWith } from './set-up.js';

export const workUnitCases = [
  ...cases('Status', {
    'a new unit is available': async ({ namespace }) => {
      const spec = await specWith(namespace, []);
      const unit = await spec.addWorkUnit('a', { x: 1 });
      await assertUnitStatus(unit, 'available');
      await assertActive(unit, null);
      assert.deepEqual(await unit.attempts(), []);
      assert.equal(await unit.numAttempts(), 0);
      assertSameData(await unit.data(), { x: 1 });
      assertSameData(await unit.meta(), { priority: 0, notBefore: null });
    },

    'a unit is delayed until its notBefore, and no longer': async ({ namespace, clock }) => {
      const spec = await specWith(namespace, []);
      const notBefore = new Date(clock.now().getTime() + minuteMs);
      const unit = await spec.addWorkUnit('a', {}, { notBefore });
      const worker = await namespace.worker('worker');
      assert.deepEqual((await unit.meta()).notBefore, notBefore);
      clock.advance(minuteMs - 1);
      await assertUnitStatus(unit, 'delayed');
      assert.deepEqual(await claimNames(worker), []);
      clock.advance(1);
      await assertUnitStatus(unit, 'available');
      assert.deepEqual(await claimNames(worker), ['a']);
    },

    'a unit goes from available to pending to finished': async ({ namespace }) => {
      const { unit, attempt } = await heldUnit(namespace);
      await assertUnitStatus(unit, 'pending');
      await assertActive(unit, attempt);
      await attempt.finish();
      await assertUnitStatus(unit, 'finished');
      await assertActive(unit, attempt);
    },

    'a unit whose attempt failed is failed': async ({ namespace }) => {
      const { unit, attempt } = await heldUnit(namespace);
      await attempt.fail();
      await assertUnitStatus(unit, 'failed');
      await assertActive(unit, attempt);
    },

    'a unit that has an active attempt is not delayed, whatever its notBefore': async ({ namespace, clock }) => {
      const { unit, attempt } = await heldUnit(namespace);
      await unit.setMeta({ notBefore: new Date(clock.now().getTime() + minuteMs) });
      await assertUnitStatus(unit, 'pending');
      await attempt.finish();
      await assertUnitStatus(unit, 'finished');
      await unit.clearActiveAttempt();
      await assertUnitStatus(unit, 'delayed');
    },

    'while a unit has an active attempt its data are that attempt’s': async ({ namespace }) => {
      const { unit, attempt } = await heldUnit(namespace);
      assertSameData(await unit.data(), { from: 'unit' });
      await attempt.renew(minuteMs, { from: 'attempt' });
      assertSameData(await unit.data(), { from: 'attempt' });
      await attempt.finish({ from: 'finish' });
      assertSameData(await unit.data(), { from: 'finish' });
      assertSameData(await unit.ownData(), { from: 'unit' });
      await unit.clearActiveAttempt();
      assertSameData(await unit.data(), { from: 'unit' });
    },

    'data of an attempt do not outlive its retry': async ({ namespace }) => {
      const { unit, attempt, worker } = await heldUnit(namespace);
      await attempt.retry({ from: 'retry' });
      assertSameData(await unit.data(), { from: 'unit' });
      assertSameData((await claim(worker)).data, { from: 'unit' });
    },

    'finished and failed units are not handed out': async ({ namespace }) => {
      await specWith(namespace, ['a', 'b']);
      const worker = await namespace.worker('worker');
      const [a, b] = await worker.requestAttempts({ numberOfWorkUnits: 2 });
      await a?.finish();
      await b?.fail();
      assert.deepEqual(await claimNames(worker), []);
    },
  }),

  ...cases('Work unit', {
    'a unit that does not exist is an error that names it': async ({ namespace }) => {
      const spec = await specWith(namespace, ['a']);
      const error = await raises('NoSuchWorkUnit', () => spec.workUnit('missing'));
      assert.equal(error.details.name, 'missing');
      await raises('NoSuchWorkUnit', () => spec.workUnit('A'));
    },

    'a unit knows its name and its work spec': async ({ namespace }) => {
      const spec = await specWith(namespace, ['a']);
      const unit = await spec.workUnit('a');
      assert.equal(unit.name, 'a');
      assert.equal(Buffer.from(unit.key).toString(), 'a');
      assert.equal(unit.workSpec.name, 'spec');
      assert.equal(unit.workSpec.namespace.name, namespace.name);
    },

    'units of the same name in two work specs are two units': async ({ namespace }) => {
      const one = await specWith(namespace, ['a'], { name: 'one' });
      const two = await specWith(namespace, ['a'], { name: 'two' });
      await (await claim(await namespace.worker('worker'), { workSpecs: ['one'] })).finish();
      await assertUnitStatus(await one.workUnit('a'), 'finished');
      await assertUnitStatus(await two.workUnit('a'), 'available');
    },

    'setMeta replaces both fields; what is left out counts as 0 and none': async ({ namespace, clock }) => {
      const spec = await specWith(namespace, ['a']);
      const unit = await spec.workUnit('a');
      const notBefore = new Date(clock.now().getTime() + minuteMs);
      await unit.setMeta({ priority: 2.5, notBefore });
      assertSameData(await unit.meta(), { priority: 2.5, notBefore });
      await unit.setMeta({ notBefore });
      assertSameData(await unit.meta(), { priority: 0, notBefore });
      await unit.setMeta({ priority: -1 });
      assertSameData(await unit.meta(), { priority: -1, notBefore: null });
      await unit.setMeta({});
      assertSameData(await unit.meta(), { priority: 0, notBefore: null });
    },

    'setMeta delays a unit and makes it available again': async ({ namespace, clock }) => {
      const spec = await specWith(namespace, ['a']);
      const unit = await spec.workUnit('a');
      const worker = await namespace.worker('worker');
      await unit.setMeta({ notBefore: new Date(clock.now().getTime() + minuteMs) });
      await assertUnitStatus(unit, 'delayed');
      assert.deepEqual(await claimNames(worker), []);
      await unit.setMeta({});
      await assertUnitStatus(unit, 'available');
      assert.deepEqual(await claimNames(worker), ['a']);
    },

    'setMeta leaves a running attempt undisturbed': async ({ namespace, clock }) => {
      const { unit, attempt } = await heldUnit(namespace);
      await unit.setMeta({ priority: 4, notBefore: new Date(clock.now().getTime() + minuteMs) });
      await assertActive(unit, attempt);
      await attempt.renew();
      await attempt.finish();
      await assertUnitStatus(unit, 'finished');
    },

    'setPriority changes the priority alone': async ({ namespace, clock }) => {
      const spec = await specWith(namespace, ['a']);
      const unit = await spec.workUnit('a');
      const notBefore = new Date(clock.now().getTime() + minuteMs);
      await unit.setMeta({ priority: 1, notBefore });
      await unit.setPriority(-7.25);
      assert.equal(await unit.priority(), -7.25);
      assertSameData(await unit.meta(), { priority: -7.25, notBefore });
    },

    'a priority may be any finite number': async ({ namespace }) => {
      const spec = await specWith(namespace, ['a']);
      const unit = await spec.workUnit('a');
      for (const priority of [1e300, -1e300, 0.1, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, 0]) {
        await unit.setPriority(priority);
        assert.equal(await unit.priority(), priority);
      }
    },

    'clearActiveAttempt makes a finished unit available again': async ({ namespace }) => {
      const { unit, attempt, worker } = await heldUnit(namespace);
      await attempt.finish();
      await unit.clearActiveAttempt();
      await assertUnitStatus(unit, 'available');
      await assertActive(unit, null);
      await assertAttemptStatus(attempt, 'finished');
      assertAttempts(await unit.attempts(), [attempt]);
      assert.deepEqual(await claimNames(worker), ['unit']);
    },

    'clearActiveAttempt makes a failed unit available again': async ({ namespace }) => {
      const { unit, attempt } = await heldUnit(namespace);
      await attempt.fail();
      await unit.clearActiveAttempt();
      await assertUnitStatus(unit, 'available');
      await assertAttemptStatus(attempt, 'failed');
    },

    'clearActiveAttempt leaves a pending attempt on its worker’s list': async ({ namespace }) => {
      const { unit, attempt, worker } = await heldUnit(namespace);
      await unit.clearActiveAttempt();
      await assertUnitStatus(unit, 'available');
      await assertAttemptStatus(attempt, 'pending');
      assertAttempts(await worker.activeAttempts(), [attempt]);
      const successor = await claim(await namespace.worker('other'));
      await assertActive(unit, successor);
      await assertAttemptStatus(attempt, 'pending');
    },

    'clearActiveAttempt of a unit without one changes nothing': async ({ namespace, clock }) => {
      const spec = await specWith(namespace, ['a']);
      const unit = await spec.workUnit('a');
      await unit.clearActiveAttempt();
      await assertUnitStatus(unit, 'available');
      await unit.setMeta({ notBefore: new Date(clock.now().getTime() + minuteMs) });
      await unit.clearActiveAttempt();
      await assertUnitStatus(unit, 'delayed');
    },

    'a unit remembers every attempt, oldest first': async ({ namespace }) => {
      const { unit, attempt, worker } = await heldUnit(namespace);
      await attempt.retry();
      const second = await claim(worker);
      await second.expire();
      const third = await (await namespace.worker('other')).makeAttempt(unit);
      const fourth = await worker.makeAttempt(unit);
      assertAttempts(await unit.attempts(), [attempt, second, third, fourth]);
      assert.equal(await unit.numAttempts(), 4);
      const workers = (await unit.attempts()).map((each) => each.worker.name);
      assert.deepEqual(workers, ['worker', 'worker', 'other', 'worker']);
    },

    'a deleted unit is gone': async (context) => {
      const { spec, unit, attempt } = await heldUnit(context.namespace);
      assert.equal(await spec.deleteWorkUnits({ names: ['unit'] }), 1);
      await raises('NoSuchWorkUnit', () => spec.workUnit('unit'));
      const actions: (() => Promise<unknown>)[] = [
        () => unit.data(),
        () => unit.ownData(),
        () => unit.status(),
        () => unit.meta(),
        () => unit.setMeta({}),
        () => unit.priority(),
        () => unit.setPriority(1),
        () => unit.activeAttempt(),
        () => unit.clearActiveAttempt(),
        () => unit.attempts(),
        () => unit.numAttempts(),
        () => unit.explain(),
        () => attempt.read(),
        () => attempt.renew(),
        () => attempt.expire(),
        () => attempt.finish(),
        () => attempt.fail(),
        () => attempt.retry(),
      ];
      for (const action of actions) await raisesGone(context, action);
      const worker = await context.namespace.worker('worker');
      await raisesGone(context, () => worker.makeAttempt(unit));
      assert.deepEqual(await worker.allAttempts(), []);
    },

    'a unit made anew does not bring back the old one': async (context) => {
      const { spec, unit, attempt } = await heldUnit(context.namespace);
      await spec.deleteWorkUnits();
      const again = await spec.addWorkUnit('unit', {});
      assert.equal(await again.numAttempts(), 0);
      await raisesGone(context, () => attempt.finish());
      await raisesGone(context, () => attempt.read());
      await assertUnitStatus(again, 'available');
      if (!context.overTheWire) await raisesGone(context, () => unit.status());
    },
  }),
];
