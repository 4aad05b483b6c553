import pg from 'pg';
import { connect } from 'pg-coordinate';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { statement, StatementSet } from '../../src/database/index.js';
import { testDatabase } from '../support/database.js';
import { makeAccounts } from './accounts.js';
import { caught } from './caught.js';

const database = await testDatabase();
const coordinate = await database.connect({ pool: { max: 2 } });
const account = await makeAccounts(database);
const { table } = account;
const debit = `update ${table} set amount = amount - 10 where id = 1`;

/** One client, so that what becomes of it can be seen. */
const pool = new pg.Pool({ connectionString: database.url, max: 1, application_name: `pg-coordinate test ${database.schema}` });
const onPool = await connect(pool, { schema: database.schema });
afterAll(async () => {
  await onPool.close();
  await pool.end();
});

beforeEach(() => account.reset(100, 200));

describe('a transaction', () => {
  test('commits what its body did, and resolves to what it returned', async () => {
    const seen = await coordinate.transaction(async (transaction) => {
      await transaction.query(`update ${table} set amount = amount + $1 where id = $2`, [5, 1]);
      const { rows } = await transaction.query(`select amount from ${table} where id = 1`);
      return rows;
    });
    expect(seen).toEqual([{ amount: 105 }]);
    expect(await account.read()).toEqual([105, 200]);
  });

  test('may return nothing', async () => {
    const returned: unknown = await coordinate.transaction(async (): Promise<unknown> => undefined);
    expect(returned).toBeUndefined();
  });

  test('runs prepared statements, and shows its client', async () => {
    const read = new StatementSet(database.schema, database.schema).prepare(
      statement('test.read', (s) => `select amount from ${s}.account where id = $1::integer`),
    );
    await coordinate.transaction(async (transaction) => {
      await transaction.client.query(debit);
      expect(await transaction.run(read, [1])).toEqual([{ amount: 90 }]);
    });
    expect(await account.read()).toEqual([90, 200]);
  });

  test.each([
    ['read committed', undefined],
    ['read committed', 'read committed'],
    ['serializable', 'serializable'],
  ] as const)('is %s when %s is asked for', async (expected, isolation) => {
    const shown = await coordinate.transaction(
      async (transaction) => (await transaction.query('show transaction_isolation')).rows,
      isolation && { isolation },
    );
    expect(shown).toEqual([{ transaction_isolation: expected }]);
  });

  test('sees nothing of others that have not committed, nor they of it', async () => {
    await coordinate.transaction(async (transaction) => {
      await transaction.query(debit);
      expect(await account.read()).toEqual([100, 200]);
    });
    expect(await account.read()).toEqual([90, 200]);
  });

  test.each([
    ['an Error', new Error('no')],
    ['a frozen Error', Object.freeze(new RangeError('frozen'))],
    ['a TypeError, which p-retry takes for something else', new TypeError('no')],
    ['a text', 'no'],
    ['undefined', undefined],
    ['null', null],
    ['zero', 0],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { no: true })],
    ['an object with a code that is not text', { code: 40001 }],
  ])('rolls back when its body throws %s, runs it once, and throws that on', async (_, thrown) => {
    let runs = 0;
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        runs++;
        await transaction.query(debit);
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- JavaScript lets users throw anything.
        throw thrown;
      }),
    );
    expect(error).toBe(thrown);
    expect(runs).toBe(1);
    expect(await account.read()).toEqual([100, 200]);
  });

  test('rolls back when its body throws before it returns a promise', async () => {
    const thrown = new Error('at once');
    const body = (): Promise<void> => {
      throw thrown;
    };
    expect(await caught(onPool.transaction(body))).toBe(thrown);
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1 });
  });

  test('raises what PostgreSQL says as it is, and runs its body once', async () => {
    let runs = 0;
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        runs++;
        await transaction.query(debit);
        await transaction.query(`insert into ${table} values (2, 0)`);
      }),
    );
    expect(error).toBeInstanceOf(pg.DatabaseError);
    expect(error).toMatchObject({ code: '23505', constraint: 'account_pkey' });
    expect(runs).toBe(1);
    expect(await account.read()).toEqual([100, 200]);
  });

  // Of statements of ours these mean something else.
  test.each([
    ['42P01', 'select * from no_such_table'],
    ['3F000', 'create table no_such_schema.mine (id integer)'],
    ['42883', 'select no_such_function(1)'],
    ['22003', 'select 2147483647::integer + 1'],
  ])('raises %s of the caller’s own SQL as it is', async (code, sql) => {
    const error = await caught(coordinate.transaction((transaction) => transaction.query(sql)));
    expect(error).toBeInstanceOf(pg.DatabaseError);
    expect(error).toMatchObject({ code });
  });

  test('is no success when a statement of it failed, though its body made little of that', async () => {
    const error = await caught(
      onPool.transaction(async (transaction) => {
        await transaction.query(debit);
        await transaction.query('select 1 / 0').catch(() => undefined);
        return 'all is well';
      }),
    );
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(/rolled back/);
    expect(await account.read()).toEqual([100, 200]);
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1, waitingCount: 0 });
  });
});

