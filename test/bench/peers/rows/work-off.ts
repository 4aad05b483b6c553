import { setTimeout as wait } from 'node:timers/promises';
import { settle, type BenchServer } from '../database.js';
import { loadProduct, productNames, queueNames, type Producer, type ProductName, type WorkerMode } from '../product.js';
import { Meter } from '../readings.js';
import { WorkerProcesses } from '../worker-processes.js';
import { fill, mostWarmUps, warmUpWorkers } from './fill.js';
import type { Figure, Line, Row } from './row.js';

const line = (title: string): Line => ({ key: 'rate', title, unit: 'jobs/s' });

/** Jobs that do nothing, by two processes of 24 slots, each product at its best settings. */
export const workOff: Row = {
  key: 'work-off',
  lines: [line('work off 20,000 waiting')],
  products: productNames,
  measure: (server, product, { workedOff, warmUpMs, analyzed }) =>
    measureWorkOff(server, { product, mode: 'batched', count: workedOff, warmUpMs, analyzed }),
};

/** How many times as many take so long that the beginning and the end of it matter little. */
const longer = 10;

/** Many more of them: without BullMQ, which would take minutes. */
export const longWorkOff: Row = {
  key: 'long-work-off',
  lines: [line('work off 200,000 waiting')],
  products: productNames.filter((name) => name !== 'bullmq'),
  measure: (server, product, { workedOff, warmUpMs, analyzed }) =>
    measureWorkOff(server, { product, mode: 'batched', count: longer * workedOff, warmUpMs, analyzed }),
};

/** The same with nothing fetched ahead and nothing held back (see `WorkerMode`). */
export const single: Row = {
  key: 'no-local-queue',
  lines: [line('work off 20,000 without local queue')],
  products: queueNames,
  measure: (server, product, { workedOff, warmUpMs, analyzed }) =>
    measureWorkOff(server, { product, mode: 'single', count: workedOff, warmUpMs, analyzed }),
};

/** What is worked off, and how. */
export interface WorkOffSettings {
  readonly product: ProductName;
  readonly mode: WorkerMode;
  readonly count: number;
  /** For how long, at least, the workers work before. @default 0: on as many jobs, 20,000 at most */
  readonly warmUpMs?: number;
  /** Whether autovacuum has been there, see settle(). @default true */
  readonly analyzed?: boolean;
  readonly processes?: number;
  readonly payloadBytes?: number;
  /** Over how many queues the jobs are spread. @default 1 */
  readonly queues?: number;
}

/** From the moment when the workers, who were frozen while the queue was filled, go on, to the last completion that is durably recorded. */
export async function measureWorkOff(server: BenchServer, settings: WorkOffSettings): Promise<Figure> {
  const { product: name, mode, count, warmUpMs, payloadBytes = 0, queues = 1, analyzed = true } = settings;
  return server.withDatabase(async (url) => {
    const product = await loadProduct(name);
    await product.install(url, queues);
    const producer = await product.connectProducer(url, product.batchCallers);
    const workers = await WorkerProcesses.start(settings.processes ?? product.processes ?? 2, { product: name, url, mode });
    try {
      await warmUpWorkers(product, producer, workers, Math.min(count, mostWarmUps), warmUpMs);
      const before = workers.jobs;
      // Of many bytes fewer at once, or they would be megabytes by the hundred; for many queues as many batches at least.
      const batch = Math.max(1, Math.floor(Math.min(1_000, count / queues, 20_000_000 / (payloadBytes + 1))));
      const filling = performance.now();
      await fill(product, producer, 0, count, { payloadBytes, batch });
      const add = count / ((performance.now() - filling) / 1_000);
      if (analyzed) await settle(url);
      const meter = await Meter.start(url, workers.pids);
      const start = performance.now();
      workers.thaw();
      const { done, at } = await untilDone(workers, producer, { handled: before + count, count, total: count });
      const read = await meter.stop(done, before + done);
      await workers.stop();
      await producer.close();
      const readings = { ...(await read()), ...workers.readings };
      return { values: { rate: done / ((at - start) / 1_000), add }, readings };
    } finally {
      await workers.stop();
    }
  });
}

/**
 * Resolves once at least `count` jobs are recorded as done, to how many are and since when: the moment at which it was asked, as the answer is of
 * the snapshot taken then, however long the counting takes. Nobody asks before the handlers have run, so that counting does not
 * take time from the workers.
 */
export async function untilDone(
  workers: WorkerProcesses,
  producer: Producer,
  { handled, count, total }: { handled: number; count: number; total: number },
): Promise<{ done: number; at: number }> {
  await workers.untilJobs(handled);
  for (;;) {
    workers.check();
    const at = performance.now();
    const done = total - (await producer.countUnfinished());
    if (done >= count) return { done, at };
    await wait(2);
  }
}
