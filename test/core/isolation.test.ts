import pg from 'pg';
import { connect, migrate } from 'pg-coordinate';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';

const database = await testDatabase();
/** A database of its own, in which every transaction is serializable unless it says otherwise. */
const name = `${database.schema}_serializable`;
const url = new URL(inject('databaseUrl'));
url.pathname = `/${name}`;

beforeAll(async () => {
  await database.query(`create database ${name}`);
  await database.query(`alter database ${name} set default_transaction_isolation = 'serializable'`);
});
afterAll(async () => {
  await database.query(`drop database ${name} with (force)`);
});

describe('a database whose transactions are serializable by default', () => {
  test('is one', async () => {
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    const { rows } = await client.query('show transaction_isolation');
    await client.end();
    expect(rows).toEqual([{ transaction_isolation: 'serializable' }]);
  });

  test('makes our statements no different: nothing collides that would not elsewhere', async () => {
    await migrate(url.href);
    await using coordinate = await connect(url.href, { pool: { max: 8 } });
    const namespace = await coordinate.namespace('');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const units = Array.from({ length: 200 }, (_, index) => ({ name: `unit ${index}`, data: { index } }));
    const worker = await namespace.worker('worker');
    // The same names from everywhere; then reports of all of them in turn.
    await Promise.all(Array.from({ length: 8 }, () => spec.addWorkUnits(units)));
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 200 });
    await Promise.all(attempts.map((attempt) => attempt.finish({ done: true })));
    await Promise.all(Array.from({ length: 8 }, () => spec.addWorkUnits(units)));

    expect(await spec.countWorkUnitStatus()).toEqual({ available: 200 });
    expect(coordinate.statistics).toMatchObject({ serializationFailures: 0, deadlocks: 0, exhausted: 0 });
  });

  test('leaves transactions of ours at what is asked for', async () => {
    await migrate(url.href);
    await using coordinate = await connect(url.href);
    const show = async (isolation?: 'read committed' | 'serializable'): Promise<unknown> =>
      coordinate.transaction(async (client) => (await client.query('show transaction_isolation')).rows, isolation && { isolation });
    expect(await show()).toEqual([{ transaction_isolation: 'read committed' }]);
    expect(await show('read committed')).toEqual([{ transaction_isolation: 'read committed' }]);
    expect(await show('serializable')).toEqual([{ transaction_isolation: 'serializable' }]);
  });

  test('loses nothing where the session is not ours to set: what collides is run again', async () => {
    await migrate(url.href);
    await using coordinate = await connect(url.href, { sessionSettings: false, pool: { max: 4 }, retry: { retries: 100 } });
    const namespace = await coordinate.namespace('unset');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const units = Array.from({ length: 50 }, (_, index) => ({ name: `unit ${index}`, data: { index } }));
    const blocker = new pg.Client({ connectionString: url.href });
    await blocker.connect();
    onTestFinished(() => blocker.end());
    await blocker.query('begin; lock table coordinate_bucket_1.work_unit in access exclusive mode');
    const adding = Promise.all(Array.from({ length: 8 }, () => spec.addWorkUnits(units)));
    // Neither sees what the other adds, as both have begun.
    await until('two of them wait', async () => {
      const waiting = await database.query(`select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`, [name]);
      return waiting.length >= 2;
    });
    await blocker.query('commit');
    await adding;
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 50 });
    // Were there none, the tests above would prove nothing.
    expect(coordinate.statistics.serializationFailures).toBeGreaterThan(0);
  });
});
