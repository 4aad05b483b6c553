import pg from 'pg';
import { connect, type ConnectOptions, type PostgresCoordinate } from 'pg-coordinate';
import { registerConformance } from 'pg-coordinate/testing';
import { afterAll, describe, test } from 'vitest';
import { testDatabase } from '../support/database.js';

/*
 * Whatever pool it runs on, everything means the same: all of the conformance suite on those kinds that differ the most from
 * our own pool.
 */

const database = await testDatabase();

function userPool(config: pg.PoolConfig): (options?: ConnectOptions) => Promise<PostgresCoordinate> {
  const pool = new pg.Pool({ connectionString: database.url, application_name: `pg-coordinate test ${database.schema}`, ...config });
  afterAll(() => pool.end());
  return (options) => connect(pool, { schema: database.schema, ...options });
}

const kinds: Readonly<Record<string, (options?: ConnectOptions) => Promise<PostgresCoordinate>>> = {
  // As behind a pooler in transaction mode, which passes on neither start-up options nor prepared statements.
  'our own pool without prepared statements and session settings': (options) =>
    database.connect({ ...options, preparedStatements: false, sessionSettings: false }),
  // Where nothing is said, a statement is then serializable, and one that collides must be run again.
  "a user's pool of one connection, which is serializable by default": userPool({
    max: 1,
    options: '-c default_transaction_isolation=serializable',
  }),
};

describe.each(Object.entries(kinds))('on %s', (_, connectTo) => {
  registerConformance({ describe, test, afterAll }, { connect: connectTo });
});
