import type { PostgresCoordinate } from 'pg-coordinate';
import { connectRest } from 'pg-coordinate/rest';
import { serveProcess, type ServedTables } from '../../support/serve-process.js';
import { cpuSecondsOf, runningProcesses } from '../cpu.js';
import { fill, unitsOf } from '../measure.js';
import { PlainClient } from './plain-client.js';

/** Units of one request, where there are many. */
const batch = 100;
/** Units of one request that adds many. */
const addBatch = 1_000;

export interface ThroughputOptions {
  /** Units, where many go in one request; a fifth of them, where each takes a request of its own. */
  readonly units: number;
  /** Requests at a time, where many units go in one. */
  readonly batchedAtOnce: number;
  /** Requests at a time, where each is about one unit. */
  readonly singleAtOnce: number;
  /** A folder for CPU profiles of the server; undefined: none. */
  readonly profile: string | undefined;
}

export interface ThroughputFigure {
  readonly name: string;
  readonly unitsPerSecond: number;
  /** CPU microseconds of the server for each unit. */
  readonly serverMicros: number;
}

/** What one server takes, and hands out, over HTTP. */
export async function measureThroughput(
  coordinate: PostgresCoordinate,
  tables: ServedTables,
  { units, batchedAtOnce, singleAtOnce, profile }: ThroughputOptions,
): Promise<ThroughputFigure[]> {
  const nodeFlags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const server = await serveProcess(tables, { flags: ['--requests-per-second', '0'], nodeFlags });
  const client = await connectRest(server.url);
  const plain = new PlainClient(server.url, singleAtOnce);
  const namespace = await client.namespace('bench');
  const figures: ThroughputFigure[] = [];
  const few = Math.ceil(units / 5);

  /** Loops that each do something until it comes to nothing. */
  const run = async (name: string, count: number, loops: number, work: (loop: number) => Promise<number>): Promise<void> => {
    const [cpu, began] = [await cpuSecondsOfServer(server.pid), performance.now()];
    let done = 0;
    const loop = async (_: unknown, index: number): Promise<void> => {
      for (let some = await work(index); some > 0; some = await work(index)) done += some;
    };
    await Promise.all(Array.from({ length: loops }, loop));
    const seconds = (performance.now() - began) / 1_000;
    if (done !== count) throw new Error(`${name}: ${done} units instead of ${count}`);
    figures.push({ name, unitsPerSecond: count / seconds, serverMicros: (((await cpuSecondsOfServer(server.pid)) - cpu) / count) * 1e6 });
  };

  /** Units that are there to be claimed, of a spec of their own. */
  const filled = async (name: string, count: number): Promise<void> => {
    await fill(await (await coordinate.namespace('bench')).setWorkSpec({ name }), count, name);
  };

  try {
    const added = await namespace.setWorkSpec({ name: 'added' });
    let next = 0;
    await run(`add, ${addBatch} in a request`, units, batchedAtOnce, async () => {
      const from = next;
      next += addBatch;
      return from >= units ? 0 : added.addWorkUnits(unitsOf('batched', from, Math.min(addBatch, units - from)));
    });
    const { work_units_url: addUrl } = await plain.ask<{ work_units_url: string }>('GET', added.url.pathname);
    const single = unitsOf('single', 0, few).values();
    await run('add, one in a request', few, singleAtOnce, async () => {
      const { value, done } = single.next();
      if (done === true) return 0;
      await plain.ask('POST', addUrl, value);
      return 1;
    });

    await filled('batches', units);
    const workers = await Promise.all(Array.from({ length: Math.max(batchedAtOnce, singleAtOnce) }, (_, index) => namespace.worker(`worker ${index}`)));
    await run(`claim and finish, ${batch} in a request`, units, batchedAtOnce, async (loop) => {
      const attempts = await workers[loop]!.requestAttempts({ workSpecs: ['batches'], numberOfWorkUnits: batch });
      const verdicts = await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
      return verdicts.filter(({ error }) => error === null).length;
    });

    interface Answer {
      readonly attempts: readonly { readonly finish_url: string }[] | null;
    }
    const claim = async (loop: number, spec: string, count: number): Promise<NonNullable<Answer['attempts']>> => {
      const body = { work_specs: [spec], number_of_work_units: count };
      return (await plain.ask<Answer>('POST', `${workers[loop]!.url.pathname}/request_attempts`, body)).attempts ?? [];
    };
    await filled('halves', few);
    await run(`claim ${batch} in a request, finish one in a request`, few, batchedAtOnce, async (loop) => {
      const attempts = await claim(loop, 'halves', batch);
      const queue = attempts.values();
      const finishing = Array.from({ length: singleAtOnce / batchedAtOnce }, async () => {
        for (const { finish_url } of queue) await plain.ask('POST', finish_url, {});
      });
      await Promise.all(finishing);
      return attempts.length;
    });
    await filled('singles', few);
    await run('claim and finish, one in a request', few, singleAtOnce, async (loop) => {
      const [attempt] = await claim(loop, 'singles', 1);
      if (attempt === undefined) return 0;
      await plain.ask('POST', attempt.finish_url, {});
      return 1;
    });
    return figures;
  } finally {
    await Promise.all([client.close(), plain.close()]);
    await server.stop();
  }
}

async function cpuSecondsOfServer(pid: number): Promise<number> {
  return cpuSecondsOf((await runningProcesses()).filter((process) => process.pid === pid));
}
