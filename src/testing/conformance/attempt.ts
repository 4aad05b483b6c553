import assert from 'node:assert/strict';
import type { Attempt } from '../../core/attempt/attempt.js';
import { assertActive, assertAttempts, assertAttemptStatus, assertUnitStatus, raises } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, claimNames, heldUnit, leaseMs, minuteMs, secondMs, specWith, type Held } from './set-up.js';

/** Every way to end an attempt that is held. */
const endings: Readonly<Record<string, (held: Held) => Promise<void>>> = {
  finished: ({ attempt }) => attempt.finish(),
  failed: ({ attempt }) => attempt.fail(),
  retryable: ({ attempt }) => attempt.retry(),
  expired: ({ attempt }) => attempt.expire(),
};

/** The reports that an attempt of each status accepts; all others raise NotPending. */
const accepted: Readonly<Record<string, readonly string[]>> = {
  finished: [],
  failed: ['finish'],
  retryable: [],
  expired: ['expire'],
};

const reports: Readonly<Record<string, (attempt: Attempt) => Promise<void>>> = {
  renew: (attempt) => attempt.renew(minuteMs, { late: true }),
  expire: (attempt) => attempt.expire({ late: true }),
  finish: (attempt) => attempt.finish({ late: true }),
  fail: (attempt) => attempt.fail({ late: true }),
  retry: (attempt) => attempt.retry({ late: true }),
};

const refusals = Object.keys(endings).flatMap((status) =>
  Object.keys(reports)
    .filter((report) => !accepted[status]?.includes(report))
    .map((report) => [`an attempt that is ${status} refuses ${report}, and stays as it is`, refusal(status, report)] as const),
);

function refusal(status: string, report: string): ReturnType<typeof cases>[number]['run'] {
  return async ({ namespace, clock }) => {
    const held = await heldUnit(namespace);
    await endings[status]?.(held);
    const attemptBefore = await held.attempt.read();
    const unitBefore = await held.unit.status();
    const metaBefore = await held.unit.meta();
    clock.advance(secondMs);
    await raises('NotPending', () => reports[report]?.(held.attempt) ?? Promise.resolve());
    assertSameData(await held.attempt.read(), attemptBefore);
    assert.equal(await held.unit.status(), unitBefore);
    assertSameData(await held.unit.meta(), metaBefore);
  };
}

