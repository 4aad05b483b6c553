import { InvalidArgumentError, RetriesExhaustedError, type PostgresCoordinate } from 'pg-coordinate';
import { beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { makeAccounts } from './accounts.js';
import { barrier } from './barrier.js';
import { caught } from './caught.js';

const database = await testDatabase();
const account = await makeAccounts(database);
const { table } = account;
/** Quick to try again. */
const retry = { minDelayMs: 1, maxDelayMs: 5 };
const serializable = { isolation: 'serializable' } as const;

beforeEach(() => account.reset(100, 100));

/** A body that fails by the server's own error, as if it had collided; so often. */
function failing(times: number, sqlState: string): Parameters<PostgresCoordinate['transaction']>[0] {
  let left = times;
  return async (transaction) => {
    await transaction.query(`update ${table} set amount = amount + 1 where id = 1`);
    if (left-- > 0) await transaction.query(`do $$ begin raise exception 'collided' using errcode = '${sqlState}'; end $$`);
  };
}

describe('two transactions that collide', () => {
  test('are serialized: one of them is run again, and both succeed', async () => {
    const coordinate = await database.connect({ retry });
    const bothHaveRead = barrier(2);
    let runs = 0;
    // Write skew: both may take 150 as long as 200 are there. Only a serializable transaction notices.
    const take = (id: number): Promise<boolean> =>
      coordinate.transaction(async (transaction) => {
        runs++;
        const { rows } = await transaction.query(`select sum(amount)::integer as total from ${table}`);
        await bothHaveRead();
        if ((rows[0] as { total: number }).total < 150) return false;
        await transaction.query(`update ${table} set amount = amount - 150 where id = $1`, [id]);
        return true;
      }, serializable);
    const taken = await Promise.all([take(1), take(2)]);
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect((await account.read()).toSorted((a, b) => a - b)).toEqual([-50, 100]);
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(coordinate.statistics).toEqual({ committed: 2, serializationFailures: runs - 2, deadlocks: 0, exhausted: 0 });
  });

  test('by a deadlock are both run to their end', async () => {
    const coordinate = await database.connect({ retry });
    const bothHoldOne = barrier(2);
    let runs = 0;
    const move = (from: number, to: number): Promise<unknown> =>
      coordinate.transaction(async (transaction) => {
        runs++;
        await transaction.query(`update ${table} set amount = amount - 10 where id = $1`, [from]);
        await bothHoldOne();
        await transaction.query(`update ${table} set amount = amount + 30 where id = $1`, [to]);
      });
    await Promise.all([move(1, 2), move(2, 1)]);
    expect(await account.read()).toEqual([120, 120]);
    expect(runs).toBe(3);
    expect(coordinate.statistics).toEqual({ committed: 2, serializationFailures: 0, deadlocks: 1, exhausted: 0 });
  });

  test('of many that add to one row, none is lost', async () => {
    const coordinate = await database.connect({ retry: { ...retry, retries: 200 }, pool: { max: 8 } });
    const add = (): Promise<unknown> =>
      coordinate.transaction(async (transaction) => {
        const { rows } = await transaction.query(`select amount from ${table} where id = 1`);
        await transaction.query(`update ${table} set amount = $1 where id = 1`, [(rows[0] as { amount: number }).amount + 1]);
      }, serializable);
    await Promise.all(Array.from({ length: 24 }, add));
    expect(await account.read()).toEqual([124, 100]);
    expect(coordinate.statistics).toMatchObject({ committed: 24, exhausted: 0 });
  });
});

describe('trying again', () => {
  test.each([
    ['40001', { serializationFailures: 3, deadlocks: 0 }],
    ['40P01', { serializationFailures: 0, deadlocks: 3 }],
  ])('goes on after %s until it succeeds, and what failed has left no trace', async (sqlState, counted) => {
    const coordinate = await database.connect({ retry: { ...retry, retries: 3 } });
    await coordinate.transaction(failing(3, sqlState));
    expect(await account.read()).toEqual([101, 100]);
    expect(coordinate.statistics).toEqual({ committed: 1, exhausted: 0, ...counted });
  });

  test.each([0, 1, 4])('ends after %i retries with RetriesExhausted and what happened last', async (retries) => {
    const coordinate = await database.connect({ retry: { ...retry, retries } });
    const error = await caught(coordinate.transaction(failing(Infinity, '40001')));
    expect(error).toBeInstanceOf(RetriesExhaustedError);
    expect(error).toMatchObject({ code: 'RetriesExhausted', status: 503, details: { attempts: retries + 1 } });
    expect((error as Error).cause).toMatchObject({ code: '40001', message: 'collided' });
    expect((error as Error).message).toContain(`${retries + 1}`);
    expect(await account.read()).toEqual([100, 100]);
    expect(coordinate.statistics).toEqual({ committed: 0, serializationFailures: retries + 1, deadlocks: 0, exhausted: 1 });
  });

  test.each(['40000', '40002', '40003', '55P03', '57014', '23P01', 'P0001'])('is not done after %s', async (sqlState) => {
    const coordinate = await database.connect({ retry });
    expect(await caught(coordinate.transaction(failing(1, sqlState)))).toMatchObject({ code: sqlState });
    expect(coordinate.statistics).toEqual({ committed: 0, serializationFailures: 0, deadlocks: 0, exhausted: 0 });
    expect(await account.read()).toEqual([100, 100]);
    await coordinate.close();
  });

  test('gives the client back while it waits, so that even a pool of one serves others', async () => {
    const coordinate = await database.connect({ retry: { ...retry, retries: 50 }, pool: { max: 1 } });
    let others = 0;
    await coordinate.transaction(async (transaction) => {
      if (others > 0) return;
      void coordinate.namespaces().then(() => others++);
      await transaction.query(`do $$ begin raise exception 'collided' using errcode = '40001'; end $$`);
    });
    expect(others).toBeGreaterThan(0);
  });

  test('waits ever longer, up to the longest pause', async () => {
    const coordinate = await database.connect({ retry: { retries: 6, minDelayMs: 10, maxDelayMs: 40 } });
    const begun: number[] = [];
    const ended: number[] = [];
    const collide = failing(Infinity, '40001');
    await caught(
      coordinate.transaction(async (transaction) => {
        begun.push(performance.now());
        await collide(transaction).finally(() => ended.push(performance.now()));
      }),
    );
    const pauses = begun.slice(1).map((time, index) => time - ended[index]!);
    // Timers may be a millisecond early.
    for (const [index, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(Math.min(10 * 2 ** index, 40) - 2);
    expect(pauses).toHaveLength(6);
  });

  test('is not done for an error that the caller’s code throws, though it looks like a collision', async () => {
    const coordinate = await database.connect({ retry });
    const thrown = Object.assign(new Error('of another database'), { code: '40001' });
    let runs = 0;
    const error = await caught(
      coordinate.transaction(async () => {
        runs++;
        throw thrown;
      }),
    );
    expect(error).toBe(thrown);
    expect(runs).toBe(1);
    expect(coordinate.statistics.serializationFailures).toBe(0);
  });

  test('hands out statistics that do not change any more', async () => {
    const coordinate = await database.connect();
    const { statistics } = coordinate;
    await coordinate.transaction(async () => undefined);
    expect(statistics.committed).toBe(0);
    expect(coordinate.statistics.committed).toBe(1);
  });
});

test.each([
  ['retries', -1],
  ['retries', 1.5],
  ['retries', '3'],
  ['minDelayMs', -1],
  ['maxDelayMs', Number.NaN],
  ['minDelayMs', Infinity],
])('the option retry.%s cannot be %s', async (option, value) => {
  const error = await caught(database.connect({ retry: { [option]: value } }));
  expect(error).toBeInstanceOf(InvalidArgumentError);
  expect(error).toMatchObject({ details: { field: `options.retry.${option}` } });
});
