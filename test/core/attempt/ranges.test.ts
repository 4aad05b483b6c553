import { randomUUID } from 'node:crypto';
import type { Attempt, CoordinateError, Namespace, Worker, WorkSpec } from 'pg-coordinate';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { expectConsistent } from '../../concurrency/consistency.js';
import { testDatabase } from '../../support/database.js';
import { countedOwnConnection } from '../producers/statements.js';

/*
 * Attempts that were claimed together and end together are one row of history, a range. Nobody is to see a difference to a row for each.
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
  expect(await database.query(`select from ${bucket}.attempt_range`)).toEqual([]);
  expect(await database.query(`select from ${bucket}.lease_range`)).toEqual([]);
});

const nameOf = (index: number): string => `unit ${String(index).padStart(4, '0')}`;

async function claimed(count: number, of = spec): Promise<Attempt[]> {
  await of.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: nameOf(index), data: { index } })));
  const attempts = await worker.requestAttempts({ numberOfWorkUnits: count, workSpecs: [of] });
  expect(attempts).toHaveLength(count);
  sent('');
  return attempts;
}

async function finishAll(attempts: readonly Attempt[]): Promise<string[]> {
  const verdicts = await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
  return verdicts.map(({ error }) => error?.code ?? 'finished');
}

async function failAll(attempts: readonly Attempt[]): Promise<void> {
  const verdicts = await namespace.failAll(attempts.map((attempt) => ({ attempt })));
  expect(verdicts.map(({ error }) => error)).toEqual(attempts.map(() => null));
}

const ranges = (): Promise<Record<string, unknown>[]> =>
  database.query(
    `select first_number::float8 as first, last_number::float8 as last, status, cardinality(unit_ids) as count from ${bucket}.attempt_range order by 1`,
  );

async function rows(): Promise<number> {
  const [row] = await database.query(`select count(*)::int as count from ${bucket}.attempt`);
  return row?.count as number;
}

const numbersOf = (attempts: readonly (Attempt | undefined)[]): (number | undefined)[] => attempts.map((attempt) => attempt?.number);

/** All that the worker ever did, in pages. */
async function listed(limit: number, after = 0): Promise<Attempt[]> {
  const found: Attempt[] = [];
  for (;;) {
    const page = await worker.allAttempts({ after: found.at(-1)?.number ?? after, limit });
    found.push(...page);
    if (page.length < limit) return found;
  }
}

test('attempts of a claim that end together are one row, and each reads as its own', async () => {
  const attempts = await claimed(40);
  expect(await finishAll(attempts)).toEqual(Array(40).fill('finished'));
  expect(sentOf('attempt.')).toEqual(['attempt.end-in-ranges']);
  expect(await ranges()).toEqual([{ first: attempts[0]?.number, last: attempts[39]?.number, status: 'finished', count: 40 }]);
  expect(await rows()).toBe(0);
  for (const index of [0, 17, 39]) {
    const attempt = attempts[index]!;
    const { status, data, startTime, endTime, expirationTime } = await attempt.read();
    expect({ status, data }).toEqual({ status: 'finished', data: { index } });
    expect([startTime, expirationTime]).toEqual([attempt.startTime, attempt.expirationTime]);
    expect(endTime?.getTime()).toBeGreaterThanOrEqual(startTime.getTime());
    const unit = await spec.workUnit(nameOf(index));
    expect([await unit.status(), await unit.numAttempts(), await unit.data()]).toEqual(['finished', 1, { index }]);
    expect((await unit.activeAttempt())?.number).toBe(attempt.number);
    expect((await unit.attempts()).map((each) => [each.number, each.status, each.worker.name, each.data])).toEqual([
      [attempt.number, 'finished', 'worker', { index }],
    ]);
    expect((await unit.explain()).status).toBe('finished');
  }
  expect(await spec.countWorkUnitStatus()).toEqual({ finished: 40 });
});

test.each([1, 7, 40, 100])('a worker’s attempts come in order, in pages of %i', async (limit) => {
  const first = await claimed(100);
  // Three ranges, and between them an attempt with data of its own, and one that still runs.
  await namespace.finishAll(first.filter((_, index) => index !== 50 && index !== 60).map((attempt) => ({ attempt })));
  expect((await ranges()).map(({ count }) => count)).toEqual([50, 9, 39]);
  await first[50]?.finish({ own: true });
  const pages = await listed(limit);
  expect(numbersOf(pages)).toEqual(numbersOf(first));
  expect(pages.map(({ status }) => status)).toEqual(first.map((_, index) => (index === 60 ? 'pending' : 'finished')));
  expect(pages.map(({ data }) => data)).toEqual(first.map((_, index) => (index === 50 ? { own: true } : { index })));
  const after = first[33]!.number;
  expect(numbersOf(await listed(limit, after))).toEqual(numbersOf(first.slice(34)));
  expect(await (await namespace.worker('another')).allAttempts()).toEqual([]);
});

