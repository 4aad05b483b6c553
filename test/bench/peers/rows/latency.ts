import { setTimeout as wait } from 'node:timers/promises';
import { loadProduct } from '../product.js';
import type { Row } from './row.js';

/** From the call that adds a job until the handler of a sleeping worker in the same process starts. */
export const latency: Row = {
  key: 'latency',
  lines: [
    { key: 'p50', title: 'latency of a single job, add → handler starts, p50', unit: 'ms' },
    { key: 'p99', title: 'the same, p99', unit: 'ms' },
  ],
  products: ['us', 'graphile', 'pg-boss', 'bullmq'],

  measure: async (server, name, { rounds }) =>
    server.withDatabase(async (url) => {
      const product = await loadProduct(name);
      await product.install(url);
      let started: (at: number) => void = () => undefined;
      const worker = await product.connectWorker(url, 'prompt', () => started(performance.now()));
      await worker.start();
      const producer = await product.connectProducer(url, 1);
      // So long after it has started a worker has nothing left to set up.
      await wait(500);
      const latencies: number[] = [];
      const warmUps = Math.ceil(rounds / 10);
      for (let round = 0; round < warmUps + rounds; round++) {
        const handled = new Promise<number>((resolve) => (started = resolve));
        const start = performance.now();
        await producer.addOne(round);
        const ms = (await handled) - start;
        if (round >= warmUps) latencies.push(ms);
        // The worker is to be asleep again, as it is when something comes out of the blue.
        await wait(15 + 10 * Math.random());
      }
      await worker.stop();
      await producer.close();
      const sorted = latencies.toSorted((a, b) => a - b);
      const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
      return { values: { p50: at(0.5), p99: at(0.99) } };
    }),
};
