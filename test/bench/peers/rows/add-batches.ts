import { loadProduct, productNames } from '../product.js';
import { Meter } from '../readings.js';
import { warmUp } from './fill.js';
import type { Row } from './row.js';

/** Jobs in batches of 1,000, by as many callers as suit the product. */
export const addBatches: Row = {
  key: 'add',
  lines: [{ key: 'rate', title: 'add, batches of 1,000', unit: 'jobs/s' }],
  // What is handed out later is added alike.
  products: productNames.filter((name) => name !== 'ceiling-handing-out'),

  measure: async (server, name, { added, batch }) =>
    server.withDatabase(async (url) => {
      const product = await loadProduct(name);
      await product.install(url);
      const producer = await product.connectProducer(url, product.batchCallers);
      await warmUp(product, producer, batch);
      const meter = await Meter.start(url);
      const start = performance.now();
      let next = 0;
      const caller = async (): Promise<void> => {
        while (next < added) {
          const from = (next += batch);
          await producer.addBatch(from, batch);
        }
      };
      await Promise.all(Array.from({ length: product.batchCallers }, caller));
      const seconds = (performance.now() - start) / 1_000;
      const read = await meter.stop(next);
      await producer.close();
      return { values: { rate: next / seconds }, readings: await read() };
    }),
};
