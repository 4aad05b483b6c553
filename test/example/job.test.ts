import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import { testDatabase } from '../support/database.js';
import { flowOf } from './flow.js';
import { seeThrough, submit } from './job.js';
import type { Progress } from './progress.js';
import { steps } from './steps.js';
import { WorkerPool } from './worker-pool.js';

const database = await testDatabase();
const job = { folder: '/nowhere', files: 2 };
const quiet = { say: vi.fn(), show: vi.fn() } as unknown as Progress;

async function claimOf(stage: string) {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace(randomUUID());
  await submit(namespace, job, ['missing.md', 'also missing.md']);
  const workSpec = await namespace.workSpec(stage);
  const attempts = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: 2 });
  return { coordinate, namespace, workSpec, attempts };
}

test('a file that cannot be read ends the job with a sentence that says which', async () => {
  const { coordinate, namespace, workSpec, attempts } = await claimOf('count');
  await steps.count!({ coordinate, workSpec, attempts });
  const workers = { checkAlive: () => undefined } as unknown as WorkerPool;
  await expect(seeThrough(namespace, { workers, progress: quiet, signal: new AbortController().signal })).rejects.toThrow(
    "the work unit also missing.md of count failed: ENOENT: no such file or directory, open '/nowhere/also missing.md'",
  );
});

test('a merge of which one unit was lost to another worker changes nothing', async () => {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace(randomUUID());
  for (const data of flowOf(job)) await namespace.setWorkSpec({ ...data, disabled: false });
  const workSpec = await namespace.workSpec('merge');
  const counts = { files: 1, words: { word: 1 }, hosts: {} };
  await workSpec.addWorkUnits([{ name: 'a', data: counts }, { name: 'b', data: counts }]);
  const attempts = await (await namespace.worker('slow')).requestAttempts({ numberOfWorkUnits: 2 });
  await attempts[1]!.expire();
  await expect(steps.merge!({ coordinate, workSpec, attempts })).rejects.toMatchObject({ code: 'NotPending' });
  expect(await namespace.summarize()).toMatchObject([
    { workSpec: 'merge', status: 'available', count: 1 },
    { workSpec: 'merge', status: 'pending', count: 1 },
  ]);
});

test('workers that cannot work are missed', { timeout: 60_000 }, async () => {
  const url = 'postgres://127.0.0.1:1/nothing';
  const pool = new WorkerPool({ url, schema: 'x', namespace: 'x', workers: 2, killAfter: null, onLost: () => undefined });
  onTestFinished(() => pool.stop());
  await vi.waitFor(() => expect(() => pool.checkAlive()).toThrow(/^all workers have ended; one of them said: CannotConnectError: Cannot connect/), {
    timeout: 50_000,
    interval: 100,
  });
});
