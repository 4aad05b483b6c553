import { createPostgresBackend, Queue, Worker } from 'bullmq';
import pg from 'pg';
import { keptOpen, payloadOf, slots, type Product } from '../product.js';

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

  async connectProducer(url, callers) {
    const connection = { connectionString: url, max: callers };
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
  },

  async connectWorker(url, _mode, onJob) {
    const connection = { connectionString: url, max: 10, ...keptOpen };
    const options = { connection, concurrency: slots, autorun: false, removeOnComplete: { count: 0 } };
    const worker = new Worker(queueName, async () => void onJob(), options, createPostgresBackend);
    await worker.waitUntilReady();
    return { start: async () => void worker.run(), stop: () => worker.close() };
  },
};
