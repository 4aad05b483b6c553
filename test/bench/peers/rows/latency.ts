import { setTimeout as wait } from 'node:timers/promises';
import { loadProduct, steadyMs, type Producer } from '../product.js';
import { WorkerProcesses } from '../worker-processes.js';
import type { Line, Row } from './row.js';

const products = ['us', 'graphile', 'pg-boss', 'bullmq'] as const;
const lines = (title: string): Line[] => [
  { key: 'p50', title: `${title}, p50`, unit: 'ms' },
  { key: 'p99', title: 'the same, p99', unit: 'ms' },
];

/** From the call that adds a job until the handler of a sleeping worker in the same process starts; both share what the product lets them. */
export const latency: Row = {
  key: 'latency',
  lines: lines('latency of a single job, add → handler starts'),
  products,

  measure: async (server, name, { rounds }) =>
    server.withDatabase(async (url) => {
      const product = await loadProduct(name);
      await product.install(url);
      let started: (at: number) => void = () => undefined;
      const both = await product.connectBoth?.(url, () => started(steadyMs()));
      if (both === undefined) throw new Error(`${product.title} cannot add and work in one process`);
      const { producer, worker } = both;
      await worker.start();
      const values = await measureLatencies(producer, rounds, (onStarted) => (started = onStarted));
      await worker.stop();
      await producer.close();
      return { values };
    }),
};

/** The same with a worker in another process. */
export const latencyApart: Row = {
  key: 'latency-apart',
  lines: lines('the same in two processes'),
  products,

  measure: async (server, name, { rounds }) =>
    server.withDatabase(async (url) => {
      const product = await loadProduct(name);
      await product.install(url);
      const workers = await WorkerProcesses.start(1, { product: name, url, mode: 'prompt' });
      try {
        const producer = await product.connectProducer(url, 1);
        const values = await measureLatencies(producer, rounds, (onStarted) => (workers.onStarted = onStarted));
        await producer.close();
        return { values };
      } finally {
        await workers.stop();
      }
    }),
};

/** @param listen Has a function told when a handler has started, by steadyMs(). */
async function measureLatencies(
  producer: Producer,
  rounds: number,
  listen: (onStarted: (at: number) => void) => void,
): Promise<{ p50: number; p99: number }> {
  // So long after it has started a worker has nothing left to set up.
  await wait(500);
  const latencies: number[] = [];
  // So many that the code is compiled: compiling takes one of two cores for milliseconds, in a process that runs for days only at its beginning. (After
  // 2,000 another 128 functions of one worker were still compiled during the next 1,000.)
  const [warmUps, unhurried] = [20 * rounds, Math.ceil(rounds / 10)];
  for (let round = 0; round < warmUps + unhurried + rounds; round++) {
    const handled = new Promise<number>(listen);
    const start = steadyMs();
    await producer.addOne(round);
    const ms = (await handled) - start;
    if (round >= warmUps + unhurried) latencies.push(ms);
    // The worker is to be asleep again, as it is when something comes out of the blue.
    if (round >= warmUps) await wait(15 + 10 * Math.random());
  }
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
