import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import pg from 'pg';
import { connect, waitFor, type Worker, type WorkSpec, type PostgresNamespace } from 'pg-coordinate';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { leastWakeIntervalMs, workSignal, type WorkSignal } from '../../../src/core/notify/work-signal.js';
import { until } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { armed, cutListener, longMs, overhear } from './waiting-worker.js';

const database = await testDatabase();
const application = `sleeping of ${database.schema}`;
const coordinate = await database.connect({ pool: { max: 4 } });
const sleeping = await database.connect({ pool: { max: 4, application_name: application } });
let namespace: PostgresNamespace;
let spec: WorkSpec;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec' });
});
afterEach(() => namespace.destroy());

async function sleeper(name: string): Promise<{ signal: WorkSignal; worker: Worker }> {
  const own = await sleeping.namespace(namespace.name);
  return { signal: workSignal(own), worker: await own.worker(name) };
}

/** Works off units as a worker does until aborted, but sleeps for as long as nobody wakes it; calls `done` after each. */
async function workOff(
  { signal, worker }: { readonly signal: WorkSignal; readonly worker: Worker },
  workSpecs: string[],
  done: () => void,
  stop: AbortSignal,
): Promise<void> {
  const look = async (): Promise<boolean> => {
    const attempts = await worker.requestAttempts({ workSpecs, numberOfWorkUnits: 10 });
    if (attempts.length > 0) await worker.namespace.finishAll(attempts.map((attempt) => ({ attempt })));
    attempts.forEach(() => done());
    return attempts.length > 0;
  };
  while (!stop.aborted) {
    if (await look()) continue;
    await signal.arm();
    if (!(await look())) await signal.wait(longMs, stop);
  }
  await signal.close();
}

/** Time enough, give or take a little, for a worker to have registered, or to be about to. */
async function spin(turn: number): Promise<void> {
  const until = performance.now() + leastWakeIntervalMs - 3 + (turn % 120) / 10;
  while (performance.now() < until) await setImmediate();
}

describe('no wake-up is lost', () => {
  test.each([
    { by: 'another connection', adding: coordinate },
    { by: 'the same connection', adding: sleeping },
  ])('of single adds by $by, at any moment of falling asleep', { timeout: 300_000 }, async ({ adding }) => {
    const adder = await adding.namespace(namespace.name);
    await Promise.all(
      Array.from({ length: 4 }, async (_, pair) => {
        const name = `spec ${pair}`;
        const own = await adder.setWorkSpec({ name });
        const stop = new AbortController();
        let done: (() => void) | undefined;
        const working = workOff(await sleeper(name), [name], () => done?.(), stop.signal);
        for (let round = 0; round < 150; round++) {
          // One at a time: if this one's wake-up were lost, nothing else would come.
          const worked = new Promise<void>((resolve) => (done = resolve));
          await own.addWorkUnits([{ name: `unit ${round}`, data: {} }]);
          await worked;
          await spin(7 * round + 13 * pair);
        }
        stop.abort();
        await working;
      }),
    );
  });

  test('when those who add and those who sleep are many', { timeout: 300_000 }, async () => {
    let left = 240;
    const stop = new AbortController();
    const countDown = (): void => {
      left--;
      if (left === 0) stop.abort();
    };
    const sleepers = await Promise.all(Array.from({ length: 4 }, (_, index) => sleeper(`worker ${index}`)));
    const working = sleepers.map((each) => workOff(each, ['spec'], countDown, stop.signal));
    const adding = Array.from({ length: 4 }, async (_, producer) => {
      for (let unit = 0; unit < 60; unit++) {
        await spec.addWorkUnits([{ name: `unit ${producer} ${unit}`, data: {} }]);
        await spin(11 * unit + producer);
      }
    });
    await Promise.all([...working, ...adding]);
    expect(left).toBe(0);
  });
});

