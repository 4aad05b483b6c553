import { loadProduct } from '../product.js';
import { Meter } from '../readings.js';
import type { Row } from './row.js';

const callers = 16;

/** Single jobs, by 16 callers of one process that each wait until theirs is durably there before they add the next. */
export const addOneByOne: Row = {
  key: 'one-by-one',
  lines: [{ key: 'rate', title: `add one by one, ${callers} callers at once`, unit: 'jobs/s' }],
  products: ['us', 'graphile', 'pg-boss', 'bullmq'],

  measure: async (server, name, { oneByOneSeconds }) =>
    server.withDatabase(async (url) => {
      const product = await loadProduct(name);
      await product.install(url);
      const producer = await product.connectProducer(url, callers);
      let added = 0;
      const addFor = async (seconds: number): Promise<number> => {
        const start = performance.now();
        const [before, until] = [added, start + seconds * 1_000];
        const caller = async (): Promise<void> => {
          while (performance.now() < until) await producer.addOne(added++);
        };
        await Promise.all(Array.from({ length: callers }, caller));
        return (added - before) / ((performance.now() - start) / 1_000);
      };
      await addFor(oneByOneSeconds / 8);
      const [meter, before] = [await Meter.start(url), added];
      const rate = await addFor(oneByOneSeconds);
      const read = await meter.stop(added - before);
      await producer.close();
      return { values: { rate }, readings: await read() };
    }),
};