describe('the client of a transaction', () => {
  const pidOf = async (): Promise<number> => {
    const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
    return rows[0]!.pid;
  };

  test.each([
    ['commits', async () => undefined],
    [
      'throws',
      async () => {
        throw new Error('no');
      },
    ],
    ['leaves it aborted', async ({ query }) => query('select 1 / 0').catch(() => undefined)],
    ['is aborted by an error', async ({ query }) => query('select 1 / 0')],
    ['has rolled back by itself', async ({ query }) => query('rollback')],
  ] as [string, Parameters<typeof onPool.transaction>[0]][])('goes back to the pool idle when its body %s', async (_, body) => {
    const before = await pidOf();
    await onPool.transaction(body).catch(() => undefined);
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1, waitingCount: 0 });
    // Not in a transaction: what is written is there for others at once.
    await pool.query(debit);
    expect(await account.read()).toEqual([90, 200]);
    expect(await pidOf()).toBe(before);
  });

  test('leaves no setting of the transaction behind', async () => {
    const read = async (): Promise<unknown> => (await pool.query('select name, setting from pg_settings where source = $1', ['session'])).rows;
    const before = await read();
    await onPool.transaction(async (transaction) => transaction.query("set local work_mem = '1MB'"), { isolation: 'serializable' });
    expect(await read()).toEqual(before);
  });

  test('is discarded when a transaction cannot be ended on it', async () => {
    const before = await pidOf();
    const thrown = new Error('mine');
    const error = await caught(
      onPool.transaction(async ({ client }) => {
        // As if the client did not get its ROLLBACK through.
        const query = client.query.bind(client) as (text: string) => Promise<unknown>;
        client.query = ((text: string) =>
          text === 'rollback' ? Promise.reject(new Error('no rollback')) : query(text)) as unknown as typeof client.query;
        throw thrown;
      }),
    );
    expect(error).toBe(thrown);
    expect(pool).toMatchObject({ totalCount: 0, idleCount: 0 });
    expect(await pidOf()).not.toBe(before);
  });
});

describe('a transaction inside a transaction', () => {
  test('is undone alone when it throws, and the outer one goes on', async () => {
    const thrown = new Error('inner');
    await coordinate.transaction(async (outer) => {
      await outer.query(debit);
      const error = await caught(
        outer.nested(async (inner) => {
          await inner.query(`delete from ${table}`);
          throw thrown;
        }),
      );
      expect(error).toBe(thrown);
    });
    expect(await account.read()).toEqual([90, 200]);
  });

  test('is undone alone when a statement of it fails, and may throw anything', async () => {
    await coordinate.transaction(async (outer) => {
      await outer.query(debit);
      expect(await caught(outer.nested((inner) => inner.query('select 1 / 0')))).toMatchObject({ code: '22012' });
      expect(await caught(outer.nested(() => Promise.reject(undefined as unknown as Error)))).toBeUndefined();
      await outer.query(debit);
    });
    expect(await account.read()).toEqual([80, 200]);
  });

  test('is undone with the outer one', async () => {
    await coordinate
      .transaction(async (outer) => {
        expect(await outer.nested(async (inner) => (await inner.query(`${debit} returning amount`)).rows)).toEqual([{ amount: 90 }]);
        throw new Error('outer');
      })
      .catch(() => undefined);
    expect(await account.read()).toEqual([100, 200]);
  });

  test('nests further, and may be begun again and again', async () => {
    await coordinate.transaction(async (outer) => {
      for (let round = 0; round < 3; round++) {
        await outer.nested(async (inner) => {
          await inner.query(debit);
          await caught(
            inner.nested(async (innermost) => {
              await innermost.query(`delete from ${table}`);
              await innermost.nested((transaction) => transaction.query(debit));
              throw new Error('innermost');
            }),
          );
        });
        await caught(
          outer.nested(async (inner) => {
            await inner.nested((transaction) => transaction.query(debit));
            throw new Error('inner');
          }),
        );
      }
    });
    expect(await account.read()).toEqual([70, 200]);
  });

  test('that commits while its statement has failed does not', async () => {
    await coordinate.transaction(async (outer) => {
      await outer.query(debit);
      const error = await caught(outer.nested(async (inner) => inner.query('select 1 / 0').catch(() => 'ignored')));
      expect(error).toMatchObject({ code: '25P02' });
    });
    expect(await account.read()).toEqual([90, 200]);
  });
});
