import { randomUUID } from 'node:crypto';
import type { Attempt, Namespace, Worker, WorkSpec } from 'pg-coordinate';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectConsistent } from '../../concurrency/consistency.js';
import { untilBlocked } from '../../concurrency/waiting.js';
import type { PostgresWorkUnit } from '../../../src/core/work-unit/postgres-work-unit.js';
import { testDatabase } from '../../support/database.js';
import { countedConnection, countedOwnConnection } from '../producers/statements.js';

/*
 * Leases of units that were claimed together are one row, a range, of which whatever becomes of one of them takes it out. Nobody is to see a difference to a
 * lease for each.
 */

const database = await testDatabase();
const { coordinate, sent, sentOf, close } = await countedOwnConnection(database);
const { bucket } = database;
afterAll(close);

let namespace: Namespace;
let spec: WorkSpec;
let worker: Worker;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec' });
  worker = await namespace.worker('worker');
});

afterEach(async () => {
  await expectConsistent(database);
  await namespace.destroy();
  expect(await database.query(`select from ${bucket}.lease_range`)).toEqual([]);
});

async function claimed(count: number, of = spec, by = worker): Promise<Attempt[]> {
  await of.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `unit ${String(index).padStart(4, '0')}`, data: { index } })));
  const attempts = await by.requestAttempts({ numberOfWorkUnits: count, workSpecs: [of], lifetimeMs: 60_000 });
  expect(attempts).toHaveLength(count);
  sent('');
  return attempts;
}

/** Of each range how many units it names. */
async function ranges(): Promise<unknown[]> {
  const rows = await database.query(`select cardinality(array_remove(unit_ids, 0)) as count from ${bucket}.lease_range order by first_number, ctid`);
  return rows.map(({ count }) => count);
}

async function leases(): Promise<number> {
  return (await database.query(`select from ${bucket}.lease`)).length;
}

async function finishAll(attempts: readonly Attempt[], data?: object): Promise<string[]> {
  const verdicts = await namespace.finishAll(attempts.map((attempt) => (data ? { attempt, data: { ...data } } : { attempt })));
  return verdicts.map(({ error }) => error?.code ?? 'finished');
}

async function runOut(attempts: readonly Attempt[]): Promise<void> {
  const numbers = attempts.map(({ number }) => number);
  for (const table of ['lease', 'lease_range']) {
    const condition = table === 'lease' ? 'number = any($1)' : 'exists (select from unnest($1::bigint[]) n where n between first_number and last_number)';
    await database.query(`update ${bucket}.${table} set expires_at = statement_timestamp() - interval '1 second' where ${condition}`, [numbers]);
  }
}

/** By a connection that has not seen yet that nothing is to expire. */
async function expire(): Promise<void> {
  await using fresh = await database.connect();
  await (await (await fresh.namespace(namespace.name)).workSpec('spec')).countWorkUnitStatus();
}

const unitIdOf = (attempt: Attempt | undefined): number => (attempt?.workUnit as PostgresWorkUnit).id;
const statusOf = async (attempt: Attempt | undefined): Promise<string | undefined> => attempt?.workUnit.status();
const all = (count: number): string[] => Array<string>(count).fill('finished');

