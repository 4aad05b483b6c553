import assert from 'node:assert/strict';
import { assertActive, assertAttemptStatus, assertUnitStatus, raises, raisesInvalid } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, heldUnit, leaseMs, minuteMs, secondMs, specWith, supersededAttempt } from './set-up.js';

const cancelled = (message: string): object => ({ name: 'CancelledError', code: 'Cancelled', message });

export const cancelCases = cases('Beyond the original', {
  'cancelling fails the running attempt, and keeps its data beside the reason': async ({ namespace, clock }) => {
    const { attempt, unit, worker } = await heldUnit(namespace);
    await attempt.renew(leaseMs, { from: 'renew' });
    clock.advance(secondMs);
    assert.equal(await unit.cancel('no longer wanted'), true);
    const { status, data, endTime } = await attempt.read();
    assert.equal(status, 'failed');
    assertSameData(data, { from: 'renew', error: cancelled('no longer wanted') });
    assert.deepEqual(endTime, clock.now());
    await assertUnitStatus(unit, 'failed');
    await assertActive(unit, attempt);
    assert.deepEqual(await worker.activeAttempts(), []);
  },

  'cancelling without a reason gives an empty one': async ({ namespace }) => {
    const { unit } = await heldUnit(namespace);
    assert.equal(await unit.cancel(), true);
    assertSameData(await unit.data(), { from: 'unit', error: cancelled('') });
  },

  'cancelling replaces an error that the data have': async ({ namespace }) => {
    const { attempt, unit } = await heldUnit(namespace);
    await attempt.renew(leaseMs, { error: 'an older one' });
    await unit.cancel('now');
    assertSameData(await unit.data(), { error: cancelled('now') });
  },

  'cancelling a unit that is not running does nothing': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const available = await spec.addWorkUnit('available', {});
    const delayed = await spec.addWorkUnit('delayed', {}, { notBefore: new Date('9000-01-01') });
    for (const unit of [available, delayed]) assert.equal(await unit.cancel('too early'), false);
    await assertUnitStatus(available, 'available');
    await assertUnitStatus(delayed, 'delayed');
    assertSameData(await available.data(), {});
  },

  'cancelling a unit that has ended does nothing': async ({ namespace }) => {
    const { attempt, unit } = await heldUnit(namespace);
    await attempt.finish({ result: 1 });
    assert.equal(await unit.cancel('too late'), false);
    await assertAttemptStatus(attempt, 'finished');
    assertSameData(await unit.data(), { result: 1 });
  },

  'cancelling twice is cancelling once': async ({ namespace }) => {
    const { unit } = await heldUnit(namespace);
    assert.equal(await unit.cancel('first'), true);
    assert.equal(await unit.cancel('second'), false);
    assertSameData(await unit.data(), { from: 'unit', error: cancelled('first') });
  },

  'cancelling a unit whose lease has run out does nothing: it is available': async ({ namespace, clock }) => {
    const { attempt, unit } = await heldUnit(namespace);
    clock.advance(leaseMs + 1);
    assert.equal(await unit.cancel('too late'), false);
    await assertAttemptStatus(attempt, 'expired');
    await assertUnitStatus(unit, 'available');
  },

  'the worker of a cancelled attempt is refused: renewing, failing, retrying': async ({ namespace }) => {
    const { attempt, unit } = await heldUnit(namespace);
    await unit.cancel('no longer wanted');
    await raises('NotPending', () => attempt.renew());
    await raises('NotPending', () => attempt.fail());
    await raises('NotPending', () => attempt.retry({}, minuteMs));
    assertSameData(await unit.data(), { from: 'unit', error: cancelled('no longer wanted') });
  },

  'a cancelled attempt may still be finished, like any that failed': async ({ namespace }) => {
    const { attempt, unit } = await heldUnit(namespace);
    await unit.cancel('no longer wanted');
    await attempt.finish({ result: 1 });
    await assertUnitStatus(unit, 'finished');
    assertSameData(await unit.data(), { result: 1 });
  },

  'a cancelled unit that is added again can run again': async ({ namespace }) => {
    const { spec, unit, worker } = await heldUnit(namespace);
    await unit.cancel('no longer wanted');
    assert.deepEqual(await worker.requestAttempts(), []);
    await spec.addWorkUnit('unit', { from: 'second adding' });
    const again = await claim(worker);
    assertSameData(again.data, { from: 'second adding' });
  },

  'cancelling meets the active attempt, not one that was superseded': async ({ namespace }) => {
    const { attempt, successor, unit } = await supersededAttempt(namespace);
    assert.equal(await unit.cancel('no longer wanted'), true);
    await assertAttemptStatus(successor, 'failed');
    await assertAttemptStatus(attempt, 'pending');
  },

  'cancelling generates no output': async ({ namespace }) => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    const { attempt, unit } = await heldUnit(namespace, { then: 'next' });
    await attempt.renew(leaseMs, { output: ['x'] });
    await unit.cancel('no longer wanted');
    assert.deepEqual(await next.workUnits(), []);
  },

  'cancelling a deleted unit is Gone': async ({ namespace }) => {
    const { spec, unit } = await heldUnit(namespace);
    await spec.deleteWorkUnits();
    await raises('Gone', () => unit.cancel('no longer wanted'));
  },

  'a reason for cancelling that is no text is refused': async ({ namespace }) => {
    const { attempt, unit } = await heldUnit(namespace);
    for (const reason of [7, null, {}, '\ud800']) {
      await raisesInvalid('reason', () => unit.cancel(reason as string));
    }
    await assertAttemptStatus(attempt, 'pending');
  },
});