test('a range is of one claim, and has at most 200 units, uncompressed', async () => {
  const attempts = await claimed(520);
  await spec.addWorkUnits(Array.from({ length: 30 }, (_, index) => ({ name: `later ${index}`, data: {} })));
  const others = await worker.requestAttempts({ numberOfWorkUnits: 30 });
  expect(others[0]?.number).toBe(attempts[519]!.number + 1);
  expect(await finishAll([...others, ...attempts])).toEqual(Array(550).fill('finished'));
  expect((await ranges()).map(({ count }) => count)).toEqual([200, 200, 120, 30]);
  const sizes = await database.query<{ size: number }>(`select pg_column_size(unit_ids) as size from ${database.bucket}.attempt_range where cardinality(unit_ids) = 200`);
  expect(sizes.map(({ size }) => size >= 8 * 200)).toEqual([true, true]);
  expect(numbersOf(await listed(1_000))).toEqual(numbersOf([...attempts, ...others]));
});

test('those of several specs end together, each in a range of its own', async () => {
  const other = await namespace.setWorkSpec({ name: 'other' });
  const [ours, theirs] = [await claimed(20), await claimed(20, other)];
  expect(await finishAll([...ours, ...theirs])).toEqual(Array(40).fill('finished'));
  expect(await ranges()).toHaveLength(2);
  expect([await spec.countWorkUnitStatus(), await other.countWorkUnitStatus()]).toEqual([{ finished: 20 }, { finished: 20 }]);
  expect(await theirs[7]?.workUnit.status()).toBe('finished');
});

describe('there is a row for each', () => {
  test('if they are few', async () => {
    await finishAll(await claimed(15));
    expect([await ranges(), await rows()]).toEqual([[], 15]);
  });

  test('if their numbers have gaps', async () => {
    const attempts = await claimed(64);
    await finishAll(attempts.filter((_, index) => index % 2 === 0));
    expect([await ranges(), await rows()]).toEqual([[], 32]);
    expect(numbersOf((await listed(100)).filter(({ status }) => status === 'finished'))).toEqual(numbersOf(attempts.filter((_, index) => index % 2 === 0)));
  });

  test('if any of them has data', async () => {
    const attempts = await claimed(40);
    await namespace.finishAll(attempts.map((attempt, index) => (index === 3 ? { attempt, data: {} } : { attempt })));
    expect([await ranges(), await rows()]).toEqual([[], 40]);
    expect((await attempts[3]?.read())?.data).toEqual({});
  });

  test('if any was given data while it ran, by somebody else', async () => {
    const attempts = await claimed(40);
    const [seen] = await worker.activeAttempts();
    await seen?.renew(60_000, { progress: 1 });
    expect(await finishAll(attempts)).toEqual(Array(40).fill('finished'));
    expect([await ranges(), await rows()]).toEqual([[], 40]);
    expect((await attempts[0]?.read())?.data).toEqual({ progress: 1 });
  });

  test('if they may have output for a next spec, which is made', async () => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    await spec.setData({ name: 'spec', then: 'next' });
    await spec.addWorkUnits(Array.from({ length: 20 }, (_, index) => ({ name: nameOf(index), data: { output: [`of ${index}`] } })));
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 20 });
    expect(await finishAll(attempts)).toEqual(Array(20).fill('finished'));
    expect([await ranges(), await rows()]).toEqual([[], 20]);
    expect(await next.countWorkUnitStatus()).toEqual({ available: 20 });
  });
});

test('failed ones are in ranges although their spec has a next one, as they have no output', async () => {
  await namespace.setWorkSpec({ name: 'next' });
  await spec.setData({ name: 'spec', then: 'next' });
  await failAll(await claimed(20));
  expect((await ranges()).map(({ status, count }) => [status, count])).toEqual([['failed', 20]]);
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 20 });
});

describe('an attempt in a range stays as it was', () => {
  test('when its unit is made available again, and runs again', async () => {
    const attempts = await claimed(20);
    await finishAll(attempts);
    await (await spec.workUnit(nameOf(5))).clearActiveAttempt();
    expect(numbersOf(await listed(7))).toEqual(numbersOf(attempts));
    expect(await (await spec.workUnit(nameOf(5))).numAttempts()).toBe(1);
    const [again] = await worker.requestAttempts();
    await again?.finish({ second: true });
    const unit = await spec.workUnit(nameOf(5));
    expect((await unit.attempts()).map(({ number, status, data }) => [number, status, data])).toEqual([
      [attempts[5]?.number, 'finished', { index: 5 }],
      [again?.number, 'finished', { second: true }],
    ]);
    expect(numbersOf(await listed(7))).toEqual(numbersOf([...attempts, again]));
  });

  test('when its unit is added anew with other data', async () => {
    const attempts = await claimed(20);
    await finishAll(attempts);
    await spec.addWorkUnits(attempts.map(({ workUnit }) => ({ name: workUnit.name, data: { anew: true } })));
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 20 });
    expect([await ranges(), await rows()]).toEqual([[], 20]);
    expect((await listed(100)).map(({ status, data }) => [status, data])).toEqual(attempts.map((_, index) => ['finished', { index }]));
    expect(await finishAll(await worker.requestAttempts({ numberOfWorkUnits: 20 }))).toEqual(Array(20).fill('finished'));
    expect([(await ranges()).length, await rows()]).toEqual([1, 20]);
    expect((await listed(9)).map(({ data }) => data)).toEqual([...attempts.map((_, index) => ({ index })), ...attempts.map(() => ({ anew: true }))]);
  });

  test('when another is forced on its unit', async () => {
    const attempts = await claimed(20);
    await finishAll(attempts);
    const forced = await worker.makeAttempt(await spec.workUnit(nameOf(3)));
    expect((await (await spec.workUnit(nameOf(3))).attempts()).map(({ status }) => status)).toEqual(['finished', 'pending']);
    expect(numbersOf(await listed(100))).toEqual(numbersOf([...attempts, forced]));
  });
});

