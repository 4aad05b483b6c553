import { fileURLToPath } from 'node:url';
import type { PostgresCoordinate } from 'pg-coordinate';
import { connectRest, type RestCoordinate } from 'pg-coordinate/rest';
import { serveProcess, type ServedTables } from '../../support/serve-process.js';
import { clientCpuSeconds, cpuSecondsOf, runningProcesses } from '../cpu.js';
import { fill, unitsOf } from '../measure.js';
import { PlainClient } from './plain-client.js';

/** The command line as `npm run build` makes it: what users run. Compiled on the fly, every function that is made would cost a call more. */
const builtProgram = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** Units of one request, where there are many. */
const batch = 100;
/** Units of one request that adds many. */
const addBatch = 1_000;

export interface ThroughputOptions {
  /** Units, where many go in one request; a fifth of them, where each takes a request of its own. */
  readonly units: number;
  /** Requests about one unit each that come before those that are measured; where many units go in a request, ten times as many units. */
  readonly warmUpRequests: number;
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
  /** The same of the client, which is this process. */
  readonly clientMicros: number;
}

/** What the server answers to a request for work. */
interface Claimed {
  readonly attempts: readonly { readonly finish_url: string }[] | null;
}

/** Loops that each do something until it comes to nothing: how much it was. */
type Loops = (loop: number) => Promise<number>;

/** One line of figures. */
interface Part {
  readonly name: string;
  readonly units: number;
  readonly warmUpUnits: number;
  readonly loops: number;
  /** Prepares a spec of this name for so many units, and resolves to what each loop then does. */
  readonly begin: (specName: string, units: number) => Promise<Loops>;
}

/** What one server takes, and hands out, over HTTP. Each part is done before, with other units, until the server is as warm as one that has run for a while. */
export async function measureThroughput(coordinate: PostgresCoordinate, tables: ServedTables, options: ThroughputOptions): Promise<ThroughputFigure[]> {
  const { profile, singleAtOnce } = options;
  const nodeFlags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const server = await serveProcess(tables, { program: builtProgram, flags: ['--requests-per-second', '0'], nodeFlags });
  const client = await connectRest(server.url);
  const plain = new PlainClient(server.url, singleAtOnce);
  try {
    const figures: ThroughputFigure[] = [];
    for (const part of await partsOf({ coordinate, client, plain }, options)) {
      await workOff(await part.begin(`${part.name}, to warm up`, part.warmUpUnits), part.loops);
      const loops = await part.begin(part.name, part.units);
      const [cpu, own, began] = [await cpuSecondsOfServer(server.pid), clientCpuSeconds(), performance.now()];
      const done = await workOff(loops, part.loops);
      const seconds = (performance.now() - began) / 1_000;
      if (done !== part.units) throw new Error(`${part.name}: ${done} units instead of ${part.units}`);
      const micros = (since: number, now: number): number => ((now - since) / done) * 1e6;
      const clientMicros = micros(own, clientCpuSeconds());
      figures.push({ name: part.name, unitsPerSecond: done / seconds, serverMicros: micros(cpu, await cpuSecondsOfServer(server.pid)), clientMicros });
    }
    return figures;
  } finally {
    await Promise.all([client.close(), plain.close()]);
    await server.stop();
  }
}

async function workOff(work: Loops, loops: number): Promise<number> {
  let done = 0;
  const loop = async (_: unknown, index: number): Promise<void> => {
    for (let some = await work(index); some > 0; some = await work(index)) done += some;
  };
  await Promise.all(Array.from({ length: loops }, loop));
  return done;
}

interface Clients {
  readonly coordinate: PostgresCoordinate;
  readonly client: RestCoordinate;
  readonly plain: PlainClient;
}

async function partsOf({ coordinate, client, plain }: Clients, { units, warmUpRequests, batchedAtOnce, singleAtOnce }: ThroughputOptions): Promise<Part[]> {
  const namespace = await client.namespace('bench');
  const workers = await Promise.all(Array.from({ length: Math.max(batchedAtOnce, singleAtOnce) }, (_, index) => namespace.worker(`worker ${index}`)));
  const batched = { units, warmUpUnits: Math.min(units, warmUpRequests * 10), loops: batchedAtOnce };
  const singles = { units: Math.ceil(units / 5), warmUpUnits: Math.min(units, warmUpRequests), loops: singleAtOnce };

  /** Units that are there to be claimed, of a spec of their own. */
  const filled = async (name: string, count: number): Promise<void> => {
    await fill(await (await coordinate.namespace('bench')).setWorkSpec({ name }), count, name);
  };
  const claim = async (loop: number, spec: string, count: number): Promise<NonNullable<Claimed['attempts']>> => {
    const body = { work_specs: [spec], number_of_work_units: count };
    return (await plain.ask<Claimed>('POST', `${workers[loop]!.url.pathname}/request_attempts`, body)).attempts ?? [];
  };

  const addBatches: Part['begin'] = async (name, count) => {
    const spec = await namespace.setWorkSpec({ name });
    let next = 0;
    return async () => {
      const from = next;
      next += addBatch;
      return from >= count ? 0 : spec.addWorkUnits(unitsOf(name, from, Math.min(addBatch, count - from)));
    };
  };
  const addSingly: Part['begin'] = async (name, count) => {
    const { url } = await namespace.setWorkSpec({ name });
    const { work_units_url: addUrl } = await plain.ask<{ work_units_url: string }>('GET', url.pathname);
    const rest = unitsOf(name, 0, count).values();
    return async () => {
      const { value, done } = rest.next();
      if (done === true) return 0;
      await plain.ask('POST', addUrl, value);
      return 1;
    };
  };
  const workInBatches: Part['begin'] = async (name, count) => {
    await filled(name, count);
    return async (loop) => {
      const attempts = await workers[loop]!.requestAttempts({ workSpecs: [name], numberOfWorkUnits: batch });
      const verdicts = await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
      return verdicts.filter(({ error }) => error === null).length;
    };
  };
  const finishSingly: Part['begin'] = async (name, count) => {
    await filled(name, count);
    return async (loop) => {
      const attempts = await claim(loop, name, batch);
      const queue = attempts.values();
      const finishing = Array.from({ length: singleAtOnce / batchedAtOnce }, async () => {
        for (const { finish_url } of queue) await plain.ask('POST', finish_url, {});
      });
      await Promise.all(finishing);
      return attempts.length;
    };
  };
  const workSingly: Part['begin'] = async (name, count) => {
    await filled(name, count);
    return async (loop) => {
      const [attempt] = await claim(loop, name, 1);
      if (attempt === undefined) return 0;
      await plain.ask('POST', attempt.finish_url, {});
      return 1;
    };
  };
  return [
    { name: `add, ${addBatch} in a request`, ...batched, begin: addBatches },
    { name: 'add, one in a request', ...singles, begin: addSingly },
    { name: `claim and finish, ${batch} in a request`, ...batched, begin: workInBatches },
    { name: `claim ${batch} in a request, finish one in a request`, ...singles, loops: batchedAtOnce, begin: finishSingly },
    { name: 'claim and finish, one in a request', ...singles, begin: workSingly },
  ];
}

async function cpuSecondsOfServer(pid: number): Promise<number> {
  return cpuSecondsOf((await runningProcesses()).filter((process) => process.pid === pid));
}
