/*
 * What adding, claiming and finishing cost: `npm run bench`, or `npm run bench -- --quick`. On an embedded PostgreSQL with its default,
 * durable settings, or on DATABASE_URL. Each figure is the median of three runs that take turns. Do nothing else meanwhile.
 */
import { writeFile } from 'node:fs/promises';
import { connect, drop, type PostgresCoordinate } from 'pg-coordinate';
import { startEmbeddedPostgres } from '../../src/database/embedded/index.js';
import { measureClaimCosts, type ClaimCost, type ClaimCostOptions } from './claim-cost.js';
import { measureCycle, type CycleFigures } from './cycle.js';
import { measureHeldSnapshot } from './held-snapshot.js';
import { benchCrowd, benchHttp, type WithTables } from './http/index.js';
import { fill, median, unitsOf, type Figure } from './measure.js';
import { readOptions } from './options.js';
import { measureLatency, measureStream, workOffByProcesses } from './runtime.js';
import { percent, printTable } from './table.js';

const options = readOptions(process.argv.slice(2));
const figures: Record<string, unknown> = {};
const schema = 'bench';

const given = process.env.DATABASE_URL ?? '';
const server = given === '' ? await startEmbeddedPostgres({ settings: { shared_buffers: '512MB', max_wal_size: '8GB' } }) : null;
const url = server?.url ?? given;
try {
  if (options.parts.includes('matrix')) await benchMatrix();
  if (options.parts.includes('waiting')) await benchWaiting();
  if (options.parts.includes('specs')) await benchSpecs();
  if (options.parts.includes('held')) await benchHeld();
  if (options.parts.includes('runtime')) await benchRuntime();
  if (options.parts.includes('latency')) await benchLatency();
  const withOurTables: WithTables = (use) => withTables(10, (coordinate) => use(coordinate, { url, schema }));
  if (options.parts.includes('http')) figures.http = await benchHttp(options, withOurTables);
  if (options.parts.includes('crowd')) figures.crowd = await benchCrowd(options, withOurTables);
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify(figures, null, 2));
} finally {
  await server?.stop();
}

/** Fresh tables for every figure. */
async function withTables<T>(connections: number, use: (coordinate: PostgresCoordinate) => Promise<T>): Promise<T> {
  await drop(url, { schema });
  const coordinate = await connect(url, { schema, migrate: true, pool: { max: connections } });
  try {
    return await use(coordinate);
  } finally {
    await coordinate.close();
    await drop(url, { schema });
  }
}

async function benchMatrix(): Promise<void> {
  const runs = new Map<string, { batch: number; connections: number; figures: CycleFigures[] }>();
  for (let repeat = 0; repeat < options.repeats; repeat++) {
    for (const batch of options.batches) {
      for (const connections of options.connections) {
        const units = Math.max(batch * connections, Math.min(batch * 400, 60_000));
        const cycle = await withTables(connections, async (coordinate) => {
          const namespace = await coordinate.namespace('bench');
          const spec = await namespace.setWorkSpec({ name: 'bench' });
          return measureCycle(coordinate, namespace, spec, { units, batch, connections, prefix: 'unit' });
        });
        const key = `${batch}/${connections}`;
        const run = runs.get(key) ?? { batch, connections, figures: [] };
        run.figures.push(cycle);
        runs.set(key, run);
      }
    }
  }
  const rows = [...runs.values()].map(({ batch, connections, figures: all }) => {
    const rate = (of: (cycle: CycleFigures) => Figure): number => median(all.map((cycle) => of(cycle).unitsPerSecond));
    const [add, claim, finish] = [rate(({ add: a }) => a), rate(({ claim: c }) => c), rate(({ finish: f }) => f)];
    const aborts = Math.max(...all.map(({ claim: c }) => c.abortRate));
    return { batch, connections, add, claim, finish, both: 1 / (1 / claim + 1 / finish), aborts };
  });
  figures.matrix = rows;
  printTable(
    'Units per second by batch and connections',
    ['batch', 'connections', 'add', 'claim', 'finish', 'claim + finish', 'claims aborted'],
    rows.map((row) => [row.batch, row.connections, row.add, row.claim, row.finish, row.both, percent(row.aborts)]),
  );
}

function claimCostOptions({ named }: { named: boolean }): ClaimCostOptions {
  return { batches: [1, 100], turns: options.turns, claims: 10, named };
}

async function benchWaiting(): Promise<void> {
  const most = Math.max(...options.waiting);
  const rows = await measureClaimCosts(url, [
    ...options.waiting.map((count) => ({
      name: `${count} available`,
      prepare: async (coordinate: PostgresCoordinate) => fill(await specOf(coordinate, 'bench'), count, 'waiting'),
    })),
    {
      name: `${most} delayed`,
      prepare: async (coordinate) => {
        const spec = await specOf(coordinate, 'bench');
        const later = new Date(Date.now() + 86_400_000);
        for (let from = 0; from < most; from += 5_000) {
          const units = unitsOf('delayed', from, Math.min(5_000, most - from));
          await spec.addWorkUnits(units.map((unit) => ({ ...unit, meta: { notBefore: later } })));
        }
      },
    },
    {
      name: `${most} finished`,
      prepare: async (coordinate) => {
        const spec = await specOf(coordinate, 'bench');
        await fill(spec, most, 'finished');
        await workOff(coordinate, spec.name);
      },
    },
  ], claimCostOptions({ named: true }));
  figures.waiting = rows;
  printClaimCost('One claim, by what else the spec holds', rows);
}

