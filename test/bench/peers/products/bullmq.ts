import { createPostgresBackend, Queue, Worker, type PostgresConnectionOptions } from 'bullmq';
import pg from 'pg';
import { keptOpen, payloadOf, slots, type BenchWorker, type Producer, type Product } from '../product.js';

const queueName = 'bench';

/** BullMQ deletes a job when it is done, if told so. It has no way to fetch more than one job at a time. */
export const bullmq: Product = {
  title: 'BullMQ on PostgreSQL',
  batchCallers: 2,

  async install(url) {
    const queue = new Queue(queueName, { connection: { connectionString: url, migrate: true } }, createPostgresBackend);
    await queue.waitUntilReady();
    await queue.close();
  },

  connectProducer: (url, callers) => producerOn(url, { connectionString: url, max: callers }),
  connectWorker: (url, _mode, onJob) => workerOn({ connectionString: url, max: 10, ...keptOpen }, onJob),

  async connectBoth(url, onJob) {
    // It waits for notifications on one of these, too.
    const pool = new pg.Pool({ connectionString: url, max: 11, options: '-c search_path=bullmq,public', ...keptOpen });
    // Its types know fewer fields than a pool has.
    const connection = pool as unknown as PostgresConnectionOptions;
    const worker = await workerOn(connection, onJob);
    const stop = async (): Promise<void> => {
      await worker.stop();
      await pool.end();
    };
    return { producer: await producerOn(url, connection), worker: { ...worker, stop } };
  },
};

async function producerOn(url: string, connection: PostgresConnectionOptions): Promise<Producer> {
  const queue = new Queue(queueName, { connection, defaultJobOptions: { removeOnComplete: true } }, createPostgresBackend);
  const counter = new pg.Pool({ connectionString: url, max: 1 });
  await queue.waitUntilReady();
  return {
    addBatch: async (from, count, bytes) => {
      const jobs = Array.from({ length: count }, (_, index) => ({ name: 'bench', data: payloadOf(from + index, bytes) }));
      await queue.addBulk(jobs);
    },
    addOne: async (number) => {
      await queue.add('bench', payloadOf(number));
    },
    countUnfinished: async () => {
      const { rows } = await counter.query<{ count: number }>('select count(*)::int from bullmq.job');
      return rows[0]?.count ?? 0;
    },
    close: async () => {
      await queue.close();
      await counter.end();
    },
  };
}

async function workerOn(connection: PostgresConnectionOptions, onJob: () => unknown): Promise<BenchWorker> {
  const options = { connection, concurrency: slots, autorun: false, removeOnComplete: { count: 0 } };
  const worker = new Worker(queueName, async () => void onJob(), options, createPostgresBackend);
  await worker.waitUntilReady();
  return { start: async () => void worker.run(), stop: () => worker.close() };
}