test('a failed one can still be finished, and is listed once', async () => {
  const attempts = await claimed(20);
  await failAll(attempts);
  await attempts[4]?.finish({ after: 'all' });
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 19, finished: 1 });
  const all = await listed(6);
  expect(numbersOf(all)).toEqual(numbersOf(attempts));
  expect(all.map(({ status }) => status)).toEqual(attempts.map((_, index) => (index === 4 ? 'finished' : 'failed')));
  expect(await (await spec.workUnit(nameOf(4))).data()).toEqual({ after: 'all' });
});

test.each(['repeatable read', 'serializable'])('whoever has an old snapshot, %s, fails instead of writing a second history', async (isolation) => {
  const attempts = await claimed(20);
  await failAll(attempts);
  const client = await database.client();
  const unit = { name: nameOf(5), data: { anew: true } };
  for (const change of [
    async () => attempts[5]?.finish({ later: true }, { client }),
    async () => spec.addWorkUnits([unit], { client }),
    async () => attempts[6]?.finish({}, { client }),
  ]) {
    await client.query(`begin isolation level ${isolation}`);
    await client.query('select 1');
    // Changes nothing, but asks.
    await expect(attempts[5]?.fail()).rejects.toThrow('pending');
    await change();
    await client.query('commit');
  }
  await client.query(`begin isolation level ${isolation}`);
  await client.query(`select from ${bucket}.work_unit limit 1`);
  await attempts[7]?.finish({ now: true });
  await expect(spec.addWorkUnits([{ name: nameOf(7), data: {} }], { client })).rejects.toMatchObject({ code: '40001' });
  await client.query('rollback');
  expect((await (await spec.workUnit(nameOf(5))).attempts()).map(({ status, data }) => [status, data])).toEqual([['finished', { later: true }]]);
  expect(numbersOf(await listed(3))).toEqual(numbersOf(attempts));
});

test('what has ended is refused like any other', async () => {
  const attempts = await claimed(20);
  await finishAll(attempts);
  expect(await finishAll(attempts.slice(0, 2))).toEqual(['NotPending', 'NotPending']);
  await expect(attempts[2]?.retry()).rejects.toThrow('pending');
  await expect(attempts[3]?.renew()).rejects.toThrow('pending');
  await expect(attempts[4]?.expire()).rejects.toThrow('pending');
  expect(numbersOf(await listed(3))).toEqual(numbersOf(attempts));
});

test('what is deleted is in no list, and a range goes with the last of its units', async () => {
  const attempts = await claimed(40);
  await finishAll(attempts);
  expect(await spec.deleteWorkUnits({ names: attempts.slice(5, 30).map(({ workUnit }) => workUnit.key) })).toBe(25);
  const left = [...attempts.slice(0, 5), ...attempts.slice(30)];
  expect(numbersOf(await listed(4))).toEqual(numbersOf(left));
  expect(await ranges()).toHaveLength(1);
  await expect(attempts[6]?.read()).rejects.toMatchObject({ code: 'Gone' });
  expect(await spec.deleteWorkUnits()).toBe(15);
  expect(await ranges()).toEqual([]);
  expect(await listed(4)).toEqual([]);
});

test('if one of them is failed at the same moment, all are finished in the end, and it is listed once', async () => {
  for (let round = 0; round < 20; round++) {
    const attempts = await claimed(20);
    const [all, one] = await Promise.all([
      namespace.finishAll(attempts.map((attempt) => ({ attempt }))),
      attempts[7]!.fail({ round }).then(
        () => 'failed',
        (error: unknown) => (error as CoordinateError).code,
      ),
    ]);
    expect(all.map(({ error }) => error)).toEqual(Array(20).fill(null));
    // A failed one may be finished.
    expect(['failed', 'NotPending']).toContain(one);
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 20 });
    expect(numbersOf(await listed(100))).toEqual(numbersOf(attempts));
    await expectConsistent(database);
    await spec.deleteWorkUnits();
  }
});
