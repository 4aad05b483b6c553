import { setTimeout as wait } from 'node:timers/promises';
import type { Producer, Product } from '../product.js';
import type { WorkerProcesses } from '../worker-processes.js';

/** Adds jobs number `from` to `from + count`, as fast as it goes. */
export async function fill(
  product: Product,
  producer: Producer,
  from: number,
  count: number,
  { payloadBytes = 0, batch = 1_000 }: { payloadBytes?: number; batch?: number } = {},
): Promise<void> {
  let next = from;
  const caller = async (): Promise<void> => {
    while (next < from + count) {
      const first = next;
      next += batch;
      await producer.addBatch(first, Math.min(batch, from + count - first), payloadBytes);
    }
  };
  await Promise.all(Array.from({ length: product.batchCallers }, caller));
}

/** Opens the producer's connections and prepares its statements: two batches for each, with numbers of their own. */
export async function warmUp(product: Product, producer: Producer, batch: number): Promise<void> {
  const calls = product.batchCallers * 2;
  await Promise.all(Array.from({ length: calls }, (_, call) => producer.addBatch(warmUpFrom + call * batch, batch)));
}

const warmUpFrom = 1_000_000_000;

/** As many at once are enough to warm workers up. */
export const mostWarmUps = 20_000;

/**
 * Has workers do some jobs, as they have in life: their code is compiled, their statements prepared. And as many again until `leastMs` have passed: one of two processes may
 * have had most of the first. Then freezes them, with nothing left.
 */
export async function warmUpWorkers(product: Product, producer: Producer, workers: WorkerProcesses, jobs: number, leastMs = 0): Promise<void> {
  const began = performance.now();
  let from = warmUpFrom;
  do {
    await fill(product, producer, from, jobs);
    from += jobs;
    while ((await producer.countUnfinished()) > 0) {
      workers.check();
      await wait(20);
    }
  } while (performance.now() - began < leastMs);
  // What they do when there is nothing left to do, such as opening what they sleep by.
  await wait(500);
  workers.freeze();
}
