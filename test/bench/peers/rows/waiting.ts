import { setTimeout as wait } from 'node:timers/promises';
import { settle, type BenchServer } from '../database.js';
import { loadProduct, queueNames, type ProductName } from '../product.js';
import { Meter } from '../readings.js';
import { WorkerProcesses } from '../worker-processes.js';
import { fill, mostWarmUps } from './fill.js';
import type { Figure, Row } from './row.js';
import { untilDone } from './work-off.js';

/** How many more wait when it is few: enough that no worker has to look twice for work. */
const few = 20_000;

/** How many times as many are worked off as in other rows: two figures are compared of which each takes a third of a second otherwise. */
const longer = 5;

/** How fast 100,000 are worked off in front of 20,000 others, and of 1,000,000 of the same kind and priority. */
export const waiting: Row = {
  key: 'waiting',
  lines: [
    { key: 'few', title: 'work off 100,000 with 20,000 more waiting', unit: 'jobs/s' },
    { key: 'rate', title: 'the same with many more waiting', unit: 'jobs/s' },
  ],
  products: queueNames,

  async measure(server, product, { workedOff, waiting: many, analyzed }) {
    const count = longer * workedOff;
    const amongFew = await measureInPassing(server, { product, count, more: few, analyzed });
    const amongMany = await measureInPassing(server, { product, count, more: many, analyzed });
    return { ...amongMany, values: { few: amongFew.values.rate, rate: amongMany.values.rate } };
  },
};

export interface InPassingSettings {
  readonly product: ProductName;
  /** How many are worked off; and how many more wait. */
  readonly count: number;
  readonly more: number;
  readonly analyzed: boolean;
}

/** Jobs per second: while the queue was filled, and worked off. */
interface InPassing extends Figure {
  readonly values: { readonly add: number; readonly rate: number };
}

/**
 * Out of the middle of the work: the queue is filled first, then the workers do what warms them up, are frozen only for as long as it takes to count what
 * that was, and go on. (Workers that were frozen while 10,000,000 were added had a heap made for idling, and spent a third of their time
 * collecting garbage: that would be measured instead.)
 */
export async function measureInPassing(server: BenchServer, { product: name, count, more, analyzed }: InPassingSettings): Promise<InPassing> {
  return server.withDatabase(async (url) => {
    const product = await loadProduct(name);
    await product.install(url);
    const producer = await product.connectProducer(url, product.batchCallers);
    const warmUps = Math.min(count, mostWarmUps);
    const total = warmUps + count + more;
    const filling = performance.now();
    await fill(product, producer, 0, total);
    const add = total / ((performance.now() - filling) / 1_000);
    if (analyzed) await settle(url, { checkpoint: true });
    const workers = await WorkerProcesses.start(product.processes ?? 2, { product: name, url, mode: 'batched' });
    try {
      await workers.untilJobs(warmUps);
      workers.freeze();
      // What the server has been asked to do comes to its end.
      await wait(100);
      const left = await producer.countUnfinished();
      const before = workers.jobs;
      const meter = await Meter.start(url, workers.pids);
      const start = performance.now();
      workers.thaw();
      const { done, at } = await untilDone(workers, producer, { handled: before + count, count, total: left });
      const read = await meter.stop(done, total - left + done);
      await workers.stop();
      await producer.close();
      const readings = { ...(await read()), ...workers.readings };
      const rate = done / ((at - start) / 1_000);
      return { values: { add, rate }, readings };
    } finally {
      await workers.stop();
    }
  });
}
