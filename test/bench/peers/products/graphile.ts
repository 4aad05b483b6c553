import { Logger, makeWorkerUtils, run, runMigrations, type Runner } from 'graphile-worker';
import pg from 'pg';
import { keptOpen, payloadOf, slots, type BenchWorker, type Producer, type Product, type WorkerMode } from '../product.js';

/** It tells of every job otherwise. */
const logger = new Logger(() => () => undefined);

/** graphile-worker deletes a job when it is done. */
export const graphile: Product = {
  title: 'graphile-worker',
  batchCallers: 4,

  install: (url) => runMigrations({ connectionString: url, logger }),

  connectProducer: async (url, callers) => producerOn(newPool(url, callers)),
  connectWorker: async (url, mode, onJob) => workerOn(newPool(url, 10), mode, onJob),

  async connectBoth(url, onJob) {
    const pgPool = newPool(url, 10);
    return { producer: await producerOn(pgPool), worker: workerOn(pgPool, 'prompt', onJob) };
  },
};

async function producerOn(pgPool: pg.Pool): Promise<Producer> {
  const utils = await makeWorkerUtils({ pgPool, logger });
  return {
    addBatch: async (from, count, bytes) => {
      const jobs = Array.from({ length: count }, (_, index) => ({ identifier: 'bench', payload: payloadOf(from + index, bytes) }));
      await utils.addJobs(jobs);
    },
    addOne: async (number) => {
      await utils.addJob('bench', payloadOf(number));
    },
    countUnfinished: async () => {
      const { rows } = await pgPool.query<{ count: number }>('select count(*)::int from graphile_worker._private_jobs');
      return rows[0]?.count ?? 0;
    },
    close: async () => {
      await utils.release();
      if (!pgPool.ended) await pgPool.end();
    },
  };
}

function workerOn(pgPool: pg.Pool, mode: WorkerMode, onJob: () => unknown): BenchWorker {
  let runner: Runner | undefined;
  return {
    start: async () => {
      runner = await run({
        pgPool,
        logger,
        noHandleSignals: true,
        taskList: { bench: () => void onJob() },
        preset: {
          worker: {
            concurrentJobs: slots,
            ...(mode === 'batched' && { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }),
          },
        },
      });
    },
    stop: async () => {
      await runner?.stop();
      if (!pgPool.ended) await pgPool.end();
    },
  };
}

/** A pool that is not its own must have handlers for errors. */
function newPool(connectionString: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString, max, ...keptOpen });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return pool;
}
