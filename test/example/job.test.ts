import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { PostgresCoordinate } from 'pg-coordinate';
import { createWorker, type WorkerRuntime } from 'pg-coordinate/worker';
import { testDatabase } from '../support/database.js';
import { flowOf, type Stages } from './flow.js';
import { handlersOf } from './handlers.js';
import { seeThrough, submit } from './job.js';
import type { Progress } from './progress.js';
import type { TallyData } from './tally.js';
import { WorkerPool } from './worker-pool.js';

const database = await testDatabase();
const job = { folder: '/nowhere', files: 2 };
const quiet = { say: vi.fn(), show: vi.fn() } as unknown as Progress;

const counts = { files: 1, words: { word: 1 }, hosts: {} };

async function workOn(namespace: string): Promise<{ coordinate: PostgresCoordinate; worker: WorkerRuntime }> {
  const coordinate = await database.connect();
  const worker = createWorker<Stages>({ coordinate, namespace, handlers: handlersOf(job) });
  onTestFinished(() => worker.stop());
  await worker.start();
  return { coordinate, worker };
}

test('a file that cannot be read ends the job with a sentence that says which', async () => {
  const namespace = await (await database.connect()).namespace(randomUUID());
  await submit(namespace, job, ['missing.md']);
  await workOn(namespace.name);
  const workers = { checkAlive: () => undefined } as unknown as WorkerPool;
  await expect(seeThrough(namespace, { workers, progress: quiet, signal: new AbortController().signal })).rejects.toThrow(
    "the work unit missing.md of count failed: ENOENT: no such file or directory, open '/nowhere/missing.md'",
  );
});

test('a merge of which one unit was lost to another worker changes nothing', async () => {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace(randomUUID());
  for (const data of flowOf(job)) await namespace.setWorkSpec({ ...data, disabled: false });
  const merge = await namespace.workSpec<TallyData>('merge');
  await merge.addWorkUnits([{ name: 'a', data: counts }, { name: 'b', data: counts }]);
  const attempts = await (await namespace.worker('slow')).requestAttempts({ numberOfWorkUnits: 2, workSpecs: [merge] });
  await attempts[1]!.expire();
  const batch = attempts.map((attempt) => ({ attempt, number: attempt.number, data: attempt.data }));
  const { runBatch } = handlersOf(job).merge as { runBatch: (batch: unknown) => Promise<unknown> };
  await expect(runBatch(batch)).rejects.toMatchObject({ code: 'NotPending' });
  expect(await namespace.summarize()).toMatchObject([
    { workSpec: 'merge', status: 'available', count: 1 },
    { workSpec: 'merge', status: 'pending', count: 1 },
  ]);
});

test('workers that cannot work are missed', async () => {
  const url = 'postgres://127.0.0.1:1/nothing';
  const pool = new WorkerPool({ url, schema: 'x', namespace: { name: 'x' }, job, leaseMs: 5_000, workers: 2, killAfter: null, onLost: () => undefined });
  onTestFinished(() => pool.stop());
  await vi.waitFor(() => expect(() => pool.checkAlive()).toThrow(/^all workers have ended; one of them said: CannotConnectError: Cannot connect/), {
    timeout: 200_000,
    interval: 100,
  });
});
