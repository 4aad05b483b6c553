import assert from 'node:assert/strict';
import { assertActive, assertAttempts, assertAttemptStatus, assertUnitStatus, raises } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { heldUnit, leaseMs, minuteMs, namesOf, secondMs, supersededAttempt } from './set-up.js';

export const supersededAttemptCases = cases('Attempt', {
  'a superseded attempt stays pending, on its worker’s list': async ({ namespace }) => {
    const { attempt, successor, unit, worker } = await supersededAttempt(namespace);
    await assertAttemptStatus(attempt, 'pending');
    assertAttempts(await worker.activeAttempts(), [attempt]);
    await assertActive(unit, successor);
  },

  'renewing a superseded attempt is LostLease; the data are stored, and it is expired': async ({ namespace, clock }) => {
    const { attempt, successor, unit, worker } = await supersededAttempt(namespace);
    clock.advance(secondMs);
    await raises('LostLease', () => attempt.renew(leaseMs, { from: 'renew' }));
    const { status, data, endTime } = await attempt.read();
    assert.equal(status, 'expired');
    assertSameData(data, { from: 'renew' });
    assert.deepEqual(endTime, clock.now());
    assert.deepEqual(await worker.activeAttempts(), []);
    await assertActive(unit, successor);
    await assertAttemptStatus(successor, 'pending');
    await raises('NotPending', () => attempt.renew());
  },

  'renewing a superseded attempt without data leaves them': async ({ namespace }) => {
    const { attempt } = await supersededAttempt(namespace);
    await raises('LostLease', () => attempt.renew());
    assertSameData((await attempt.read()).data, { from: 'unit' });
  },

  'renewing an attempt whose unit was cleared is LostLease': async ({ namespace }) => {
    const { attempt, successor, unit } = await supersededAttempt(namespace);
    await unit.clearActiveAttempt();
    await raises('LostLease', () => attempt.renew());
    await raises('LostLease', () => successor.renew());
    await assertUnitStatus(unit, 'available');
  },

  'finishing a superseded attempt is recorded, and changes nothing about the unit': async ({ namespace, clock }) => {
    const { attempt, successor, unit, worker } = await supersededAttempt(namespace);
    clock.advance(secondMs);
    await attempt.finish({ result: 'late' });
    const { status, data, endTime } = await attempt.read();
    assert.equal(status, 'finished');
    assertSameData(data, { result: 'late' });
    assert.deepEqual(endTime, clock.now());
    assert.deepEqual(await worker.activeAttempts(), []);
    await assertActive(unit, successor);
    await assertUnitStatus(unit, 'pending');
    assertSameData(await unit.data(), { from: 'unit' });
  },

  'finishing a superseded attempt generates no output': async ({ namespace }) => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    const { attempt, successor } = await supersededAttempt(namespace, { then: 'next' });
    await attempt.finish({ output: ['late'] });
    assert.deepEqual(await next.workUnits(), []);
    await successor.finish({ output: ['in time'] });
    assert.deepEqual(namesOf(await next.workUnits()), ['in time']);
  },

  'finishing an attempt whose unit was cleared leaves the unit available': async ({ namespace }) => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    const { successor, unit } = await supersededAttempt(namespace, { then: 'next' });
    await unit.clearActiveAttempt();
    await successor.finish({ output: ['x'] });
    await assertAttemptStatus(successor, 'finished');
    await assertUnitStatus(unit, 'available');
    assert.deepEqual(await next.workUnits(), []);
  },

  'a superseded attempt that failed may still be finished, without output': async ({ namespace }) => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    const { attempt, successor, unit } = await supersededAttempt(namespace, { then: 'next' });
    await attempt.fail();
    await attempt.finish({ output: ['x'] });
    await assertAttemptStatus(attempt, 'finished');
    await assertActive(unit, successor);
    assert.deepEqual(await next.workUnits(), []);
  },

  'a failed attempt whose unit was added again may be finished, and changes nothing about the unit': async ({ namespace }) => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    const { attempt, spec, unit } = await heldUnit(namespace, { then: 'next' });
    await attempt.fail();
    await spec.addWorkUnit('unit', { from: 'second adding' });
    await attempt.finish({ output: ['x'] });
    await assertAttemptStatus(attempt, 'finished');
    await assertUnitStatus(unit, 'available');
    await assertActive(unit, null);
    assertSameData(await unit.data(), { from: 'second adding' });
    assert.deepEqual(await next.workUnits(), []);
  },

  'failing a superseded attempt is recorded, and changes nothing about the unit': async ({ namespace }) => {
    const { attempt, successor, unit } = await supersededAttempt(namespace);
    await attempt.fail({ traceback: 'late' });
    await assertAttemptStatus(attempt, 'failed');
    await assertActive(unit, successor);
    await assertUnitStatus(unit, 'pending');
    assertSameData(await unit.data(), { from: 'unit' });
  },

  'retrying a superseded attempt is recorded, and changes nothing about the unit': async ({ namespace }) => {
    const { attempt, successor, unit } = await supersededAttempt(namespace);
    await attempt.retry({}, minuteMs);
    await assertAttemptStatus(attempt, 'retryable');
    await assertActive(unit, successor);
    assert.equal((await unit.meta()).notBefore, null);
  },

  'expiring a superseded attempt is recorded, and changes nothing about the unit': async ({ namespace }) => {
    const { attempt, successor, unit, worker } = await supersededAttempt(namespace);
    await attempt.expire();
    await assertAttemptStatus(attempt, 'expired');
    assert.deepEqual(await worker.activeAttempts(), []);
    await assertActive(unit, successor);
    await assertAttemptStatus(successor, 'pending');
  },

  'a superseded attempt expires when its time has come, and its unit does not mind': async ({ namespace, clock }) => {
    const { attempt, successor, unit, worker } = await supersededAttempt(namespace);
    await successor.renew(2 * leaseMs);
    clock.advance(leaseMs + 1);
    assert.deepEqual(await worker.activeAttempts(), []);
    await assertAttemptStatus(attempt, 'expired');
    await assertActive(unit, successor);
    await raises('NotPending', () => attempt.finish());
  },

  'an attempt of a finished unit can be superseded': async ({ namespace }) => {
    const { attempt, successor, unit, worker } = await supersededAttempt(namespace);
    await successor.finish({ result: 1 });
    const third = await worker.makeAttempt(unit);
    await assertUnitStatus(unit, 'pending');
    assertSameData(third.data, { from: 'unit' });
    assertAttempts(await worker.activeAttempts(), [attempt, third]);
    await assertAttemptStatus(successor, 'finished');
  },
});