test('fifty who add as fast as they can cost no more notifications than were asked for', { timeout: 120_000 }, async () => {
  const producers = await database.connect({ pool: { max: 50 } });
  const own = await (await producers.namespace(namespace.name)).workSpec('spec');
  const overheard = await overhear(database);
  const asleep = await sleeping.namespace(namespace.name);
  const signals = await Promise.all([armed(asleep), armed(asleep)]);
  let isOver = false;
  let registrations = 2 * signals.length;
  const began = performance.now();
  const sleepers = signals.map(async (signal) => {
    while (!isOver) {
      await signal.wait(50);
      await signal.arm();
      registrations++;
    }
  });
  let added = 0;
  await Promise.all(
    Array.from({ length: 50 }, async (_, producer) => {
      for (let unit = 0; performance.now() - began < 1_500; unit++) {
        await own.addWorkUnits([{ name: `unit ${producer} ${unit}`, data: {} }]);
        added++;
      }
    }),
  );
  isOver = true;
  await Promise.all(sleepers);
  const lastedMs = performance.now() - began;
  await overheard.settle();
  const notified = overheard.payloads.filter((payload) => payload === `work ${namespace.id}`).length;
  expect(notified).toBeGreaterThan(0);
  expect(notified, `of ${added} adds`).toBeLessThanOrEqual(registrations);
  expect(notified).toBeLessThanOrEqual(signals.length * (lastedMs / leastWakeIntervalMs + 2));
  await Promise.all(signals.map((signal) => signal.close()));
  await producers.close();
});

describe('when the listening connection is lost', () => {
  test('who sleeps is woken once it is back, and then by work again', async () => {
    const { signal, worker } = await sleeper('worker');
    await signal.arm();
    await signal.arm();
    const waiting = signal.wait(longMs);
    await cutListener(database, application);
    expect(await waiting).toBe('notified');
    expect(signal.connected).toBe(true);
    await signal.arm();
    expect(await worker.requestAttempts()).toEqual([]);
    const again = signal.wait(longMs);
    await spec.addWorkUnit('new', {});
    expect(await again).toBe('notified');
    await signal.close();
  });

  test('and cannot be had again, polling does: nobody is asked to notify, and the logger is told once', async () => {
    const warnings: string[] = [];
    const pool = poolWithoutListener();
    const deaf = await connect(pool, {
      schema: database.schema,
      logger: { warn: (text) => void warnings.push(text), error: () => undefined },
    });
    const own = await deaf.namespace(namespace.name);
    const signal = workSignal(own);
    await spec.addWorkUnit('later', {}, { notBefore: new Date('2999-01-01') });
    expect(await signal.arm()).toBeTypeOf('number');
    expect(signal.connected).toBe(false);
    const registered = await database.query(`select from ${database.bucket}.waiter where namespace_id = $1`, [namespace.id]);
    expect(registered).toEqual([]);
    await spec.addWorkUnit('later', {});
    expect(await signal.wait(20)).toBe('timeout');
    await signal.arm();
    const unit = await (await own.workSpec('spec')).addWorkUnit('new', {}, { priority: 1 });
    // Of what is done on this connection it need not be told by the server.
    expect(await signal.wait(longMs)).toBe('notified');
    const [attempt] = await (await own.worker('worker')).requestAttempts();
    const waiting = waitFor(unit);
    await attempt!.finish();
    expect((await waiting).status).toBe('finished');
    expect(warnings).toHaveLength(1);
    await signal.close();
    await deaf.close();
    await pool.end();
  });
});

/** A pool whose clients reach the database, though its settings lead nowhere: what connects beside it does not. */
function poolWithoutListener(): pg.Pool {
  const there = { connectionString: database.url, application_name: `pg-coordinate test ${database.schema}` };
  class Client extends pg.Client {
    constructor() {
      super(there);
    }
  }
  // Nobody listens at port 1.
  return new pg.Pool({ host: '127.0.0.1', port: 1, max: 2, Client });
}

test('one who sleeps says again and again that it does', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const { signal } = await sleeper('worker');
    await signal.arm();
    await signal.arm();
    const waiting = signal.wait(longMs);
    const stale = `update ${database.bucket}.waiter set since = now() - interval '25 seconds' where namespace_id = $1`;
    await database.query(stale, [namespace.id]);
    vi.advanceTimersByTime(10_000);
    await until('it has said so', async () => {
      const recent = `select from ${database.bucket}.waiter where namespace_id = $1 and since > now() - interval '20 seconds'`;
      return (await database.query(recent, [namespace.id])).length === 1;
    });
    await spec.addWorkUnit('new', {});
    expect(await waiting).toBe('notified');
    await signal.close();
  } finally {
    vi.useRealTimers();
  }
});
