import type { Attempt, Namespace, WorkSpec, Worker } from 'pg-coordinate';
import { beforeEach, describe, expect, test } from 'vitest';
import { untilBlocked } from '../../concurrency/waiting.js';
import { until } from '../../database/until.js';
import { countedConnection } from '../producers/statements.js';
import { inLeaseRanges } from './in-lease-ranges.js';

/*
 * Leases of units that were claimed together are one row, a range, of which whatever becomes of one of them takes it out. Nobody is to see a difference to a
 * lease for each.
 */

const { all, bucket, claimed, coordinate, database, expire, finishAll, leases, ranges, runOut, sentOf, statusOf, current } = await inLeaseRanges();

let namespace: Namespace;
let spec: WorkSpec;
let worker: Worker;
beforeEach(() => void ({ namespace, spec, worker } = current()));

describe('a claim makes', () => {
  test('ranges of 200 units at most, if it is of 16 or more', async () => {
    const attempts = await claimed(520);
    expect([await ranges(), await leases()]).toEqual([[200, 200, 120], 0]);
    expect((await worker.activeAttempts()).map(({ number }) => number)).toEqual(attempts.map(({ number }) => number));
    expect(await spec.countWorkUnitStatus()).toEqual({ pending: 520 });
    expect(await finishAll(attempts)).toEqual(all(520));
    expect(await ranges()).toEqual([]);
  });

  test('a lease for each, if it is of fewer, or of a spec of which only so many may run', async () => {
    await claimed(15);
    expect([await ranges(), await leases()]).toEqual([[], 15]);
    const limited = await namespace.setWorkSpec({ name: 'limited', max_running: 30 });
    await limited.addWorkUnits(Array.from({ length: 40 }, (_, index) => ({ name: `${index}`, data: {} })));
    expect(await worker.requestAttempts({ numberOfWorkUnits: 40, workSpecs: ['limited'] })).toHaveLength(30);
    expect([await ranges(), await leases()]).toEqual([[], 45]);
  });

  test('ranges that count when the spec is limited later', async () => {
    const attempts = await claimed(20);
    await spec.addWorkUnits(Array.from({ length: 20 }, (_, index) => ({ name: `more ${index}`, data: {} })));
    await spec.setData({ name: 'spec', max_running: 22 });
    expect(await worker.requestAttempts({ numberOfWorkUnits: 20 })).toHaveLength(2);
    await finishAll(attempts.slice(0, 5));
    expect(await worker.requestAttempts({ numberOfWorkUnits: 20 })).toHaveLength(5);
    expect(await worker.requestAttempts({ numberOfWorkUnits: 20 })).toHaveLength(0);
  });
});

describe('a range goes with the last of its attempts', () => {
  const parts: readonly (readonly [what: string, of: (attempts: readonly Attempt[]) => readonly (readonly Attempt[])[]])[] = [
    ['from the front', (attempts) => [attempts.slice(0, 17), attempts.slice(17, 20), attempts.slice(20)]],
    ['from the back', (attempts) => [attempts.slice(30), attempts.slice(1, 30), attempts.slice(0, 1)]],
    ['here and there', (attempts) => [0, 1, 2].map((rest) => attempts.filter((_, index) => index % 3 === rest))],
    ['one by one', (attempts) => attempts.toReversed().map((attempt) => [attempt])],
  ];
  test.each(parts)('if they end %s', async (_, of) => {
    const attempts = await claimed(40);
    for (const [index, part] of of(attempts).entries()) {
      if (index > 0) expect(await ranges()).toEqual([40]);
      expect(await finishAll(part)).toEqual(all(part.length));
    }
    expect(sentOf('attempt.').filter((label) => !label.startsWith('attempt.end-in-ranges'))).toEqual([]);
    expect(await ranges()).toEqual([]);
    expect(await Promise.all(attempts.map(statusOf))).toEqual(all(40));
  });

  test('if they end with data of their own, by their places', async () => {
    const attempts = await claimed(40);
    expect(await finishAll(attempts.slice(0, 20), { result: 1 })).toEqual(all(20));
    expect(await finishAll(attempts.slice(20), { result: 2 })).toEqual(all(20));
    expect(sentOf('attempt.')).toEqual(['attempt.end-in-ranges-one-by-one', 'attempt.end-in-ranges-one-by-one']);
    expect(await ranges()).toEqual([]);
    expect([await attempts[3]?.workUnit.data(), await attempts[33]?.workUnit.data()]).toEqual([{ result: 1 }, { result: 2 }]);
  });

  test('if they are of different ranges, and some have leases of their own', async () => {
    const attempts = [...(await claimed(270)), ...(await claimed(3, await namespace.setWorkSpec({ name: 'other' })))];
    expect(await finishAll(attempts.filter((_, index) => index % 2 === 0))).toEqual(all(137));
    expect(await ranges()).toEqual([200, 70]);
    expect(await finishAll(attempts.filter((_, index) => index % 2 === 1))).toEqual(all(136));
    expect(await ranges()).toEqual([]);
  });

  test('if it is told without their places', async () => {
    const theirs = await countedConnection(database);
    try {
      const given = await theirs.coordinate.namespace(namespace.name);
      const attempts = await claimed(20, await given.workSpec('spec'), await given.worker('worker'));
      for (const part of [attempts.slice(0, 7), attempts.slice(7)]) {
        const verdicts = await given.finishAll(part.map((attempt) => ({ attempt })));
        expect(verdicts.map(({ error }) => error)).toEqual(part.map(() => null));
      }
      expect(await ranges()).toEqual([]);
    } finally {
      await theirs.close();
    }
  });

  test('a little later, if that was in transactions of the user’s', async () => {
    for (let round = 0; round < 15; round++) {
      const attempts = await claimed(20, await namespace.setWorkSpec({ name: `round ${round}` }));
      for (const attempt of attempts) await coordinate.transaction((client) => attempt.finish({ own: true }, { client }));
    }
    // Housekeeping comes with work: after a hundred of those.
    await until('few are left', async () => (await ranges()).length < 10);
  });

  test('or when it runs out, if they were all deleted', async () => {
    const attempts = await claimed(20);
    expect(await spec.deleteWorkUnits()).toBe(20);
    expect(await ranges()).toEqual([20]);
    await runOut(attempts);
    await expire();
    expect(await ranges()).toEqual([]);
  });
});