describe('a claim makes', () => {
  test('ranges of 250 units at most, if it is of 16 or more', async () => {
    const attempts = await claimed(520);
    expect([await ranges(), await leases()]).toEqual([[250, 250, 20], 0]);
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
    expect(await ranges()).toEqual([250, 20]);
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
    await expect.poll(async () => (await ranges()).length).toBeLessThan(10);
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

describe('renewing', () => {
  test('all that are left extends the range', async () => {
    const attempts = await claimed(20);
    await finishAll(attempts.slice(0, 4));
    await runOut(attempts);
    expect((await namespace.renewAll(attempts.slice(4).map((attempt) => ({ attempt })), 60_000)).map(({ error }) => error)).toEqual(Array(16).fill(null));
    expect(await ranges()).toEqual([20]);
    expect(await worker.requestAttempts({ numberOfWorkUnits: 20 })).toEqual([]);
    expect(await finishAll(attempts.slice(4))).toEqual(all(16));
  });

  test('some of them splits it: the others run out, and the reports on all are judged as they should be', async () => {
    const attempts = await claimed(40);
    const renewed = attempts.filter((_, index) => index % 3 === 0);
    await runOut(attempts);
    expect((await namespace.renewAll(renewed.map((attempt) => ({ attempt })), 60_000)).map(({ error }) => error)).toEqual(renewed.map(() => null));
    expect(await ranges()).toEqual(expect.arrayContaining([14, 26]));
    expect((await worker.allAttempts({ limit: 7 })).map(({ number }) => number)).toEqual(attempts.slice(0, 7).map(({ number }) => number));
    await expire();
    expect((await worker.activeAttempts()).map(({ number }) => number)).toEqual(renewed.map(({ number }) => number));
    expect(await ranges()).toEqual([14]);
    expect(await finishAll(attempts)).toEqual(attempts.map((_, index) => (index % 3 === 0 ? 'finished' : 'NotPending')));
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 14, available: 26 });
  });

  test('waits for nobody who has locked one of their units', async () => {
    const attempts = await claimed(20);
    const other = await database.client();
    await other.query('begin');
    await other.query(`select from ${bucket}.work_unit where id = $1 for update`, [unitIdOf(attempts[5])]);
    await runOut(attempts);
    expect((await namespace.renewAll(attempts.map((attempt) => ({ attempt })), 60_000)).map(({ error }) => error)).toEqual(Array(20).fill(null));
    await other.query('rollback');
    await expire();
    expect(await worker.activeAttempts()).toHaveLength(20);
  });

  test.each([false, true])('while they end leaves none pending, and none in two states (with data: %s)', async (withData) => {
    for (let round = 0; round < 10; round++) {
      const attempts = await claimed(60, await namespace.setWorkSpec({ name: `round ${round}` }));
      const half = attempts.filter((_, index) => index % 2 === 0).map((attempt) => (withData ? { attempt, data: { renewed: true } } : { attempt }));
      const [ended] = await Promise.all([finishAll(attempts.slice(0, 50)), namespace.renewAll(half, 60_000), finishAll(attempts.slice(50))]);
      expect(ended).toEqual(all(50));
      expect(await worker.activeAttempts()).toEqual([]);
    }
  });
});

describe('expiry', () => {
  test('makes all of them available, and the range goes', async () => {
    const attempts = await claimed(300);
    await finishAll(attempts.slice(100, 120));
    await runOut(attempts);
    await expire();
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 20, available: 280 });
    expect(await ranges()).toEqual([]);
    expect((await attempts[0]!.workUnit.attempts()).map(({ number, status }) => [number, status])).toEqual([[attempts[0]!.number, 'expired']]);
  });

  test('is over before anybody looks, however few are left in how many ranges', async () => {
    const attempts = [];
    for (const name of ['spec', 'b']) attempts.push(...(await claimed(1_000, await namespace.setWorkSpec({ name }))));
    await finishAll(attempts.filter((_, index) => index % 50 !== 0));
    await runOut(attempts);
    await using fresh = await database.connect();
    expect(await (await (await fresh.namespace(namespace.name)).workSpec('b')).countWorkUnitStatus()).toEqual({ finished: 980, available: 20 });
    expect(await ranges()).toEqual([]);
  });

  test('passes by one whose unit is locked, who may still report', async () => {
    const attempts = await claimed(20);
    const other = await database.client();
    await other.query('begin');
    await other.query(`select from ${bucket}.work_unit where id = $1 for no key update`, [unitIdOf(attempts[5])]);
    await runOut(attempts);
    await expire();
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 19, pending: 1 });
    expect(await ranges()).toEqual([20]);
    await other.query('rollback');
    expect(await finishAll([attempts[5]!])).toEqual(['finished']);
    expect(await ranges()).toEqual([]);
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
