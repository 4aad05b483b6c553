import assert from 'node:assert/strict';
import type { AttemptVerdict } from '../../core/attempt/attempt-report.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import { LostLeaseError, NotPendingError } from '../../errors/index.js';
import { assertActive, assertAttemptStatus, assertUnitStatus } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { leaseMs, minuteMs, namesOf, specWith, supersededAttempt } from './set-up.js';

function codes(verdicts: readonly AttemptVerdict[]): (string | null)[] {
  return verdicts.map(({ error }) => error?.code ?? null);
}

/** Attempts of the units a, b, c, … of a spec, held by one worker. */
async function heldUnits(namespace: Namespace, count: number, definition = {}) {
  const names = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
  const spec = await specWith(namespace, names, definition);
  const attempts = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: count });
  assert.equal(attempts.length, count);
  return { spec, attempts };
}

export const batchReportCases = cases('Beyond the original', {
  'many attempts are finished in one call, with a verdict for each in the order given': async ({ namespace, clock }) => {
    const { spec, attempts } = await heldUnits(namespace, 4);
    clock.advance(minuteMs);
    const backwards = attempts.toReversed();
    const verdicts = await namespace.finishAll(backwards.map((attempt) => ({ attempt, data: { of: attempt.workUnit.name } })));
    assert.deepEqual(verdicts.map(({ attempt }) => attempt.number), backwards.map(({ number }) => number));
    assert.deepEqual(codes(verdicts), [null, null, null, null]);
    for (const attempt of attempts) {
      const { status, data, endTime } = await attempt.read();
      assert.equal(status, 'finished');
      assertSameData(data, { of: attempt.workUnit.name });
      assert.deepEqual(endTime, clock.now());
    }
    assertSameData(await spec.countWorkUnitStatus(), { finished: 4 });
  },

  'many attempts are failed in one call': async ({ namespace }) => {
    const { spec, attempts } = await heldUnits(namespace, 3);
    const verdicts = await namespace.failAll(attempts.map((attempt, n) => ({ attempt, data: { n } })));
    assert.deepEqual(codes(verdicts), [null, null, null]);
    assertSameData(await spec.countWorkUnitStatus(), { failed: 3 });
    assertSameData(await (await spec.workUnit('b')).data(), { n: 1 });
  },

  'many leases are renewed in one call': async ({ namespace, clock }) => {
    const { attempts } = await heldUnits(namespace, 3);
    const [first] = attempts;
    assert.ok(first);
    clock.advance(minuteMs);
    assert.deepEqual(codes(await namespace.renewAll([{ attempt: first, data: { n: 1 } }])), [null]);
    assertSameData((await first.read()).data, { n: 1 });
    assert.deepEqual((await first.read()).expirationTime, new Date(clock.now().getTime() + leaseMs));
    assert.deepEqual(codes(await namespace.renewAll(attempts.map((attempt) => ({ attempt })), 2 * minuteMs)), [null, null, null]);
    for (const attempt of attempts) {
      assert.deepEqual((await attempt.read()).expirationTime, new Date(clock.now().getTime() + 2 * minuteMs));
    }
    assertSameData((await first.read()).data, { n: 1 }, 'data not given are left');
  },

  'a batch of no attempts has no verdicts': async ({ namespace }) => {
    assert.deepEqual(await namespace.finishAll([]), []);
    assert.deepEqual(await namespace.failAll([]), []);
    assert.deepEqual(await namespace.renewAll([]), []);
  },

  'what is wrong with one attempt does not touch the others': async ({ namespace, overTheWire }) => {
    const { spec, attempts } = await heldUnits(namespace, 5);
    const [a, b, c, d, e] = attempts;
    assert.ok(a && b && c && d && e);
    await a.finish();
    await b.fail();
    await c.retry();
    await spec.deleteWorkUnits({ names: ['d'] });
    const verdicts = await namespace.finishAll([a, b, c, d, e].map((attempt) => ({ attempt, data: { late: true } })));
    const gone = codes(verdicts)[3];
    assert.ok(gone === 'Gone' || (overTheWire && gone === 'NoSuchWorkUnit'), `the verdict on a deleted unit is ${gone}`);
    assert.deepEqual(codes(verdicts), ['NotPending', null, 'NotPending', gone, null]);
    assert.ok(verdicts[0]?.error instanceof NotPendingError);
    assertSameData((await a.read()).data, {});
    assertSameData((await b.read()).data, { late: true });
    await assertUnitStatus(e.workUnit, 'finished');
    await assertUnitStatus(c.workUnit, 'available');
  },

  'failAll has the rules of fail': async ({ namespace }) => {
    const { attempts } = await heldUnits(namespace, 4);
    const [a, b, c, d] = attempts;
    assert.ok(a && b && c && d);
    await a.finish();
    await b.fail();
    await c.expire();
    const verdicts = await namespace.failAll(attempts.map((attempt) => ({ attempt })));
    assert.deepEqual(codes(verdicts), ['NotPending', 'NotPending', 'NotPending', null]);
    await assertUnitStatus(a.workUnit, 'finished');
    await assertUnitStatus(d.workUnit, 'failed');
  },

  'renewAll has the rules of renew': async ({ namespace, clock }) => {
    const { attempts } = await heldUnits(namespace, 2, { name: 'other' });
    const { attempt: lost, unit, successor } = await supersededAttempt(namespace);
    await attempts[0]?.finish();
    clock.advance(minuteMs);
    const verdicts = await namespace.renewAll(
      [...attempts, lost, successor].map((attempt) => ({ attempt, data: { of: 'renew' } })),
    );
    assert.deepEqual(codes(verdicts), ['NotPending', null, 'LostLease', null]);
    assert.ok(verdicts[2]?.error instanceof LostLeaseError);
    const { status, data, endTime } = await lost.read();
    assert.equal(status, 'expired');
    assertSameData(data, { of: 'renew' });
    assert.deepEqual(endTime, clock.now());
    await assertActive(unit, successor);
    assertSameData(await unit.data(), { of: 'renew' });
  },

  'finishAll of a superseded attempt is recorded, and changes nothing about the unit': async ({ namespace }) => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    const { attempt, unit, successor } = await supersededAttempt(namespace, { then: 'next' });
    assert.deepEqual(codes(await namespace.finishAll([{ attempt, data: { output: ['x'] } }])), [null]);
    await assertAttemptStatus(attempt, 'finished');
    await assertActive(unit, successor);
    assert.deepEqual(await next.workUnits(), []);
  },

  'the same attempt twice in a batch is reported on twice': async ({ namespace }) => {
    const { attempts } = await heldUnits(namespace, 2);
    const [a, b] = attempts;
    assert.ok(a && b);
    const twice = [{ attempt: a, data: { n: 1 } }, { attempt: b }, { attempt: a, data: { n: 2 } }];
    assert.deepEqual(codes(await namespace.finishAll(twice)), [null, null, 'NotPending']);
    assertSameData((await a.read()).data, { n: 1 });
  },

  'finishAll generates the output of each, in the order given': async ({ namespace }) => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    const { attempts } = await heldUnits(namespace, 3, { then: 'next' });
    const verdicts = await namespace.finishAll(
      attempts.map((attempt, n) => ({ attempt, data: { output: { [`of ${n}`]: {}, shared: { n } } } })),
    );
    assert.deepEqual(codes(verdicts), [null, null, null]);
    assert.deepEqual(namesOf(await next.workUnits()), ['of 0', 'of 1', 'of 2', 'shared']);
    assertSameData(await (await next.workUnit('shared')).data(), { n: 2 });
  },

  'finishAll ends all before it adds their output: a unit that both is finished and is output runs again': async ({ namespace }) => {
    const { spec, attempts } = await heldUnits(namespace, 2, { then: 'spec' });
    const [a, b] = attempts;
    assert.ok(a && b);
    const reports = [{ attempt: a, data: { output: { b: { n: 1 } } } }, { attempt: b, data: {} }];
    assert.deepEqual(codes(await namespace.finishAll(reports)), [null, null]);
    await assertUnitStatus(a.workUnit, 'finished');
    await assertUnitStatus(b.workUnit, 'available');
    assertSameData(await (await spec.workUnit('b')).data(), { n: 1 });
  },

  'a batch may hold attempts of many specs and workers': async ({ namespace }) => {
    await specWith(namespace, ['a'], { name: 'one' });
    await specWith(namespace, ['b'], { name: 'two', priority: 1 });
    const [b] = await (await namespace.worker('w2')).requestAttempts();
    const [a] = await (await namespace.worker('w1')).requestAttempts();
    assert.ok(a && b);
    assert.deepEqual(codes(await namespace.finishAll([{ attempt: a }, { attempt: b }])), [null, null]);
    await assertUnitStatus(a.workUnit, 'finished');
    await assertUnitStatus(b.workUnit, 'finished');
  },
});
