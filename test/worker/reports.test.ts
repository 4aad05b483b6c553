import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { untilBlocked } from '../concurrency/waiting.js';
import { testDatabase } from '../support/database.js';
import { runWorker, untilCounts } from './running.js';

const database = await testDatabase();

test('a report that waits for who has locked its unit keeps those that come after it no longer than a moment', async () => {
  const holder = await database.client();
  const { namespace } = await runWorker(database, {
    namespace: randomUUID(),
    concurrency: 2,
    handlers: {
      spec: async ({ name }) => {
        if (name !== 'locked') return;
        await holder.query('begin');
        await holder.query(`select from ${database.bucket}.work_unit where name = 'locked' for update`);
      },
    },
  });
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnit('locked', {});
  await untilBlocked(database, 'attempt.end ');
  for (let later = 0; later < 3; later++) {
    await spec.addWorkUnit(`later ${later}`, {});
    await untilCounts(spec, { finished: later + 1, pending: 1 });
  }
  await holder.query('rollback');
  await untilCounts(spec, { finished: 4 });
  expect(await (await spec.workUnit('locked')).numAttempts()).toBe(1);
});