describe('what becomes of one of them takes it out, and no other', () => {
  const ways: readonly (readonly [what: string, status: string, take: (attempt: Attempt) => Promise<unknown>])[] = [
    ['is retried', 'available', (attempt) => attempt.retry()],
    ['is retried later', 'delayed', (attempt) => attempt.retry({ tried: true }, 60_000)],
    ['is given up', 'available', (attempt) => attempt.expire()],
    ['fails', 'failed', (attempt) => attempt.fail({ reason: 'none' })],
    ['is cancelled', 'failed', (attempt) => attempt.workUnit.cancel('no longer wanted')],
    ['is made available again', 'available', (attempt) => attempt.workUnit.clearActiveAttempt()],
    ['is forced upon another worker', 'pending', async (attempt) => (await namespace.worker('other')).makeAttempt(attempt.workUnit)],
    ['is replaced', 'pending', (attempt) => spec.addWorkUnit(attempt.workUnit.name, { other: true })],
    ['gets another priority', 'pending', (attempt) => attempt.workUnit.setPriority(7)],
    ['is renewed with data', 'pending', (attempt) => attempt.renew(60_000, { renewed: true })],
  ];
  test.each(ways)('%s', async (what, status, take) => {
    const attempts = await claimed(40);
    await take(attempts[7]!);
    expect(await statusOf(attempts[7])).toBe(status);
    const others = attempts.filter((_, index) => index !== 7);
    expect((await worker.allAttempts({ limit: 1_000 })).map(({ number }) => number)).toEqual(attempts.map(({ number }) => number));
    expect(await Promise.all(others.map(statusOf))).toEqual(Array(39).fill('pending'));
    const { data } = await attempts[7]!.read();
    expect(data).toEqual({ 'is renewed with data': { renewed: true }, 'is retried later': { tried: true }, fails: { reason: 'none' } }[what] ?? expect.anything());
    if (what === 'is replaced') expect([data, await attempts[7]?.workUnit.ownData()]).toEqual([{ index: 7 }, { other: true }]);
    expect(await finishAll(others)).toEqual(all(39));
    if (status === 'available') {
      const [again] = await worker.requestAttempts();
      expect([again?.workUnit.name, await again?.workUnit.numAttempts()]).toEqual([attempts[7]?.workUnit.name, 2]);
      await expect(attempts[7]!.renew()).rejects.toMatchObject({ code: expect.stringMatching(/NotPending|LostLease/) as string });
      expect(await statusOf(again)).toBe('pending');
    }
  });

  test('reports on it afterwards are refused', async () => {
    const attempts = await claimed(20);
    await attempts[3]?.retry();
    expect(await finishAll(attempts)).toEqual(attempts.map((_, index) => (index === 3 ? 'NotPending' : 'finished')));
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 19, available: 1 });
  });

  test('units that have run before count on', async () => {
    const first = await claimed(20);
    for (const attempt of first) await attempt.retry();
    const second = await worker.requestAttempts({ numberOfWorkUnits: 20 });
    expect(await ranges()).toContain(20);
    expect(await finishAll(second)).toEqual(all(20));
    expect(await Promise.all(second.map(({ workUnit }) => workUnit.numAttempts()))).toEqual(Array(20).fill(2));
  });
});

describe('in a transaction of the user’s', () => {
  test('an attempt is held for as long as it is in its range', async () => {
    const attempts = await claimed(20);
    await coordinate.transaction((client) => attempts[2]!.requireHeld({ client }));
    await attempts[2]!.expire();
    await expect(coordinate.transaction((client) => attempts[2]!.requireHeld({ client }))).rejects.toMatchObject({ code: 'LostLease' });
  });

  test('one is finished while all others go on', async () => {
    const attempts = await claimed(20);
    const other = await database.client();
    await other.query('begin');
    await attempts[0]!.finish({ own: true }, { client: other });
    expect(await finishAll(attempts.slice(1))).toEqual(all(19));
    expect((await namespace.renewAll([{ attempt: attempts[0]! }], 60_000)).map(({ error }) => error)).toEqual([null]);
    await other.query('commit');
    expect(await statusOf(attempts[0])).toBe('finished');
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 20 });
  });

  test.each(['repeatable read', 'serializable'])('that has an old snapshot, %s, nothing is done to what has ended', async (isolation) => {
    const attempts = await claimed(20);
    const other = await database.client();
    await other.query(`begin isolation level ${isolation}`);
    await other.query(`select from ${bucket}.lease_range`);
    await attempts[4]!.retry();
    await expect(attempts[4]!.finish({}, { client: other })).rejects.toMatchObject({ code: expect.any(String) as string });
    await other.query('rollback');
    expect(await statusOf(attempts[4])).toBe('available');
  });

  test('that is rolled back, an attempt stays in its range', async () => {
    const attempts = await claimed(20);
    const other = await database.client();
    await other.query('begin');
    await attempts[0]!.finish({}, { client: other });
    const late = finishAll([attempts[0]!, attempts[1]!]);
    await untilBlocked(database, 'attempt.end ');
    await other.query('rollback');
    expect(await late).toEqual(['finished', 'finished']);
  });
});
