import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { expectConsistent } from './consistency.js';
import { keepLeaseJournal, mostAtOnce } from './lease-journal.js';
import type { MaxRunningTasks } from './max-running.process.js';
import { testProcesses } from './processes.js';

const database = await testDatabase();
const processes = testProcesses<MaxRunningTasks>(new URL('max-running.process.ts', import.meta.url));

const limit = 3;

/**
 * Would show two claims that count the same running units: without the gate, or with a snapshot taken before the gate closes, the
 * second one does not see the first one's leases and fills the same places again.
 */
test('maxRunning is never exceeded, not for a moment, by 16 connections in 4 processes', async () => {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace('limited');
  const spec = await namespace.setWorkSpec({ name: 'spec', max_running: limit });
  await spec.addWorkUnits(Array.from({ length: 2_000 }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  // As many as that in one answer: once workers have begun, places may only become free one by one.
  const idle = await (await namespace.worker('before all')).requestAttempts({ numberOfWorkUnits: 5 });
  expect(idle).toHaveLength(limit);
  for (const attempt of idle) await attempt.retry();
  await keepLeaseJournal(database);

  const workers = await processes.startMany(4);
  const place = { url: database.url, schema: database.schema, namespace: 'limited' };
  let isOver = false;
  const working = Promise.all(workers.map((worker) => worker.run('work', { ...place, connections: 4, claims: 30 })));
  const [taken, seen] = await Promise.all([
    working.finally(() => (isOver = true)),
    watchLeases(() => isOver),
  ]);

  // What the database wrote down about who saw whom, and what somebody beside it saw.
  expect(await mostAtOnce(database, 'spec')).toBe(limit);
  expect(seen.most).toBe(limit);
  expect(seen.looks).toBeGreaterThan(100);
  expect(Math.max(...taken.flat())).toBeLessThanOrEqual(limit);
  await expectConsistent(database);
});

/** Counts the leases over and over, each time at one moment. */
async function watchLeases(isOver: () => boolean): Promise<{ looks: number; most: number }> {
  const client = await database.client();
  let looks = 0;
  let most = 0;
  while (!isOver()) {
    const { rows } = await client.query<{ count: string }>({
      name: 'count leases',
      text: `select count(*) from ${database.bucket}.any_lease`,
    });
    most = Math.max(most, Number(rows[0]?.count));
    looks++;
  }
  return { looks, most };
}
