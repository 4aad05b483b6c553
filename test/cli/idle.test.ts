import { expect, test } from 'vitest';
import { hasWork, untilIdle } from '../../src/cli/idle.js';
import { soon, untilBlocked } from '../concurrency/waiting.js';
import { useQueue } from './queue.js';

const queue = useQueue();

test('a worker that is told to end need not wait for a look for more work', async () => {
  const namespace = await queue.coordinate.namespace('ending');
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnit('unit', {});
  const locker = await queue.database.client();
  await locker.query('begin');
  await locker.query(`lock table ${queue.database.bucket}.work_spec in access exclusive mode`);
  const ending = new AbortController();
  const idle = untilIdle({
    namespace,
    handlers: ['spec'],
    request: {},
    load: () => ({ running: 0, queued: 0, unreported: 0 }),
    signal: ending.signal,
  });
  await untilBlocked(queue.database, 'work_spec');
  ending.abort();
  await soon(idle, 'ending').finally(() => locker.query('rollback'));
  expect(await hasWork(namespace, ['spec'], {})).toBe(true);
});