async function benchSpecs(): Promise<void> {
  const others = async (coordinate: PostgresCoordinate, units: number): Promise<void> => {
    for (let other = 0; other < options.others; other++) {
      const spec = await specOf(coordinate, `other ${other}`);
      if (units > 0) await spec.addWorkUnits(unitsOf('other', 0, units));
    }
  };
  const conditions = [
    { name: 'no other spec', prepare: async () => {} },
    { name: `${options.others} other specs, empty`, prepare: (coordinate: PostgresCoordinate) => others(coordinate, 0) },
    { name: `${options.others} other specs with units`, prepare: (coordinate: PostgresCoordinate) => others(coordinate, 5) },
  ];
  const byName = await measureClaimCosts(url, conditions, claimCostOptions({ named: true }));
  const ofAny = await measureClaimCosts(url, conditions, claimCostOptions({ named: false }));
  figures.specs = { byName, ofAny };
  printClaimCost('One claim of a spec by name, by what else the namespace holds', byName);
  printClaimCost('One claim of any spec, by what else the namespace holds', ofAny);
}

async function benchHeld(): Promise<void> {
  const rows: { name: string; windows: number[] }[] = [];
  for (const held of [false, true]) {
    const windows = await withTables(8, async (coordinate) => {
      const spec = await specOf(coordinate, 'bench');
      await fill(spec, 20_000, 'first');
      const settings = { seconds: options.heldSeconds, batch: 500, loops: 4, held };
      return measureHeldSnapshot(url, await coordinate.namespace('bench'), spec, settings);
    });
    rows.push({ name: held ? 'snapshot held open' : 'nothing held', windows });
  }
  figures.held = rows;
  printTable(
    `Steady load for ${options.heldSeconds} s, batch 500, units per second in each sixth`,
    ['', '1', '2', '3', '4', '5', '6'],
    rows.map(({ name, windows }) => [name, ...windows]),
  );
}

/** Units from a generator, worked off by two processes: with a queue of their own ahead of the handlers, and without. */
async function benchRuntime(): Promise<void> {
  const { streamed } = options;
  const rows: { localQueue: number; add: number; early: number; most: number; workOff: number }[] = [];
  for (const localQueue of [500, 0]) {
    const runs = [];
    for (let repeat = 0; repeat < options.repeats; repeat++) {
      runs.push(
        await withTables(8, async (coordinate) => {
          const spec = await specOf(coordinate, 'bench');
          const stream = await measureStream(spec, streamed);
          const place = { url, schema: 'bench', namespace: 'bench' };
          return { ...stream, workOff: await workOffByProcesses(spec, { ...place, processes: 2, localQueue }) };
        }),
      );
    }
    const most = Math.max(...runs.map((run) => run.most));
    const early = Math.max(...runs.map((run) => run.early));
    const add = median(runs.map((run) => run.unitsPerSecond));
    rows.push({ localQueue, add, early, most, workOff: median(runs.map((run) => run.workOff)) });
  }
  figures.runtime = rows;
  printTable(
    `${streamed.toLocaleString('en')} units from an async generator, then worked off by two processes of 24 slots, units per second`,
    ['local queue', 'add', 'RSS in the first tenth, MiB', 'RSS at most, MiB', 'work off'],
    rows.map(({ localQueue, add, early, most, workOff }) => [localQueue, add, early / 2 ** 20, most / 2 ** 20, workOff]),
  );
}

async function benchLatency(): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const inTransaction of [false, true]) {
    const latencies = await withTables(8, async (producer) => {
      const consumer = await connect(url, { schema });
      try {
        return await measureLatency(producer, consumer, { namespace: 'bench', rounds: options.rounds, inTransaction });
      } finally {
        await consumer.close();
      }
    });
    const sorted = latencies.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(2);
    rows.push([inTransaction ? "in the caller's transaction" : 'a single add', at(0.5), at(0.99), at(0.9999)]);
  }
  figures.latency = rows;
  printTable(`From add to the start of the handler of a sleeping worker, ms, ${options.rounds} times`, ['', 'p50', 'p99', 'most'], rows);
}

async function specOf(coordinate: PostgresCoordinate, name: string): ReturnType<Awaited<ReturnType<PostgresCoordinate['namespace']>>['setWorkSpec']> {
  return (await coordinate.namespace('bench')).setWorkSpec({ name });
}

async function workOff(coordinate: PostgresCoordinate, spec: string): Promise<void> {
  const namespace = await coordinate.namespace('bench');
  const worker = await namespace.worker('before');
  for (;;) {
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 5_000, workSpecs: [spec] });
    if (attempts.length === 0) return;
    await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
  }
}

function printClaimCost(title: string, rows: readonly ClaimCost[]): void {
  const base = new Map<number, number>();
  for (const { batch, ms } of rows) if (!base.has(batch)) base.set(batch, ms);
  printTable(
    title,
    ['', 'batch', 'ms', 'ratio to the first'],
    rows.map(({ condition, batch, ms }) => [condition, batch, ms.toFixed(3), (ms / (base.get(batch) ?? ms)).toFixed(2)]),
  );
}

