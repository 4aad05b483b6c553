import { nameOf } from '../../measure.js';
import { connect, createWorker } from '../built-product.js';
import { payloadOf, slots, type Product } from '../product.js';

/** Units have names in no particular order of time, as they come in life; all attempts are recorded. */
export const us: Product = {
  title: 'pg-coordinate',
  batchCallers: 3,

  async install(url) {
    const coordinate = await connect(url, { migrate: true });
    await (await coordinate.namespace('bench')).setWorkSpec({ name: 'bench' });
    await coordinate.close();
  },

  async connectProducer(url, callers) {
    const coordinate = await connect(url, { pool: { max: Math.min(callers + 1, 10) } });
    const spec = await (await coordinate.namespace('bench')).workSpec('bench');
    return {
      addBatch: async (from, count, bytes) => {
        const numbers = Array.from({ length: count }, (_, index) => from + index);
        await spec.addWorkUnits(numbers.map((number) => ({ name: nameOf('unit', number), data: payloadOf(number, bytes) })));
      },
      addOne: async (number) => {
        await spec.addWorkUnit(`single ${number}`, payloadOf(number));
      },
      countUnfinished: async () => {
        const { available = 0, delayed = 0, pending = 0 } = await spec.countWorkUnitStatus();
        return available + delayed + pending;
      },
      close: () => coordinate.close(),
    };
  },

  async connectWorker(url, mode, onJob) {
    const coordinate = await connect(url, { pool: { max: 6 } });
    const worker = createWorker({
      coordinate,
      namespace: 'bench',
      concurrency: slots,
      localQueue: mode === 'batched' ? 1_000 : 0,
      handlers: { bench: () => void onJob() },
    });
    return {
      start: () => worker.start(),
      stop: async () => {
        await worker.stop();
        await coordinate.close();
      },
      get statistics() {
        const { committed, serializationFailures, deadlocks } = coordinate.statistics;
        return { committed, aborted: serializationFailures + deadlocks };
      },
    };
  },
};
