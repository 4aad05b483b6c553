import { setImmediate } from 'node:timers/promises';
import pg from 'pg';
import { connect, type Worker } from 'pg-coordinate';
import { startEmbeddedPostgres } from 'pg-coordinate/embedded';
import { expect, onTestFinished, test } from 'vitest';

test('claims go on when a serializable transaction stays open, until the server has no room for predicate locks', async () => {
  const settings = { fsync: 'off', max_connections: '20', max_pred_locks_per_transaction: '10' };
  const server = await startEmbeddedPostgres({ settings });
  onTestFinished(() => server.stop());
  const coordinate = await connect(server.url, { migrate: true });
  const coordinates = [coordinate, await connect(server.url)];
  onTestFinished(async () => {
    await Promise.all(coordinates.map((each) => each.close()));
  });
  const namespace = await coordinate.namespace('n');
  const spec = await namespace.setWorkSpec({ name: 'spec', max_running: 3 });
  await spec.addWorkUnits(Array.from({ length: 400 }, (_, index) => ({ name: String(index), data: {} })));

  const holder = new pg.Client(server.url);
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query('begin isolation level serializable');
  await holder.query('create temporary table written (value integer)');
  const locksHeld = async (): Promise<number> => {
    const { rows } = await holder.query<{ count: number }>(`select count(*)::integer from pg_locks where mode = 'SIReadLock'`);
    return rows[0]?.count ?? 0;
  };

  const claimed: number[] = [];
  let [running, most] = [0, 0];
  const workOff = async (worker: Worker): Promise<void> => {
    while (claimed.length < 400) {
      for (const attempt of await worker.requestAttempts()) {
        most = Math.max(most, ++running);
        claimed.push(attempt.number);
        await setImmediate();
        // The next may be claimed before the answer is here.
        running--;
        await attempt.finish();
      }
    }
  };
  const workers = await Promise.all(coordinates.map(async (each) => (await each.namespace('n')).worker('worker')));
  await Promise.all([...workers, ...workers].map(workOff));
  expect(new Set(claimed).size).toBe(400);
  expect(claimed).toHaveLength(400);
  expect(most).toBeLessThanOrEqual(3);
  expect(await spec.countWorkUnitStatus()).toEqual({ finished: 400 });
  // There was no room any more.
  expect(await locksHeld()).toBeGreaterThan(300);
  await holder.query('rollback');
});
