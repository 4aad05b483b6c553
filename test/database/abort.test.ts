import { getEventListeners } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { makeAccounts } from './accounts.js';
import { caught } from './caught.js';
import { until, untilWaiting } from './until.js';

const database = await testDatabase();
const account = await makeAccounts(database);
const { table } = account;
const debit = `update ${table} set amount = amount - 10 where id = 1`;
const reason = new Error('we are shutting down');
const coordinate = await database.connect({ pool: { max: 1 } });

beforeEach(() => account.reset(100));

describe('a signal', () => {
  test.each([reason, 'stop', undefined, null])('that has fired before keeps the transaction from beginning (%s)', async (given) => {
    const controller = new AbortController();
    controller.abort(given);
    const before = coordinate.statistics;
    const body = (): never => expect.fail('it has begun');
    expect(await caught(coordinate.transaction(body, { signal: controller.signal }))).toBe(controller.signal.reason);
    expect(coordinate.statistics).toEqual(before);
  });

  test.each(['query', 'run'] as const)('that fires meanwhile rolls back at the next %s', async (how) => {
    const { signal, controller } = made();
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        await transaction.query(debit);
        controller.abort(reason);
        await (how === 'query' ? transaction.query(debit) : transaction.run({ name: 'debit', text: debit }));
        expect.fail('the statement was run');
      }, { signal }),
    );
    expect(error).toBe(reason);
    expect(await account.read()).toEqual([100]);
  });

  test('that fires meanwhile rejects the next statement, and does not throw out of it', async () => {
    const { signal, controller } = made();
    const outcomes: string[] = [];
    const outcomeOf = async (run: () => Promise<unknown>): Promise<void> => {
      try {
        outcomes.push(await run().then(() => 'done', () => 'rejected'));
      } catch {
        outcomes.push('thrown');
      }
    };
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        controller.abort(reason);
        await outcomeOf(() => transaction.query(debit));
        await outcomeOf(() => transaction.run({ name: 'debit', text: debit }));
        await outcomeOf(() => transaction.nested(async (inner) => inner.query(debit)));
      }, { signal }),
    );
    expect(error).toBe(reason);
    expect(outcomes).toEqual(['rejected', 'rejected', 'rejected']);
  });

  test('that fires meanwhile rolls back at the end, if no statement comes', async () => {
    const { signal, controller } = made();
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        await transaction.query(debit);
        controller.abort(reason);
      }, { signal }),
    );
    expect(error).toBe(reason);
    expect(await account.read()).toEqual([100]);
  });

  test('that fires does not hide what the body throws', async () => {
    const { signal, controller } = made();
    const thrown = new Error('mine');
    const error = await caught(
      coordinate.transaction(async () => {
        controller.abort(reason);
        throw thrown;
      }, { signal }),
    );
    expect(error).toBe(thrown);
  });

  test('that fires in a nested transaction ends the outer one too', async () => {
    const { signal, controller } = made();
    const error = await caught(
      coordinate.transaction(async (outer) => {
        await outer.query(debit);
        await caught(
          outer.nested(async (inner) => {
            controller.abort(reason);
            await inner.query(debit);
          }),
        );
      }, { signal }),
    );
    expect(error).toBe(reason);
    expect(await account.read()).toEqual([100]);
  });

  test('that fires while it waits to try again ends the wait at once', async () => {
    const patient = await database.connect({ retry: { minDelayMs: 3_600_000, maxDelayMs: 3_600_000 } });
    const { signal, controller } = made();
    let runs = 0;
    const transaction = caught(
      patient.transaction(async (client) => {
        runs++;
        await client.query(debit);
        await client.query(`do $$ begin raise exception 'collided' using errcode = '40001'; end $$`);
      }, { signal }),
    );
    await until('it waits to try again', () => patient.statistics.serializationFailures === 1);
    controller.abort(reason);
    expect(await transaction).toBe(reason);
    expect(runs).toBe(1);
    expect(await account.read()).toEqual([100]);
    expect(patient.statistics.exhausted).toBe(0);
  });

  test('that fires while it is being committed leaves it committed', async () => {
    await database.query(`
      create function ${database.schema}.wait() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock(hashtext('${database.schema}'));
        return null;
      end $$;
      create constraint trigger wait after update on ${table} deferrable initially deferred
      for each row execute function ${database.schema}.wait()`);
    const holder = await database.client();
    await holder.query(`select pg_advisory_lock(hashtext($1))`, [database.schema]);

    const { signal, controller } = made();
    const committing = coordinate.transaction(async (transaction) => {
      await transaction.query(debit);
      return 'committed';
    }, { signal });
    await untilWaiting(database);
    controller.abort(reason);
    await holder.query(`select pg_advisory_unlock(hashtext($1))`, [database.schema]);
    expect(await committing).toBe('committed');
    expect(await account.read()).toEqual([90]);
    await database.query(`drop trigger wait on ${table}`);
  });

  test('that fires afterwards changes nothing', async () => {
    const { signal, controller } = made();
    await coordinate.transaction((transaction) => transaction.query(debit), { signal });
    controller.abort(reason);
    expect(await account.read()).toEqual([90]);
    expect(await coordinate.namespaces()).toEqual([]);
  });

  test('may be shared by many transactions, and keeps no listeners', async () => {
    const { signal } = made();
    for (let round = 0; round < 20; round++) await coordinate.transaction((transaction) => transaction.query(debit), { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

function made(): { controller: AbortController; signal: AbortSignal } {
  const controller = new AbortController();
  return { controller, signal: controller.signal };
}
