import pg from 'pg';
import { connect, type PostgresCoordinate, type Worker } from 'pg-coordinate';
import { startEmbeddedPostgres, type EmbeddedPostgres } from 'pg-coordinate/embedded';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { keepLeaseJournal, mostAtOnce } from './lease-journal.js';

const bucket = 'coordinate_bucket_1';

/* A server with little room for predicate locks, and a serializable transaction that keeps it from giving any back. */
let server: EmbeddedPostgres;
let query: <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => Promise<Row[]>;
beforeEach(async () => {
  const settings = { fsync: 'off', max_connections: '20', max_pred_locks_per_transaction: '10' };
  server = await startEmbeddedPostgres({ settings });
  const [client, holder] = [new pg.Client(server.url), new pg.Client(server.url)];
  await Promise.all([client.connect(), holder.connect()]);
  await (await connect(server.url, { migrate: true })).close();
  await holder.query('begin isolation level serializable; create temporary table written (value integer)');
  query = async (text, values) => (await client.query(text, values)).rows;
  // At which level leases begin.
  await query(`
    create table level (name text unique);
    create function note_level() returns trigger language plpgsql as $$
    begin
      insert into level values (current_setting('transaction_isolation')) on conflict do nothing;
      return null;
    end
    $$;
    create trigger note_level after insert on ${bucket}.lease for each statement execute function note_level()`);
  return async () => {
    await Promise.all([client.end(), holder.end()]);
    await server.stop();
  };
});

async function connected(target: string | pg.Pool): Promise<PostgresCoordinate> {
  const coordinate = await connect(target, { logger: { warn: (text) => void warnings.push(text), error: () => undefined } });
  onTestFinished(() => coordinate.close());
  return coordinate;
}
const warnings: string[] = [];

test('claims go on without predicate locks once there is no room for them, and keep to max_running', async () => {
  await keepLeaseJournal({ bucket, query });
  const coordinates = [await connected(server.url), await connected(server.url)];
  const spec = await (await coordinates[0]?.namespace('n'))?.setWorkSpec({ name: 'spec', max_running: 3 });
  await spec?.addWorkUnits(Array.from({ length: 400 }, (_, index) => ({ name: String(index), data: {} })));

  let finished = 0;
  const workOff = async (worker: Worker): Promise<void> => {
    while (finished < 400) {
      for (const attempt of await worker.requestAttempts()) {
        await attempt.finish();
        finished++;
      }
    }
  };
  const workers = await Promise.all(coordinates.map(async (each) => (await each.namespace('n')).worker('worker')));
  await Promise.all([...workers, ...workers].map(workOff));
  expect(await spec?.countWorkUnitStatus()).toEqual({ finished: 400 });
  expect(await mostAtOnce({ bucket, query }, 'spec')).toBe(3);
  expect(await query('select name from level order by name')).toEqual([{ name: 'repeatable read' }, { name: 'serializable' }]);
  expect(warnings.filter((text) => text.includes('max_pred_locks_per_transaction'))).toHaveLength(2);
});

test('nothing is claimed but what the caller is handed, though all that is read needs such locks, too', async () => {
  const pool = new pg.Pool({ connectionString: server.url, options: '-c default_transaction_isolation=serializable', max: 2 });
  onTestFinished(() => pool.end());
  const coordinate = await connected(pool);
  const namespace = await coordinate.namespace('n');
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnits(Array.from({ length: 300 }, (_, index) => ({ name: String(index), data: {} })));
  const worker = await namespace.worker('worker');
  let [handed, refused] = [0, 0];
  for (let round = 0; round < 300; round++) {
    const attempts = await worker.requestAttempts({ workSpecs: ['spec'] }).catch(() => {
      refused++;
      return [];
    });
    handed += attempts.length;
  }
  expect(await query(`select count(*)::integer as count from ${bucket}.any_lease`)).toEqual([{ count: handed }]);
  expect(handed).toBeGreaterThan(50);
  expect(await query(`select name from level where name = 'repeatable read'`)).toHaveLength(1);
  expect(refused).toBeLessThan(300);
});
