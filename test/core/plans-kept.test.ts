import { afterAll, beforeAll, describe, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { expectBounded } from './plans/bounded.js';
import { canExplain, explainedConnection, type ExplainedConnection, type PoolKind } from './plans/explained.js';
import { fill, stopAutovacuum, vacuumAnalyze } from './plans/fill.js';
import { operations } from './plans/operations.js';

/*
 * A worker connects, finds nothing to do, and keeps the plans that PostgreSQL made for tables without rows. Then somebody adds a
 * great deal of work. Nothing makes PostgreSQL plan again until autovacuum comes by: until then these plans must do.
 */

const names = { namespace: 'plans', spec: 'spec' };
const nothing = { ready: 0, delayed: 0, finished: 0, leased: 0, limited: 0, idleSpecs: 0, oldWorkers: 0, locks: 0 };
const load = {
  ready: 30_000,
  delayed: 30_000,
  finished: 30_000,
  leased: 5_000,
  limited: 5_000,
  idleSpecs: 500,
  oldWorkers: 20_000,
  locks: 0,
};
/** Ours are set up for it. Those of the user's are not: there, PostgreSQL's own defaults decide. */
const poolKinds: readonly PoolKind[] = ['our own pool'];
/** By then a session that decides for itself has settled on a generic plan, if it ever will. */
const warmUps = 7;

const created = await testDatabase();
const drained = await testDatabase();

describe.runIf(await canExplain(created)).each([
  { title: 'of tables just created', database: created, before: async () => undefined },
  // As autovacuum leaves a queue that has run empty: the statistics say that there are no rows, and the files have no pages.
  { title: 'of tables just run empty', database: drained, before: vacuumAnalyze },
])('plans $title do for full ones', { timeout: 180_000 }, ({ database, before }) => {
  const connections = new Map<PoolKind, ExplainedConnection>();

  beforeAll(async () => {
    const coordinate = await database.connect();
    const namespace = await coordinate.namespace(names.namespace);
    await namespace.setWorkSpec({ name: names.spec });
    await stopAutovacuum(database);
    await fill(database, namespace, names.spec, nothing);
    await before(database);
    for (const kind of poolKinds) {
      const connection = await explainedConnection(database, names, kind);
      connections.set(kind, connection);
      await warmUp(database, connection);
    }
    await fill(database, namespace, names.spec, load);
  }, 300_000);
  afterAll(() => Promise.all([...connections.values()].map((connection) => connection.close())));

  describe.each(poolKinds)('on %s', (kind) => {
    test.each(operations)('$name', async (operation) => {
      await expectBounded(database, connections.get(kind)!, operation);
    });
  });
});

/** Makes the session plan every statement. Some find nothing to do, which is no matter. */
async function warmUp(database: TestDatabase, connection: ExplainedConnection): Promise<void> {
  for (let round = 0; round < warmUps; round++) {
    for (const operation of operations) await operation.run({ database, connection }).catch(() => undefined);
  }
}
