import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attempt, AttemptReport, DataDictionary, PostgresCoordinate, WorkSpec } from 'pg-coordinate';
import type { Job } from './flow.js';
import { Tally, type TallyData } from './tally.js';

/** What one request for work was answered with: attempts at units of one work spec. */
export interface Batch {
  readonly coordinate: PostgresCoordinate;
  readonly workSpec: WorkSpec;
  readonly attempts: readonly Attempt[];
}

/** What there is to do for each work spec. */
export const steps: Readonly<Record<string, (batch: Batch) => Promise<void>>> = { count, merge, report };

/** Counts files, each for itself. Those that can be read are finished, the others have failed. */
async function count({ workSpec, attempts }: Batch): Promise<void> {
  const { folder } = await jobOf(workSpec);
  const finished: AttemptReport[] = [];
  const failed: AttemptReport[] = [];
  for (const attempt of attempts) {
    const { path } = attempt.data as { path: string };
    try {
      finished.push({ attempt, data: { output: { [path]: await countFile(join(folder, path)) } } });
    } catch (error) {
      failed.push({ attempt, data: { error: error instanceof Error ? error.message : String(error) } });
    }
  }
  // The unit in the next work spec is made in the transaction that finishes this one: there are always both or neither. The
  // verdicts do not matter: an attempt is refused if its lease was lost, and then another worker counts the file.
  await workSpec.namespace.finishAll(finished);
  await workSpec.namespace.failAll(failed);
}

async function countFile(path: string): Promise<DataDictionary> {
  const file = await open(path);
  try {
    const tally = new Tally();
    await tally.addFile(file.readLines());
    return tally.toData();
  } finally {
    await file.close();
  }
}

/** Adds up the counts of many files. */
async function merge(batch: Batch): Promise<void> {
  // An attempt's number is never given twice, so nobody else makes a unit of this name.
  const name = String(batch.attempts[0]?.number);
  await finishAsOne(batch, name, sumOf(batch).toData());
}

/** Makes the result of all there is. */
async function report(batch: Batch): Promise<void> {
  const sum = sumOf(batch);
  const { files } = await jobOf(batch.workSpec);
  if (sum.files === files) return finishAsOne(batch, 'result', sum.toResult());
  // Others have the rest, or had it when they were killed. Give everything back, and somebody will get it all.
  const delayMs = 1_000 * Math.random();
  for (const attempt of batch.attempts) await attempt.retry(undefined, delayMs);
}

/** Ends many units and makes one of them, all in one transaction: a worker that dies has either done it or not. */
async function finishAsOne({ coordinate, workSpec, attempts }: Batch, name: string, data: DataDictionary): Promise<void> {
  const reports = attempts.map((attempt, index) => (index === 0 ? { attempt, data: { output: { [name]: data } } } : { attempt }));
  await coordinate.transaction(async (client) => {
    for (const { error } of await workSpec.namespace.finishAll(reports, { client })) {
      // Even one that was lost is one too many, as somebody else will count it: roll back.
      if (error !== null) throw error;
    }
  });
}

function sumOf({ attempts }: Batch): Tally {
  const sum = new Tally();
  for (const attempt of attempts) sum.add(attempt.data as TallyData);
  return sum;
}

async function jobOf(workSpec: WorkSpec): Promise<Job> {
  return (await workSpec.data()).job as Job;
}
