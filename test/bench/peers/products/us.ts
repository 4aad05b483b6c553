import pg from 'pg';
import type { PostgresCoordinate, WorkSpec } from 'pg-coordinate';
import { nameOf } from '../../measure.js';
import { connect, createWorker } from '../built-product.js';
import { keptOpen, payloadOf, slots, type BenchWorker, type Producer, type Product, type WorkerMode } from '../product.js';

/** The schema that the rows of units are in. */
export const bucket = 'coordinate_bucket_1';

/** Names in the order in which units are added, as of running numbers, times or ULIDs. */
export const nameInOrder = (number: number): string => `unit-${String(number).padStart(10, '0')}`;

/** All attempts are recorded. */
const product = (title: string, nameOfUnit: (number: number) => string): Product => ({
  title,
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
    return producerOn(await connect(url, { pool: { max: Math.min(callers + 1, 10) } }), url, nameOfUnit);
  },

  connectWorker: async (url, mode, onJob) => workerOn(await connectForWork(url), mode, onJob),

  async connectBoth(url, onJob) {
    const coordinate = await connectForWork(url);
    return { producer: await producerOn(coordinate, url, nameOfUnit), worker: workerOn(coordinate, 'prompt', onJob) };
  },
});

const connectForWork = (url: string): Promise<PostgresCoordinate> => connect(url, { pool: { max: 6, ...keptOpen } });

async function producerOn(coordinate: PostgresCoordinate, url: string, nameOfUnit: (number: number) => string): Promise<Producer> {
  const counter = new pg.Pool({ connectionString: url, max: 1 });
  // Or where a worker has failed, the end of its connection would be told instead.
  counter.on('error', () => undefined);
  const namespace = await coordinate.namespace('bench');
  const specs = await Promise.all((await namespace.workSpecNames()).map((name) => namespace.workSpec(name)));
  let batches = 0;
  const nextSpec = (): WorkSpec => specs[batches++ % specs.length]!;
  return {
    addBatch: async (from, count, bytes) => {
      const numbers = Array.from({ length: count }, (_, index) => from + index);
      await nextSpec().addWorkUnits(numbers.map((number) => ({ name: nameOfUnit(number), data: payloadOf(number, bytes) })));
    },
    addOne: async (number) => {
      await nextSpec().addWorkUnit(`single ${number}`, payloadOf(number));
    },
    countUnfinished: () => countUnfinished(counter),
    close: async () => {
      await counter.end();
      await coordinate.close();
    },
  };
}

/** As the statements that add and end units count them. Plain SQL, as for the peers: a summary would also look for what has expired. */
export async function countUnfinished(pool: pg.Pool): Promise<number> {
  const text = `select sum(case kind when 'all' then delta when 'finished' then -delta when 'failed' then -delta else 0 end)::int as count from ${bucket}.unit_count`;
  const { rows } = await pool.query<{ count: number | null }>(text);
  return rows[0]?.count ?? 0;
}

function workerOn(coordinate: PostgresCoordinate, mode: WorkerMode, onJob: () => unknown): BenchWorker {
  const worker = createWorker({
    coordinate,
    namespace: 'bench',
    concurrency: slots,
    localQueue: mode === 'batched' ? 4_000 : 0,
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
}

export const us = product('pg-coordinate', nameInOrder);
export const usScattered = product('pg-coordinate, scattered names', (number) => nameOf('unit', number));
