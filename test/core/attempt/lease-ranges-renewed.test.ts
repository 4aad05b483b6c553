import type { Namespace, WorkSpec, Worker } from 'pg-coordinate';
import { beforeEach, describe, expect, test } from 'vitest';
import { inLeaseRanges } from './in-lease-ranges.js';

/*
 * Leases in ranges that are renewed, and those that run out.
 */

const { all, bucket, claimed, database, expire, finishAll, ranges, runOut, statusOf, unitIdOf, current } = await inLeaseRanges();

let namespace: Namespace;
let spec: WorkSpec;
let worker: Worker;
beforeEach(() => void ({ namespace, spec, worker } = current()));

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

test('a renewal holds although the unit’s data are being replaced in a transaction that is still open', async () => {
  const attempts = await claimed(20);
  const other = await database.client();
  await other.query('begin');
  await spec.addWorkUnit(attempts[3]!.workUnit.name, { other: true }, undefined, { client: other });
  await runOut(attempts);
  expect((await namespace.renewAll(attempts.map((attempt) => ({ attempt })), 60_000)).map(({ error }) => error)).toEqual(Array(20).fill(null));
  await other.query('commit');
  await database.query(`update ${bucket}.lease set expires_at = statement_timestamp() - interval '1 second'`);
  await expire();
  expect(await statusOf(attempts[3])).toBe('pending');
  expect(await attempts[3]!.read()).toMatchObject({ status: 'pending', data: { index: 3 } });
  expect(await finishAll(attempts)).toEqual(all(20));
});

test('renewals that find no range do not wait for those that do', async () => {
  const attempts = await claimed(3);
  const other = await database.client();
  await other.query('begin');
  await other.query(`select pg_advisory_xact_lock(hashtextextended('${bucket} renewal', 0))`);
  expect((await namespace.renewAll(attempts.map((attempt) => ({ attempt })), 60_000)).map(({ error }) => error)).toEqual(Array(3).fill(null));
  await other.query('rollback');
});

test('whoever is given data by a renewal has a range of its own, and ends with them', async () => {
  const attempts = await claimed(20);
  const reports = attempts.slice(0, 5).map((attempt, index) => ({ attempt, data: { renewed: index } }));
  expect((await namespace.renewAll(reports, 60_000)).map(({ error }) => error)).toEqual(Array(5).fill(null));
  expect(await ranges()).toEqual(expect.arrayContaining([1, 1, 1, 1, 1, 15]));
  expect(await finishAll(attempts)).toEqual(all(20));
  expect(await Promise.all(attempts.map(async (attempt) => (await attempt.read()).data))).toEqual(
    attempts.map((_, index) => (index < 5 ? { renewed: index } : { index })),
  );
  expect(await ranges()).toEqual([]);
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
