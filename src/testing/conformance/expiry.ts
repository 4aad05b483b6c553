import assert from 'node:assert/strict';
import type { Worker } from '../../core/worker/worker.js';
import { assertActive, assertAttempts, assertAttemptStatus, assertUnitStatus, raises } from './assertions.js';
import { cases, type ConformanceContext } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, claimNames, heldUnit, leaseMs, minuteMs, namesOf, specWith, type Held } from './set-up.js';

/** A unit held by a worker that has a parent, overdue by a millisecond; nobody has looked since. */
async function overdueUnit({ namespace, clock }: ConformanceContext): Promise<Held & { readonly parent: Worker }> {
  const parent = await namespace.worker('parent');
  await (await namespace.worker('worker')).setParent(parent);
  const held = await heldUnit(namespace);
  clock.advance(leaseMs + 1);
  return { ...held, parent };
}

type Look = (context: ConformanceContext, overdue: Held & { readonly parent: Worker }) => Promise<void>;

/** Everything that looks: none of it may see the overdue attempt as pending. */
const looks: Readonly<Record<string, Look>> = {
  'the status of the unit': (_, { unit }) => assertUnitStatus(unit, 'available'),
  'the active attempt of the unit': (_, { unit }) => assertActive(unit, null),
  'the data of the unit': async (_, { unit, spec }) => {
    // A second adding, which the attempt's data have hidden so far.
    await spec.addWorkUnit('unit', { from: 'second adding' });
    assertSameData(await unit.data(), { from: 'second adding' });
  },
  'the attempt': (_, { attempt }) => assertAttemptStatus(attempt, 'expired'),
  'the attempts of the unit': async (_, { unit }) => {
    const [attempt] = await unit.attempts();
    assert.ok(attempt !== undefined);
    await assertAttemptStatus(attempt, 'expired');
  },
  'the explanation of the unit': async (_, { unit }) => {
    const { status, reasons } = await unit.explain();
    assert.equal(status, 'available');
    assert.ok(!reasons.some(({ kind }) => kind === 'held'));
  },
  'the counts in the meta of the spec': async (_, { spec }) => {
    const { availableCount, pendingCount } = await spec.meta({ counts: true });
    assert.deepEqual([availableCount, pendingCount], [1, 0]);
  },
  'the counts by status': async (_, { spec }) => {
    assertSameData(await spec.countWorkUnitStatus(), { available: 1 });
  },
  'a query for pending units': async (_, { spec }) => assert.deepEqual(await spec.workUnits({ statuses: ['pending'] }), []),
  'a query for available units': async (_, { spec }) => {
    assert.deepEqual(namesOf(await spec.workUnits({ statuses: ['available'] })), ['unit']);
  },
  'a deletion of available units': async (_, { spec }) => {
    assert.equal(await spec.deleteWorkUnits({ statuses: ['available'] }), 1);
  },
  'a deletion of pending units': async (_, { spec }) => {
    assert.equal(await spec.deleteWorkUnits({ statuses: ['pending'] }), 0);
  },
  'a change of the priorities of available units': async (_, { spec, unit }) => {
    await spec.setWorkUnitPriorities({ statuses: ['available'] }, 3);
    assert.equal(await unit.priority(), 3);
  },
  'an adjustment of the priorities of pending units': async (_, { spec, unit }) => {
    await spec.adjustWorkUnitPriorities({ statuses: ['pending'] }, 3);
    assert.equal(await unit.priority(), 0);
  },
  'the summary of the work spec': async (_, { spec }) => {
    assert.deepEqual((await spec.summarize()).map(({ status }) => status), ['available']);
  },
  'the summary of the namespace': async ({ namespace }) => {
    assert.deepEqual((await namespace.summarize()).map(({ status }) => status), ['available']);
  },
  'the summary of the connection': async ({ coordinate, namespace }) => {
    const rows = (await coordinate.summarize()).filter((row) => row.namespace === namespace.name);
    assert.deepEqual(rows.map(({ status }) => status), ['available']);
  },
  'the active attempts of its worker': async (_, { worker }) => assert.deepEqual(await worker.activeAttempts(), []),
  'the attempts of its worker': async (_, { worker, attempt }) => {
    assertAttempts(await worker.allAttempts(), [attempt]);
    await assertAttemptStatus(attempt, 'expired');
  },
  'the attempts of a parent’s children': async (_, { parent }) => assert.deepEqual(await parent.childAttempts(), []),
  'a request for work': async ({ namespace }, { attempt }) => {
    const successor = await claim(await namespace.worker('other'));
    assert.equal(successor.workUnit.name, 'unit');
    await assertAttemptStatus(attempt, 'expired');
  },
  'a forced attempt': async ({ namespace }, { unit, attempt, worker }) => {
    await (await namespace.worker('other')).makeAttempt(unit);
    assert.deepEqual(await worker.activeAttempts(), []);
    await raises('NotPending', () => attempt.finish());
  },
};

const lookCases = Object.entries(looks).map(([what, look]) => [
  `whoever looks at ${what} never sees an overdue attempt`,
  async (context: ConformanceContext) => look(context, await overdueUnit(context)),
] as const);

