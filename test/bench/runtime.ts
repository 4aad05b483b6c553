import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { NewWorkUnit, PostgresCoordinate, WorkSpec } from 'pg-coordinate';
import { createWorker } from 'pg-coordinate/worker';

const program = fileURLToPath(new URL('no-op-worker.ts', import.meta.url));
const worker = 'bench';

/** Where the tables are. */
export interface BenchPlace {
  readonly url: string;
  readonly schema: string;
  readonly namespace: string;
}

/** Runs so many worker processes of 24 slots until all units of the spec are finished; resolves to units per second. */
export async function workOffByProcesses(
  spec: WorkSpec,
  { processes, localQueue, ...place }: BenchPlace & { processes: number; localQueue: number },
): Promise<number> {
  // Paused, so that all processes begin at the same moment.
  await spec.setMeta({ paused: true });
  const children = await Promise.all(Array.from({ length: processes }, () => startProcess({ ...place, localQueue })));
  try {
    const { finished: before = 0 } = await spec.countWorkUnitStatus();
    const start = performance.now();
    await spec.setMeta({ paused: false });
    await spec.addWorkUnits([{ name: 'the one that wakes them', data: {} }]);
    for (;;) {
      const { finished = 0, available = 0, pending = 0 } = await spec.countWorkUnitStatus();
      if (available + pending === 0) return (finished - before) / ((performance.now() - start) / 1_000);
      await wait(50);
    }
  } finally {
    await Promise.all(children.map(stopProcess));
  }
}

async function startProcess(settings: BenchPlace & { readonly localQueue: number }): Promise<ChildProcess> {
  const child = fork(program, [JSON.stringify(settings)], { execArgv: ['--import', import.meta.resolve('tsx')] });
  await once(child, 'message');
  return child;
}

async function stopProcess(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
}

/** What adding from a generator came to. */
export interface StreamFigures {
  readonly unitsPerSecond: number;
  /** The most memory in use (after the first tenth of the units, and in all), in bytes. */
  readonly early: number;
  readonly most: number;
}

/** Adds so many units from an async generator, and looks at the memory in use every few thousand. */
export async function measureStream(spec: WorkSpec, count: number): Promise<StreamFigures> {
  let [early, most] = [0, 0];
  async function* units(): AsyncGenerator<NewWorkUnit> {
    for (let index = 0; index < count; index++) {
      if (index % 2_000 === 0) {
        const used = process.memoryUsage.rss();
        if (index < count / 10) early = Math.max(early, used);
        most = Math.max(most, used);
      }
      yield { name: `unit ${index}`, data: { path: `/files/${index}.txt`, size: index } };
    }
  }
  const start = performance.now();
  await spec.addWorkUnits(units());
  return { unitsPerSecond: count / ((performance.now() - start) / 1_000), early, most };
}

/** How long it takes, in ms, from a call that adds one unit (or from the commit of the caller's transaction) until its handler runs. */
export async function measureLatency(
  producer: PostgresCoordinate,
  consumer: PostgresCoordinate,
  { namespace, rounds, inTransaction }: { namespace: string; rounds: number; inTransaction: boolean },
): Promise<number[]> {
  const spec = await (await producer.namespace(namespace)).setWorkSpec({ name: worker });
  let started: (at: number) => void = () => undefined;
  const runtime = createWorker({
    coordinate: consumer,
    namespace,
    concurrency: 24,
    // So long that only a notification can be what wakes it.
    pollMs: 3_600_000,
    handlers: { [worker]: () => started(performance.now()) },
  });
  await runtime.start();
  const latencies: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const handled = new Promise<number>((resolve) => (started = resolve));
    const began = performance.now();
    if (inTransaction) await producer.transaction((client) => spec.addWorkUnits([{ name: `tx ${round}`, data: {} }], { client }));
    else await spec.addWorkUnit(`single ${round}`, {});
    latencies.push((await handled) - began);
    // The worker is to be asleep again, as it is when something comes out of the blue.
    await wait(15 + 10 * Math.random());
  }
  await runtime.stop();
  return latencies;
}
