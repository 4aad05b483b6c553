import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataDictionary } from 'pg-coordinate';
import { reported, retry, type HandlerContext, type Handlers } from 'pg-coordinate/worker';
import type { Job, Stages } from './flow.js';
import { Tally, type TallyData } from './tally.js';

type Batch = readonly HandlerContext<TallyData>[];

/** What there is to do for each work spec; `onFile` is told whenever a file is begun. */
export function handlersOf({ folder, files }: Job, onFile = () => {}): Handlers<Stages> {
  return {
    /** Counts a file. The unit of `merge` is made in the transaction that finishes this one: there are always both or neither. */
    count: async ({ data: { path } }) => {
      onFile();
      return { output: { [path]: await countFile(join(folder, path)) } };
    },

    /** Adds up the counts of many files. An attempt's number is never given twice, so nobody else makes a unit of this name. */
    merge: {
      batchSize: 25,
      runBatch: (batch) => finishAsOne(batch, String(batch[0]?.number), sumOf(batch).toData()),
    },

    /** Makes the result of all there is. */
    report: {
      batchSize: 10_000,
      runBatch: (batch) => {
        const sum = sumOf(batch);
        if (sum.files === files) return finishAsOne(batch, 'result', sum.toResult());
        // Others have the rest, or had it when they were killed. Give everything back, and somebody will get it all.
        const delayMs = 1_000 * Math.random();
        return batch.map(() => retry({ delayMs }));
      },
    },
  };
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

/**
 * Ends many units and makes one of them, all or none: a worker that dies has either done it or not. Even one that was lost is one too many,
 * as somebody else will count it: that raises, and changes nothing.
 */
async function finishAsOne(batch: Batch, name: string, data: DataDictionary) {
  const reports = batch.map(({ attempt }, index) => (index === 0 ? { attempt, data: { output: { [name]: data } } } : { attempt }));
  const { namespace } = reports[0]!.attempt.workUnit.workSpec;
  await namespace.finishAll(reports, { allOrNone: true });
  return batch.map(() => reported());
}

function sumOf(batch: Batch): Tally {
  const sum = new Tally();
  for (const { data } of batch) sum.add(data);
  return sum;
}
