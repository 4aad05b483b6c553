import { expect, test } from 'vitest';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';
import { runWorker } from './running.js';

const database = await testDatabase();

test('a worker whose connections are cut again and again loses nothing that was done meanwhile', async () => {
  const namespace = await (await database.connect()).namespace('outage');
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnits(Array.from({ length: 500 }, (_, index) => ({ name: String(index), data: {} })));
  const application = `pg-coordinate test ${database.schema}`;
  const ran = new Map<string, number>();
  await runWorker(database, {
    namespace: 'outage',
    pollMs: 100,
    lifetimeMs: 2_000,
    handlers: {
      spec: async ({ name }) => {
        ran.set(name, (ran.get(name) ?? 0) + 1);
        if (ran.size % 100 === 0) {
          await database.query(
            'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()',
            [application],
          ).catch(() => undefined);
        }
      },
    },
  });
  await until('all is done', async () => (await spec.countWorkUnitStatus().catch(() => null))?.finished === 500, 60_000);
  expect(ran.size).toBe(500);
});
