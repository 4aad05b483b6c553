import { setTimeout as wait } from 'node:timers/promises';
import type { Attempt, Namespace } from 'pg-coordinate';
import { flowOf, stages, type Job } from './flow.js';
import { countsOf, totalOf, type Progress } from './progress.js';
import type { Result } from './tally.js';
import type { WorkerPool } from './worker-pool.js';

const lookEveryMs = 100;

/** Defines the work specs, and makes a unit for every file. */
export async function submit(namespace: Namespace, job: Job, files: readonly string[]): Promise<void> {
  for (const data of flowOf(job)) await namespace.setWorkSpec(data);
  const count = await namespace.workSpec<{ path: string }>('count');
  await count.addWorkUnits(files.map((path) => ({ name: path, data: { path } })));
}

/** Sees the job through: lets a stage begin when the one before it is done, and resolves to what the last one made. */
export async function seeThrough(
  namespace: Namespace,
  { workers, progress, signal }: { workers: WorkerPool; progress: Progress; signal: AbortSignal },
): Promise<Result> {
  for (const stage of stages) {
    const workSpec = await namespace.workSpec(stage);
    await workSpec.setMeta({ paused: false });
    for (;;) {
      const summary = await namespace.summarize();
      const counts = countsOf(summary, stage);
      progress.show(summary);
      if (counts.failed) throw new Error(await firstFailure(namespace, stage));
      // All counts are of one moment, and a unit's output is there at the moment when it is finished: nothing can be under way.
      if (counts.finished === totalOf(counts)) break;
      workers.checkAlive();
      await wait(lookEveryMs, undefined, { signal });
    }
  }
  progress.show(await namespace.summarize(), { last: true });
  return takeResult(namespace);
}

/** The driver is a worker as well: of the last work spec. */
async function takeResult(namespace: Namespace): Promise<Result> {
  await (await namespace.workSpec('result')).setMeta({ paused: false });
  const driver = await namespace.worker('driver');
  const [attempt] = await driver.requestAttempts({ workSpecs: ['result'] });
  if (attempt === undefined) throw new Error('there is no result');
  await attempt.finish();
  return (attempt as Attempt<Result>).data;
}

async function firstFailure(namespace: Namespace, stage: string): Promise<string> {
  const [unit] = await (await namespace.workSpec(stage)).workUnits({ statuses: ['failed'], limit: 1 });
  const data = await unit?.data();
  const error = data?.error as { readonly message: string } | undefined;
  return `the work unit ${unit?.name} of ${stage} failed: ${String(error?.message ?? data?.traceback)}`;
}
