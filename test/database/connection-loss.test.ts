import pg from 'pg';
import { connect, ConnectionLostError, type PostgresCoordinate, type Transaction } from 'pg-coordinate';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { whileLocked } from '../core/blocked.js';
import { testDatabase } from '../support/database.js';
import { makeAccounts } from './accounts.js';
import { caught } from './caught.js';
import { until, untilWaiting } from './until.js';

const database = await testDatabase();
const account = await makeAccounts(database);
const { table } = account;
/** Of the connections that break; those by which the test itself looks on must not. */
const application = `to be lost ${database.schema}`;
const debit = `update ${table} set amount = amount - 10 where id = 1`;

beforeEach(() => account.reset(100));

/** Ends sessions of the coordinate's, as an operator or a crash of the server would. */
async function terminate(condition: string, ...values: unknown[]): Promise<void> {
  await database.query(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where application_name = $1 and ${condition}`,
    [application, ...values],
  );
}

async function terminateUnder(transaction: Transaction): Promise<void> {
  const { rows } = await transaction.query('select pg_backend_pid() as pid');
  await terminate('pid = $2', (rows[0] as { pid: number }).pid);
}

async function stillWorks(coordinate: PostgresCoordinate): Promise<void> {
  await coordinate.transaction((transaction) => transaction.query(debit));
  expect(await account.read()).toEqual([90]);
}

describe.each([
  ['our own pool', undefined],
  ["a user's pool", { max: 1 }],
  ["a user's pool that pipelines", { max: 1, pipeline: true }],
] as const)('on %s, a connection that breaks', (_, poolConfig) => {
  const pool = poolConfig && new pg.Pool({ connectionString: database.url, application_name: application, ...poolConfig });
  // An application that has a pool listens to its errors.
  pool?.on('error', () => undefined);
  const connecting = pool === undefined ? database.connect({ pool: { max: 1, application_name: application } }) : connect(pool, { schema: database.schema });
  afterAll(async () => {
    await (await connecting).close();
    await pool?.end();
  });

  test('is listened to by whoever has it, or Node would end the process; and no listeners pile up', async () => {
    const coordinate = await connecting;
    const count = (): Promise<number> => coordinate.transaction(async ({ client }) => client.listenerCount('error'));
    const first = await count();
    expect(first, 'listeners to the errors of a client that is lent').toBeGreaterThan(0);
    for (let round = 0; round < 12; round++) await coordinate.namespaces();
    expect(await count()).toBe(first);
  });

  test('under a statement of a transaction raises ConnectionLost, and the next one works', async () => {
    const coordinate = await connecting;
    let runs = 0;
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        runs++;
        await transaction.query(debit);
        await terminateUnder(transaction);
        await transaction.query(debit);
      }),
    );
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect(error).toMatchObject({ code: 'ConnectionLost', status: 503 });
    expect((error as Error).cause).toBeInstanceOf(Error);
    // Nobody knows what became of it: it is not for us to do it again.
    expect(runs).toBe(1);
    expect(await account.read()).toEqual([100]);
    if (pool !== undefined) expect(pool.totalCount).toBe(0);
    await stillWorks(coordinate);
  });

  test('under a running statement raises ConnectionLost', async () => {
    const coordinate = await connecting;
    const sleeping = caught(coordinate.transaction((transaction) => transaction.query('select pg_sleep(600)')));
    await until('it sleeps', async () => {
      const rows = await database.query(`select from pg_stat_activity where application_name = $1 and wait_event = 'PgSleep'`, [application]);
      return rows.length === 1;
    });
    await terminate("wait_event = 'PgSleep'");
    const error = await sleeping;
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect((error as Error).cause).toMatchObject({ code: '57P01' });
    await stillWorks(coordinate);
  });

  test('does not hide what the body throws, although the ROLLBACK fails', async () => {
    const coordinate = await connecting;
    const thrown = new Error('mine');
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        await transaction.query(debit);
        await terminateUnder(transaction);
        throw thrown;
      }),
    );
    expect(error).toBe(thrown);
    expect(await account.read()).toEqual([100]);
    await stillWorks(coordinate);
  });

  test('in a nested transaction does not hide what that throws', async () => {
    const coordinate = await connecting;
    const thrown = new Error('mine');
    const error = await caught(
      coordinate.transaction((outer) =>
        outer.nested(async (inner) => {
          await terminateUnder(inner);
          throw thrown;
        }),
      ),
    );
    expect(error).toBe(thrown);
    await stillWorks(coordinate);
  });

  test('is no success, though the body makes nothing of it', async () => {
    const coordinate = await connecting;
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        await transaction.query(debit);
        await terminateUnder(transaction);
        await caught(transaction.query(debit));
        return 'all is well';
      }),
    );
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect(await account.read()).toEqual([100]);
    await stillWorks(coordinate);
  });

  test('under an operation raises ConnectionLost, and the operation can be done again', async () => {
    const coordinate = await connecting;
    const namespace = await coordinate.namespace('loss');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const worker = await namespace.worker('worker');
    const operations = {
      add: () => spec.addWorkUnit('unit', {}),
      request: () => worker.requestAttempts(),
      look: () => spec.meta(),
    };
    for (const [name, operation] of Object.entries(operations)) {
      const error = await whileLocked(database, 'work_spec', async () => {
        const lost = caught(operation());
        await untilWaiting(database, application);
        await terminate("wait_event_type = 'Lock'");
        return lost;
      });
      expect(error, name).toBeInstanceOf(ConnectionLostError);
      await operation();
    }
    const [attempt] = await worker.activeAttempts();
    expect(attempt?.workUnit.name).toBe('unit');
    await namespace.destroy();
  });

  test('while it is idle goes unnoticed', async () => {
    const coordinate = await connecting;
    await coordinate.namespaces();
    await terminate("state = 'idle'");
    await until('the next use works', () =>
      // The client may not have heard of it yet.
      coordinate.namespaces().then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(ConnectionLostError);
          return false;
        },
      ),
    );
    await stillWorks(coordinate);
  });
});

test('a connection of our own that breaks while it is idle is told to the logger, without secrets', async () => {
  const warnings: string[] = [];
  const tell = (message: string): void => void warnings.push(message);
  const coordinate = await database.connect({ logger: { warn: tell, error: tell }, pool: { application_name: application } });
  await coordinate.namespaces();
  await terminate("state = 'idle'");
  await until('the logger is told', () => warnings.length > 0);
  expect(warnings.join('\n')).toMatch(/connection to PostgreSQL broke/);
  expect(warnings.join('\n')).not.toContain(decodeURIComponent(new URL(database.url).password));
});
