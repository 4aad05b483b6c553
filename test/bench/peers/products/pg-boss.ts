import { setTimeout as wait } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';
import { keptOpen, payloadOf, slots, type BenchWorker, type Producer, type Product, type WorkerMode } from '../product.js';

const queue = 'bench';

/** Without schedules and the supervision of queues, which would only take time from the workers. */
const quiet = { schedule: false, supervise: false } as const;

/** pg-boss keeps a job's row when it is done, for seven days. */
export const pgBoss: Product = {
  title: 'pg-boss',
  batchCallers: 3,

  async install(url) {
    const boss = new PgBoss({ connectionString: url, ...quiet });
    await boss.start();
    await boss.createQueue(queue);
    await boss.stop({ graceful: false });
  },

  async connectProducer(url, callers) {
    const boss = new PgBoss({ connectionString: url, max: callers, ...quiet });
    await boss.start();
    return producerOn(boss);
  },

  connectWorker: async (url, mode, onJob) => workerOn(await startForWork(url, mode), mode, onJob),

  async connectBoth(url, onJob) {
    const boss = await startForWork(url, 'prompt');
    return { producer: producerOn(boss), worker: workerOn(boss, 'prompt', onJob) };
  },
};

async function startForWork(url: string, mode: WorkerMode): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: url, max: 10, useListenNotify: mode === 'prompt', ...quiet, ...keptOpen });
  await boss.start();
  if (mode === 'prompt') await boss.updateQueue(queue, { notify: true });
  return boss;
}

function producerOn(boss: PgBoss): Producer {
  return {
    addBatch: async (from, count, bytes) => {
      const jobs = Array.from({ length: count }, (_, index) => ({ data: payloadOf(from + index, bytes) }));
      await boss.insert(queue, jobs, { returnId: false });
    },
    addOne: async (number) => {
      await boss.send(queue, payloadOf(number));
    },
    countUnfinished: async () => {
      const text = `select count(*)::int from pgboss.job where name = '${queue}' and state < 'completed'`;
      const [row] = (await boss.getDb().executeSql(text)).rows as { count: number }[];
      return row?.count ?? 0;
    },
    close: () => boss.stop({ graceful: false }),
  };
}

function workerOn(boss: PgBoss, mode: WorkerMode, onJob: () => unknown): BenchWorker {
  let working = true;
  let loops: Promise<unknown> = Promise.resolve();
  return {
    start: async () => {
      if (mode === 'single') {
        // work() pauses after each fetch of a single job, for half a second at least; a loop of one's own does not.
        loops = Promise.all(Array.from({ length: slots }, () => workOneByOne()));
      } else {
        const settings = mode === 'batched' ? { batchSize: 500, localConcurrency: 4, burstWhenBatchFull: true } : {};
        await boss.work(queue, { pollingIntervalSeconds: 0.5, ...settings }, async (jobs) => jobs.forEach(onJob));
      }
    },
    stop: async () => {
      working = false;
      await loops;
      await boss.stop({ timeout: 5_000 });
    },
  };

  async function workOneByOne(): Promise<void> {
    while (working) {
      const [job] = await boss.fetch(queue);
      if (job === undefined) {
        await wait(500);
        continue;
      }
      onJob();
      await boss.complete(queue, job.id);
    }
  }
}