export const expiryCases = cases('Status', {
  'an attempt is not overdue at its expirationTime, but a moment later': async ({ namespace, clock }) => {
    const { unit, attempt } = await heldUnit(namespace);
    clock.advance(leaseMs);
    await assertUnitStatus(unit, 'pending');
    await assertAttemptStatus(attempt, 'pending');
    clock.advance(1);
    await assertUnitStatus(unit, 'available');
    await assertAttemptStatus(attempt, 'expired');
  },

  'an expired attempt has ended when somebody looked': async (context) => {
    const { attempt } = await overdueUnit(context);
    context.clock.advance(minuteMs);
    const now = context.clock.now();
    assert.deepEqual((await attempt.read()).endTime, now);
    context.clock.advance(minuteMs);
    assert.deepEqual((await attempt.read()).endTime, now);
  },

  'an expired attempt stays in history, with its own data': async (context) => {
    const { unit, attempt, worker } = await overdueUnit(context);
    await attempt.renew(minuteMs, { from: 'attempt' });
    context.clock.advance(minuteMs + 1);
    assertSameData(await unit.data(), { from: 'unit' });
    assertSameData((await attempt.read()).data, { from: 'attempt' });
    assertAttempts(await unit.attempts(), [attempt]);
    assertAttempts(await worker.allAttempts(), [attempt]);
    assert.deepEqual(await worker.activeAttempts(), []);
  },

  ...Object.fromEntries(lookCases),

  'a late finish still wins when nobody has looked': async (context) => {
    const { unit, attempt } = await overdueUnit(context);
    await attempt.finish({ result: 1 });
    await assertAttemptStatus(attempt, 'finished');
    await assertUnitStatus(unit, 'finished');
    await assertActive(unit, attempt);
  },

  'a late fail still wins when nobody has looked': async (context) => {
    const { unit, attempt } = await overdueUnit(context);
    await attempt.fail();
    await assertUnitStatus(unit, 'failed');
    await assertActive(unit, attempt);
  },

  'a late retry still wins when nobody has looked': async (context) => {
    const { unit, attempt } = await overdueUnit(context);
    await attempt.retry({}, minuteMs);
    await assertAttemptStatus(attempt, 'retryable');
    await assertUnitStatus(unit, 'delayed');
  },

  'a late renew still wins when nobody has looked': async (context) => {
    const { unit, attempt } = await overdueUnit(context);
    await attempt.renew();
    await assertAttemptStatus(attempt, 'pending');
    await assertActive(unit, attempt);
  },

  'an overdue attempt can be expired by hand': async (context) => {
    const { attempt } = await overdueUnit(context);
    await attempt.expire({ gave: 'up' });
    assertSameData((await attempt.read()).data, { gave: 'up' });
    await assertAttemptStatus(attempt, 'expired');
  },

  'a report on one overdue attempt does not expire another': async ({ namespace, clock }) => {
    await specWith(namespace, ['a', 'b', 'c', 'd', 'e', 'f']);
    const attempts = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: 6 });
    clock.advance(leaseMs + 1);
    await attempts[0]?.expire();
    await attempts[1]?.retry();
    await attempts[2]?.fail();
    await attempts[3]?.renew();
    const verdicts = await namespace.finishAll(attempts.slice(4).map((attempt) => ({ attempt })));
    assert.deepEqual(verdicts.map(({ error }) => error), [null, null]);
    const statuses = await Promise.all(attempts.map(async (attempt) => (await attempt.read()).status));
    assert.deepEqual(statuses, ['expired', 'retryable', 'failed', 'pending', 'finished', 'finished']);
  },

  'a report is refused once somebody has looked': async (context) => {
    const { spec, attempt } = await overdueUnit(context);
    await spec.countWorkUnitStatus();
    await raises('NotPending', () => attempt.finish());
    await raises('NotPending', () => attempt.fail());
    await raises('NotPending', () => attempt.retry());
    await raises('NotPending', () => attempt.renew());
    await attempt.expire();
  },

  'a unit whose attempt expired is delayed if its notBefore is yet to come': async (context) => {
    const { unit } = await overdueUnit(context);
    const { clock, namespace } = context;
    const attempt = await (await namespace.worker('other')).makeAttempt(unit, minuteMs);
    await unit.setMeta({ notBefore: new Date(clock.now().getTime() + 2 * minuteMs) });
    clock.advance(minuteMs + 1);
    await assertUnitStatus(unit, 'delayed');
    await assertAttemptStatus(attempt, 'expired');
  },

  'a lease of no time expires as soon as the clock moves': async ({ namespace, clock }) => {
    await specWith(namespace, ['a']);
    const worker = await namespace.worker('worker');
    const attempt = await claim(worker, { lifetimeMs: 0 });
    await assertAttemptStatus(attempt, 'pending');
    assert.deepEqual(await claimNames(worker), []);
    clock.advance(1);
    await assertAttemptStatus(attempt, 'expired');
    assert.deepEqual(await claimNames(worker), ['a']);
  },

  'a clock that goes back takes no lease away': async ({ namespace, clock }) => {
    const { attempt, unit } = await heldUnit(namespace);
    clock.advance(-minuteMs);
    await assertActive(unit, attempt);
    await attempt.finish();
    await assertUnitStatus(unit, 'finished');
  },

  'the work of a worker that died is done by another': async ({ namespace, clock }) => {
    const { unit, attempt } = await heldUnit(namespace);
    clock.advance(leaseMs + 1);
    const other = await namespace.worker('other');
    const successor = await claim(other);
    assert.ok(successor.number > attempt.number);
    await successor.finish();
    await assertUnitStatus(unit, 'finished');
    assertAttempts(await unit.attempts(), [attempt, successor]);
  },
});
