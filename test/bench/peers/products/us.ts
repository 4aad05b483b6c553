import type { WorkSpec } from 'pg-coordinate';
import { nameOf } from '../../measure.js';
import { connect, createWorker } from '../built-product.js';
import { payloadOf, slots, type Product } from '../product.js';

/** Units have names in no particular order of time, as they come in life; all attempts are recorded. */
export const us: Product = {
  title: 'pg-coordinate',
  batchCallers: 4,

  async install(url, queues = 1) {
    const coordinate = await connect(url, { migrate: true });
    const namespace = await coordinate.namespace('bench');
    for (let queue = 0; queue < queues; queue++) {
      await namespace.setWorkSpec({ name: queue === 0 ? 'bench' : `bench ${queue}`, task: 'bench' });
    }
    await coordinate.close();
  },

  async connectProducer(url, callers) {
    const coordinate = await connect(url, { pool: { max: Math.min(callers + 1, 10) } });
    const namespace = await coordinate.namespace('bench');
    const specs = await Promise.all((await namespace.workSpecNames()).map((name) => namespace.workSpec(name)));
    let batches = 0;
    const nextSpec = (): WorkSpec => specs[batches++ % specs.length]!;
    return {
      addBatch: async (from, count, bytes) => {
        const numbers = Array.from({ length: count }, (_, index) => from + index);
        await nextSpec().addWorkUnits(numbers.map((number) => ({ name: nameOf('unit', number), data: payloadOf(number, bytes) })));
      },
      addOne: async (number) => {
        await nextSpec().addWorkUnit(`single ${number}`, payloadOf(number));
      },
      countUnfinished: async () => {
        const summary = await namespace.summarize();
        const unfinished = summary.filter(({ status }) => status === 'available' || status === 'delayed' || status === 'pending');
        return unfinished.reduce((sum, { count }) => sum + count, 0);
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
