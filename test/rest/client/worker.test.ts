import { connectRest, serveRest } from 'pg-coordinate/rest';
import { ManualClock } from 'pg-coordinate/testing';
import { createWorker, type WorkerOptions, type WorkerRuntime } from 'pg-coordinate/worker';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { steadyPort } from '../../support/steady-port.js';
import { loggerTo, untilCounts } from '../../worker/running.js';
import { serveAgain } from '../server/serving.js';

const database = await testDatabase();
const behind = await database.connect();
const server = await serveRest({ coordinate: behind, port: 0 });
const coordinate = await connectRest(server.url);
const namespace = await coordinate.namespace('workers');
afterAll(async () => {
  await coordinate.close();
  await server.stop();
});

type Jobs = Readonly<Record<string, { readonly n: number }>>;

type Options = WorkerOptions<Jobs>;

/** It polls so seldom that only the server can wake it. */
async function start(options: Omit<Options, 'coordinate' | 'namespace'> & Partial<Pick<Options, 'coordinate'>>): Promise<WorkerRuntime> {
  const worker = createWorker<Jobs>({ coordinate, pollMs: 3_600_000, logger: loggerTo([]), ...options, namespace: 'workers' });
  onTestFinished(() => worker.stop());
  await worker.start();
  return worker;
}

const units = (count: number) => Array.from({ length: count }, (_, n) => ({ name: `unit ${n}`, data: { n } }));

describe('a worker over HTTP', () => {
  test('does hundreds of units, and passes their outputs on', async () => {
    const spec = await namespace.setWorkSpec({ name: 'double', then: 'collect' });
    const collect = await namespace.setWorkSpec({ name: 'collect' });
    const seen: number[] = [];
    await spec.addWorkUnits(units(400));
    await start({
      concurrency: 20,
      handlers: {
        double: async ({ data, name }) => ({ output: { [name]: { n: 2 * data.n } } }),
        collect: async ({ data }) => void seen.push(data.n),
      },
    });
    await untilCounts(collect, { finished: 400 });
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, n) => 2 * n));
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 400 });
  });

  test('is woken by work that is added while it waits at the server', async () => {
    const spec = await namespace.setWorkSpec({ name: 'woken' });
    await start({ handlers: { woken: async () => undefined } });
    const waiting = async (): Promise<boolean> => (await database.query(`select from ${database.bucket}.waiter where waiting`)).length > 0;
    await until('it waits', waiting);
    await spec.addWorkUnit('a', {});
    await untilCounts(spec, { finished: 1 });
  });

  test('keeps its leases for as long as a handler takes', async () => {
    // By this clock leases end, while the worker renews them by the real one: however long the machine stands still, none is lost by it.
    const clock = new ManualClock();
    const slowly = await connectRest((await serveAgain(await database.connect({ clock }))).url);
    onTestFinished(() => slowly.close());
    const spec = await (await slowly.namespace('workers')).setWorkSpec({ name: 'slow' });
    const unit = await spec.addWorkUnit('a', {});
    let end: (() => void) | undefined;
    const lifetimeMs = 600;
    await start({ coordinate: slowly, lifetimeMs, handlers: { slow: () => new Promise<void>((resolve) => (end = resolve)) } });
    const expiration = async (): Promise<number | undefined> => (await unit.activeAttempt())?.expirationTime.getTime();
    await until('it has begun', () => end !== undefined);
    // More than two lifetimes, in steps that a lease outlasts if it was renewed after the one before.
    for (let step = 0; step < 4; step++) {
      clock.advance(500);
      await until('its lease is renewed', async () => (await expiration()) === clock.now().getTime() + lifetimeMs);
    }
    expect(await unit.numAttempts()).toBe(1);
    end?.();
    await untilCounts(spec, { finished: 1 });
  });

  test('stops: what runs comes to its end, what was claimed ahead is given back, its row is deactivated', async () => {
    const spec = await namespace.setWorkSpec({ name: 'stopping' });
    await spec.addWorkUnits(units(20));
    const ends: (() => void)[] = [];
    const worker = await start({ concurrency: 2, localQueue: 20, handlers: { stopping: () => new Promise<void>((resolve) => void ends.push(resolve)) } });
    await until('both slots are taken', () => ends.length === 2);
    const stopped = worker.stop();
    for (const end of ends) end();
    await stopped;
    await untilCounts(spec, { finished: 2, available: 18 });
    expect((await (await namespace.worker(worker.name ?? '')).read()).active).toBe(false);
  });

  test('waits for a server that is gone for a while, and goes on', async () => {
    const port = await steadyPort();
    const down = await serveAgain(behind, { port });
    // All the waiting is the worker's own.
    const own = await connectRest(down.url, { retries: 0 });
    onTestFinished(() => own.close());
    const spec = await namespace.setWorkSpec({ name: 'outage' });
    const lines: string[] = [];
    const worker = createWorker({ coordinate: own, namespace: 'workers', pollMs: 200, logger: loggerTo(lines), handlers: { outage: async () => undefined } });
    onTestFinished(() => worker.stop());
    await worker.start();
    await down.stop();
    await until('it notices', () => lines.some((line) => line.includes('cannot be reached')));
    await spec.addWorkUnits(units(5));
    await serveAgain(behind, { port });
    await untilCounts(spec, { finished: 5 });
  });
});
