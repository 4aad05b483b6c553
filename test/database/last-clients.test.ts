import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Database, statement, StatementSet, type Row } from '../../src/database/index.js';
import { defaultRetryOptions } from '../../src/database/retry.js';
import { testDatabase } from '../support/database.js';
import { freezeTime } from './frozen-time.js';
import { until } from './until.js';

/*
 * A statement runs where it ran last, and is planned already, if that session is idle.
 */

const { query, url } = await testDatabase();

const set = new StatementSet('public', 'public');
const whoRuns = (label: string) => set.prepare(statement(label, () => 'select pg_backend_pid() as pid'));
const [first, second] = [whoRuns('test.first'), whoRuns('test.second')];
const sleeping = set.prepare(statement('test.sleeping', () => 'select pg_backend_pid() as pid from pg_sleep($1::float8)'));

function databaseOn(max: number, ownsPool = true): { readonly database: Database; readonly pool: pg.Pool } {
  const pool = new pg.Pool({ connectionString: url, max, pipeline: true });
  const logger = { warn: vi.fn(), error: vi.fn(), info: vi.fn(), debug: vi.fn() };
  const database = new Database({ pool, ownsPool, pipeline: true, prepare: true, target: 'a test', schema: 'public', retry: defaultRetryOptions, logger });
  onTestFinished(async () => {
    await database.close();
    if (!ownsPool) await pool.end();
  });
  return { database, pool };
}

async function pidOf(run: Promise<readonly Row[]>): Promise<unknown> {
  const [row] = await run;
  return row?.pid;
}

/** Opens so many connections, all idle then. */
async function fill(pool: pg.Pool, count: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  for (const client of clients) client.release();
}

test('whatever else runs between, alone, in a trip with others and in a transaction', async () => {
  freezeTime();
  const { database, pool } = databaseOn(4);
  await fill(pool, 4);
  // On two sessions, as they run at the same time.
  const [one, other] = await Promise.all([pidOf(database.run(first)), pidOf(database.run(second))]);
  expect(one).not.toBe(other);
  for (let round = 0; round < 4; round++) {
    const ran = round % 2 === 0 ? [first, second] : [second, first];
    for (const of of ran) expect(await pidOf(database.run(of))).toBe(of === first ? one : other);
    const [, trip] = await database.runInOneTrip([[sleeping, [0]], [first, []]]);
    expect(trip?.[0]?.pid).toBe(one);
    const [, rows] = await database.transactionInOneTrip({}, ['select 1', [second, []]]);
    expect(rows?.[0]?.pid).toBe(other);
  }
  // Wherever it ran last.
  const [answer] = await database.runAndFollow([first, []], [second, []]);
  expect(answer[0]?.pid).toBe(one);
  expect(await pidOf(database.run(second))).toBe(one);
});

test('also when several are asked for at the same time', async () => {
  freezeTime();
  const { database, pool } = databaseOn(4);
  await fill(pool, 4);
  const all = [first, second, set.prepare(statement('test.third', () => 'select pg_backend_pid() as pid'))];
  const where = await Promise.all(all.map((of) => pidOf(database.run(of))));
  for (let round = 0; round < 4; round++) expect(await Promise.all(all.map((of) => pidOf(database.run(of))))).toEqual(where);
});

test('if that is busy, elsewhere', async () => {
  const { database, pool } = databaseOn(3);
  await fill(pool, 3);
  await database.transaction({}, async (transaction) => {
    const [row] = await transaction.run(first);
    expect(await pidOf(database.run(first))).not.toBe(row?.pid);
  });
});

test('if that was ended meanwhile, elsewhere', async () => {
  const { database, pool } = databaseOn(3);
  await fill(pool, 3);
  const [last] = await Promise.all([pidOf(database.run(first)), pidOf(database.run(second))]);
  await query('select pg_terminate_backend($1)', [last]);
  await until('the pool has seen it', async () => pool.totalCount < 3);
  expect(await pidOf(database.run(first))).not.toBe(last);
});

test('not after a while, so that connections nobody needs are closed', async () => {
  const time = freezeTime();
  const { database, pool } = databaseOn(3);
  await fill(pool, 3);
  const [one, other] = await Promise.all([pidOf(database.run(first)), pidOf(database.run(second))]);
  expect(await pidOf(database.run(first))).toBe(one);
  time.pass(3_001);
  expect([await pidOf(database.run(second)), other]).toEqual([one, other]);
});

test('not on a pool of the user, whose order is its own', async () => {
  const { database, pool } = databaseOn(3, false);
  await fill(pool, 3);
  const one = await pidOf(database.run(first));
  const client = await pool.connect();
  const other = await pool.connect();
  client.release();
  other.release();
  expect(await pidOf(database.run(first))).not.toBe(one);
});
