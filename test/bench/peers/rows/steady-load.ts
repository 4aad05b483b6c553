import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { makeWalFiles, settle, withClient, type BenchServer } from '../database.js';
import { microsOfPiece, withReferenceLoad, type ReferenceLoad } from '../reference-load.js';
import { loadProduct, type Producer, type Product, type ProductName } from '../product.js';
import { Meter } from '../readings.js';
import { WorkerProcesses } from '../worker-processes.js';
import { fill, mostWarmUps, warmUpWorkers } from './fill.js';
import type { Figure, Row, Scale } from './row.js';

const windows = 10;

/** The load runs for so long before it is measured, as a share of the time it is then: by then as many jobs wait or run as will from then on. */
const rampUp = 0.05;

/** A load that lasts longer may use up the files of WAL. */
const longEnoughSeconds = 5;

const steadyRow = (key: string, title: string, hold: (client: pg.Client) => Promise<void>): Row => ({
  key,
  lines: [
    { key: 'first', title: `${title}: first tenth`, unit: 'jobs/s' },
    { key: 'last', title: `${title}: last tenth`, unit: 'jobs/s' },
    { key: 'worst', title: `${title}: worst tenth`, unit: 'jobs/s' },
    { key: 'best', title: `${title}: best tenth`, unit: 'jobs/s' },
    { key: 'steadiness', title: `${title}: the worst tenth, of the best`, unit: '%' },
    { key: 'kept', title: `${title}: the last tenth, of the first`, unit: '%' },
    { key: 'curve', title: `${title}: the worst of the medians of each tenth, of the best of them`, unit: '%', ofCurve: worstOfBest },
    { key: 'machine', title: `${title}: the machine, its slowest tenth, of its fastest`, unit: '%' },
    { key: 'own-steadiness', title: `${title}: the worst tenth, of the best, but for the machine`, unit: '%' },
    { key: 'own-kept', title: `${title}: the last tenth, of the first, but for the machine`, unit: '%' },
  ],
  products: ['us', 'graphile', 'pg-boss', 'bullmq'],
  measure: (server, product, scale) => withReferenceLoad(server, (reference) => measureSteadily(server, product, scale, reference, hold)),
});

/** As many added as worked off, by one process that adds and two that work. */
export const steady = steadyRow('steady', 'steady load', async () => undefined);

/** The same while another transaction has a snapshot from when measuring began, so that nothing that dies can be cleaned up. */
export const held = steadyRow('held', 'steady load, snapshot held', holdSnapshot);

/** The same while that transaction also holds the lock that pg_dump takes on every table, so that nothing can be truncated. */
export const locked = steadyRow('locked', 'steady load, snapshot and all tables held', async (client) => {
  await holdSnapshot(client);
  const { rows } = await client.query<{ name: string }>(
    `select relid::regclass::text as name from pg_stat_user_tables order by relid`,
  );
  for (const { name } of rows) await client.query(`lock table ${name} in access share mode`);
});

async function holdSnapshot(client: pg.Client): Promise<void> {
  await client.query('begin isolation level repeatable read');
  await client.query('select count(*) from pg_class');
}

async function measureSteadily(
  server: BenchServer,
  name: ProductName,
  { steadySeconds: seconds, backlog, batch, analyzed }: Scale,
  reference: ReferenceLoad,
  hold: (client: pg.Client) => Promise<void>,
): Promise<Figure> {
  return server.withDatabase(async (url) => {
    const product = await loadProduct(name);
    await product.install(url);
    const producer = await product.connectProducer(url, product.batchCallers);
    const workers = await WorkerProcesses.start(product.processes ?? 2, { product: name, url, mode: 'batched' });
    try {
      // What there was of them may have gone with small checkpoints since; in a moment nobody gets to their end.
      if (seconds > longEnoughSeconds) await makeWalFiles(url);
      await warmUpWorkers(product, producer, workers, Math.min(backlog, mostWarmUps));
      const before = workers.jobs;
      await fill(product, producer, 0, backlog);
      if (analyzed) await settle(url);
      return await withClient(url, async (holder) => {
        const meter = await Meter.start(url, workers.pids, [reference.done.backend]);
        workers.thaw();
        const load = { measuredMs: seconds * 1_000, backlog, batch, hold: () => hold(holder) };
        const measured = await measureWindows(product, producer, workers, reference, load);
        const read = await meter.stop(workers.jobs - before, workers.jobs);
        await workers.stop();
        await producer.close();
        const readings = { ...(await read()), ...workers.readings };
        return { values: valuesOf(measured), curve: measured.map(({ rate }) => rate), readings };
      });
    } finally {
      await workers.stop();
    }
  });
}

/** A part of the time. */
interface Window {
  /** Jobs handled, a second. */
  readonly rate: number;
  /** What a piece of the reference load took. */
  readonly pieceMicros: number;
}

/** As a percentage. */
function worstOfBest(values: readonly number[]): number {
  return (100 * Math.min(...values)) / Math.max(...values);
}

/** As the lines want them. Without the machine means jobs for each piece of the reference load that the processors could have done instead. */
function valuesOf(measured: readonly Window[]): Record<string, number> {
  const rates = measured.map(({ rate }) => rate);
  const own = measured.map(({ rate, pieceMicros }) => rate * pieceMicros);
  const kept = (values: readonly number[]): number => (100 * (values.at(-1) ?? Number.NaN)) / (values[0] ?? Number.NaN);
  return {
    first: rates[0] ?? Number.NaN,
    last: rates.at(-1) ?? Number.NaN,
    worst: Math.min(...rates),
    best: Math.max(...rates),
    steadiness: worstOfBest(rates),
    kept: kept(rates),
    machine: worstOfBest(measured.map(({ pieceMicros }) => pieceMicros)),
    'own-steadiness': worstOfBest(own),
    'own-kept': kept(own),
  };
}

/** Keeps the backlog as it is; resolves to what was measured in each window once `hold` was called. */
async function measureWindows(
  product: Product,
  producer: Producer,
  workers: WorkerProcesses,
  reference: ReferenceLoad,
  { measuredMs, backlog, batch, hold }: { measuredMs: number; backlog: number; batch: number; hold: () => Promise<void> },
): Promise<Window[]> {
  const before = workers.jobs;
  let [added, adding] = [backlog, true];
  const caller = async (): Promise<void> => {
    while (adding) {
      if (added - (workers.jobs - before) > backlog - batch) await wait(2);
      else {
        const from = added;
        added += batch;
        await producer.addBatch(from, batch);
      }
    }
  };
  const callers = Promise.all(Array.from({ length: product.batchCallers }, caller));
  // Awaited below, whatever comes before.
  callers.catch(() => undefined);
  const measured: Window[] = [];
  try {
    await wait(measuredMs * rampUp);
    await hold();
    let [at, jobs, done] = [performance.now(), workers.jobs, reference.done];
    for (let window = 0; window < windows; window++) {
      await wait(measuredMs / windows);
      workers.check();
      const [now, later, doneLater] = [performance.now(), workers.jobs, reference.done];
      measured.push({ rate: (later - jobs) / ((now - at) / 1_000), pieceMicros: microsOfPiece(done, doneLater) });
      [at, jobs, done] = [now, later, doneLater];
    }
  } finally {
    adding = false;
    await callers;
  }
  return measured;
}
