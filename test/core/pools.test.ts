import pg from 'pg';
import { connect, type ConnectOptions, type PostgresCoordinate } from 'pg-coordinate';
import { afterAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { everyFunction, makeObjects } from './public-functions.js';

/*
 * Every function works on every kind of pool, and needs no second connection. (test/database/pools.test.ts runs all of the conformance
 * suite on those that differ the most.)
 */

const database = await testDatabase();
const application = `pg-coordinate test ${database.schema}`;
const { schema } = database;

function userPool(config: pg.PoolConfig): (options?: ConnectOptions) => Promise<PostgresCoordinate> {
  const pool = new pg.Pool({ connectionString: database.url, application_name: application, ...config });
  afterAll(() => pool.end());
  return (options) => connect(pool, { schema, ...options });
}

const kinds: Readonly<Record<string, (options?: ConnectOptions) => Promise<PostgresCoordinate>>> = {
  'a pool of one connection': (options) => database.connect({ ...options, pool: { max: 1 } }),
  // As behind a pooler in transaction mode, which passes on neither start-up options nor prepared statements.
  'neither prepared statements nor session settings': (options) =>
    database.connect({ ...options, preparedStatements: false, sessionSettings: false }),
  "a user's pool": userPool({}),
  "a user's pool that pipelines": userPool({ pipeline: true }),
  "a user's pool of one connection": userPool({ max: 1 }),
  // Where nothing is said, a statement is then serializable, and one that collides must be run again.
  "a user's pool that is serializable by default": userPool({ options: '-c default_transaction_isolation=serializable' }),
};

describe.each(Object.entries(kinds))('on %s', (_, connectTo) => {
  test('one of each function comes to its end, all at once too', { timeout: 30_000 }, async () => {
    await using coordinate = await connectTo();
    const alone = await makeObjects(coordinate);
    for (const { name, call } of everyFunction) {
      const outcome = await settled(call(alone));
      // Those that come after the spec was destroyed find it gone; a failed attempt cannot be given up.
      expect(['done', 'Gone', 'NotPending', 'LostLease'], name).toContain(outcome);
    }
    const together = await makeObjects(coordinate);
    await Promise.all(everyFunction.map(({ call }) => settled(call(together))));
  });
});

async function settled(outcome: unknown): Promise<string> {
  try {
    await outcome;
    return 'done';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