export const attemptCases = cases('Attempt', {
  'an attempt starts pending, with a copy of the unit’s data': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, []);
    const unit = await spec.addWorkUnit('unit', { x: 1 });
    const start = clock.now();
    const attempt = await claim(await namespace.worker('worker'));
    assert.equal(attempt.workUnit.name, 'unit');
    assert.equal(attempt.workUnit.workSpec.name, 'spec');
    assert.equal(attempt.worker.name, 'worker');
    assert.deepEqual(attempt.startTime, start);
    assertSameData(attempt.data, { x: 1 });
    const expirationTime = new Date(start.getTime() + leaseMs);
    assertSameData(await attempt.read(), { status: 'pending', data: { x: 1 }, startTime: start, endTime: null, expirationTime });
    await assertActive(unit, attempt);
  },

  'numbers of attempts grow, and none is given twice': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b']);
    await specWith(namespace, ['c'], { name: 'other' });
    const worker = await namespace.worker('worker');
    const numbers: number[] = [];
    for (const workSpec of ['spec', 'other', 'spec']) numbers.push((await claim(worker, { workSpecs: [workSpec] })).number);
    await spec.deleteWorkUnits();
    const unit = await spec.addWorkUnit('a', {});
    numbers.push((await worker.makeAttempt(unit)).number, (await (await namespace.worker('w')).makeAttempt(unit)).number);
    assert.ok(numbers.every((number) => Number.isSafeInteger(number) && number > 0));
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  },

  'an attempt object keeps the data it was obtained with': async ({ namespace }) => {
    const { attempt, worker } = await heldUnit(namespace);
    await attempt.renew(leaseMs, { from: 'renew' });
    assertSameData(attempt.data, { from: 'unit' });
    assertSameData((await worker.activeAttempts())[0]?.data, { from: 'renew' });
  },

  'renew extends the lease from now': async ({ namespace, clock }) => {
    const { attempt } = await heldUnit(namespace);
    clock.advance(minuteMs);
    await attempt.renew(2 * minuteMs);
    const { status, expirationTime, endTime, startTime } = await attempt.read();
    assert.equal(status, 'pending');
    assert.equal(endTime, null);
    assert.deepEqual(startTime, attempt.startTime);
    assert.deepEqual(expirationTime, new Date(clock.now().getTime() + 2 * minuteMs), 'also when that shortens it');
  },

  'renew extends by 15 minutes when nothing is said': async ({ namespace, clock }) => {
    const { attempt } = await heldUnit(namespace);
    clock.advance(minuteMs);
    await attempt.renew();
    assert.deepEqual((await attempt.read()).expirationTime, new Date(clock.now().getTime() + leaseMs));
  },

  'renew replaces the data if any are given': async ({ namespace }) => {
    const { attempt, unit } = await heldUnit(namespace);
    await attempt.renew(leaseMs, { progress: 1 });
    assertSameData((await attempt.read()).data, { progress: 1 });
    await attempt.renew(leaseMs);
    assertSameData((await attempt.read()).data, { progress: 1 });
    await attempt.renew(leaseMs, {});
    assertSameData(await unit.data(), {});
  },

  'an attempt renewed in time is held on and on': async ({ namespace, clock }) => {
    const { attempt, unit } = await heldUnit(namespace);
    for (let hour = 0; hour < 4; hour++) {
      clock.advance(leaseMs);
      await attempt.renew();
    }
    await assertActive(unit, attempt);
    await assertUnitStatus(unit, 'pending');
  },

  'finish ends the unit’s work well': async ({ namespace, clock }) => {
    const { attempt, unit, worker } = await heldUnit(namespace);
    clock.advance(secondMs);
    await attempt.finish({ result: 1 });
    const { status, data, endTime, startTime } = await attempt.read();
    assert.equal(status, 'finished');
    assertSameData(data, { result: 1 });
    assert.deepEqual(endTime, clock.now());
    assert.deepEqual(startTime, attempt.startTime);
    await assertUnitStatus(unit, 'finished');
    assertSameData(await unit.data(), { result: 1 });
    assert.deepEqual(await worker.activeAttempts(), []);
    assertAttempts(await worker.allAttempts(), [attempt]);
  },

  'a report without data leaves them': async ({ namespace }) => {
    for (const report of ['finish', 'fail', 'expire', 'retry'] as const) {
      const { attempt } = await heldUnit(namespace, { name: report });
      await attempt.renew(leaseMs, { from: 'renew' });
      await attempt[report]();
      assertSameData((await attempt.read()).data, { from: 'renew' }, report);
    }
  },

  'fail ends the unit’s work badly': async ({ namespace, clock }) => {
    const { attempt, unit, worker } = await heldUnit(namespace);
    clock.advance(secondMs);
    await attempt.fail({ traceback: 'oops' });
    const { status, data, endTime } = await attempt.read();
    assert.equal(status, 'failed');
    assertSameData(data, { traceback: 'oops' });
    assert.deepEqual(endTime, clock.now());
    await assertUnitStatus(unit, 'failed');
    assertSameData(await unit.data(), { traceback: 'oops' });
    assert.deepEqual(await worker.activeAttempts(), []);
  },

  'a failed attempt may still be finished': async ({ namespace, clock }) => {
    const { attempt, unit } = await heldUnit(namespace);
    await attempt.fail({ traceback: 'presumed dead' });
    clock.advance(secondMs);
    await attempt.finish({ result: 1 });
    await assertAttemptStatus(attempt, 'finished');
    assert.deepEqual((await attempt.read()).endTime, clock.now());
    await assertUnitStatus(unit, 'finished');
    await assertActive(unit, attempt);
    assertSameData(await unit.data(), { result: 1 });
  },

  'a failed attempt finished without data keeps those of its failure': async ({ namespace }) => {
    const { attempt, unit } = await heldUnit(namespace);
    await attempt.fail({ traceback: 'presumed dead' });
    await attempt.finish();
    assertSameData(await unit.data(), { traceback: 'presumed dead' });
  },

  'expire gives the unit back at once': async ({ namespace, clock }) => {
    const { attempt, unit, worker } = await heldUnit(namespace);
    clock.advance(secondMs);
    await attempt.expire({ gave: 'up' });
    const { status, data, endTime } = await attempt.read();
    assert.equal(status, 'expired');
    assertSameData(data, { gave: 'up' });
    assert.deepEqual(endTime, clock.now());
    await assertUnitStatus(unit, 'available');
    await assertActive(unit, null);
    assertSameData(await unit.data(), { from: 'unit' });
    assert.deepEqual(await worker.activeAttempts(), []);
    assert.deepEqual(await claimNames(worker), ['unit']);
  },

  'to expire an expired attempt has no effect': async ({ namespace, clock }) => {
    const { attempt, worker } = await heldUnit(namespace);
    await attempt.expire({ first: true });
    const before = await attempt.read();
    const successor = await claim(worker);
    clock.advance(secondMs);
    await attempt.expire({ second: true });
    assertSameData(await attempt.read(), before);
    await assertAttemptStatus(successor, 'pending');
  },

  'retry gives the unit back at once when no delay is given': async ({ namespace, clock }) => {
    const { attempt, unit, worker } = await heldUnit(namespace);
    clock.advance(secondMs);
    await attempt.retry({ why: 'busy' });
    const { status, data, endTime } = await attempt.read();
    assert.equal(status, 'retryable');
    assertSameData(data, { why: 'busy' });
    assert.deepEqual(endTime, clock.now());
    await assertUnitStatus(unit, 'available');
    await assertActive(unit, null);
    assert.deepEqual((await unit.meta()).notBefore, clock.now());
    assert.deepEqual(await worker.activeAttempts(), []);
    assert.deepEqual(await claimNames(worker), ['unit']);
  },

  'retry delays the unit by what is given': async ({ namespace, clock }) => {
    const { attempt, unit, worker } = await heldUnit(namespace);
    await unit.setPriority(5);
    await attempt.retry(undefined, minuteMs);
    const notBefore = new Date(clock.now().getTime() + minuteMs);
    assertSameData(await unit.meta(), { priority: 5, notBefore });
    clock.advance(minuteMs - 1);
    await assertUnitStatus(unit, 'delayed');
    assert.deepEqual(await claimNames(worker), []);
    clock.advance(1);
    await assertUnitStatus(unit, 'available');
    assert.deepEqual(await claimNames(worker), ['unit']);
  },

  'retry replaces the unit’s notBefore, whatever it was': async ({ namespace, clock }) => {
    const { attempt, unit } = await heldUnit(namespace);
    await unit.setMeta({ notBefore: new Date(clock.now().getTime() + minuteMs) });
    await attempt.retry();
    await assertUnitStatus(unit, 'available');
  },

  ...Object.fromEntries(refusals),
});
