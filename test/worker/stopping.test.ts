import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createWorker } from '../../src/worker/index.js';
import { ThreadLeaseKeeper } from '../../src/worker/lease/thread-lease-keeper.js';
import { LocalQueueSize } from '../../src/worker/local-queue.js';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';
import { runWorker, untilCounts } from './running.js';

const database = await testDatabase();

async function specOf(name: string) {
  const namespace = await (await database.connect()).namespace(name);
  return namespace.setWorkSpec({ name: 'spec', retry: { limit: 0 } });
}

const units = (count: number) => Array.from({ length: count }, (_, index) => ({ name: String(index), data: {} }));

/** Resolves when the signal fires, to its reason. */
function fired(signal: AbortSignal): Promise<{ code: string }> {
  return new Promise((resolve) => {
    const tell = (): void => resolve(signal.reason as { code: string });
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  });
}

describe('a worker that stops', () => {
  test('lets running handlers end, and gives back what was claimed ahead', async () => {
    const spec = await specOf('graceful');
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let ran = 0;
    let held = false;
    const { worker } = await runWorker(database, {
      namespace: 'graceful',
      concurrency: 2,
      localQueue: 500,
      handlers: {
        spec: async () => {
          ran++;
          // Fast at first, so that units are claimed ahead; then they stand still.
          if (ran < 1_000 || worker.load.queued < 5) return;
          held = true;
          await released;
        },
      },
    });
    // Now, as the handler looks at the worker.
    await spec.addWorkUnits(units(2_000));
    await until('both slots are held', () => held && worker.load.running === 2);
    const queued = worker.load.queued;
    const stopped = worker.stop();
    await until('the queue has been given back', () => worker.load.queued === 0);
    release();
    await stopped;
    expect(queued).toBeGreaterThan(0);
    const counts = await spec.countWorkUnitStatus();
    expect(counts).toEqual({ finished: ran, available: 2_000 - ran });
    expect(worker.load).toEqual({ running: 0, queued: 0, unreported: 0 });
  });

  test('fires the signals of handlers that go on; those that end are given back, not failed', async () => {
    const spec = await specOf('aborted');
    await spec.addWorkUnits(units(3));
    const reasons: string[] = [];
    const { worker } = await runWorker(database, {
      namespace: 'aborted',
      graceMs: 0,
      handlers: {
        spec: async ({ name, signal }) => {
          const { code } = await fired(signal);
          reasons.push(code);
          if (name === '0') return { done: true };
          throw new Error('stopped');
        },
      },
    });
    await until('all run', () => worker.load.running === 3);
    await worker.stop();
    expect(reasons).toEqual(['ShuttingDown', 'ShuttingDown', 'ShuttingDown']);
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 1, available: 2 });
  });

  test('gives back what handlers will not let go; their late answers count for nothing', async () => {
    const spec = await specOf('stubborn');
    const unit = await spec.addWorkUnit('a', {});
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let answered = false;
    const { worker } = await runWorker(database, {
      namespace: 'stubborn',
      graceMs: 0,
      abortGraceMs: 0,
      handlers: { spec: () => released.then(() => { answered = true; return { late: true }; }) },
    });
    await until('it runs', () => worker.load.running === 1);
    await worker.stop();
    expect(await unit.status()).toBe('available');
    release();
    await until('the handler has answered', () => answered);
    expect(await unit.status()).toBe('available');
    expect(await unit.data()).toEqual({});
  });

  test('may be stopped twice, and before it was started', async () => {
    await specOf('twice');
    const coordinate = await database.connect();
    const worker = createWorker({ coordinate, namespace: 'twice', handlers: { spec: () => undefined } });
    await Promise.all([worker.stop(), worker.stop()]);
    await worker.ended;
    await worker.start();
    expect(worker.name).toBeUndefined();
  });

  test('is stopped by leaving its block', async () => {
    const spec = await specOf('block');
    const coordinate = await database.connect();
    {
      await using worker = createWorker({ coordinate, namespace: 'block', handlers: { spec: () => undefined } });
      await worker.start();
      await spec.addWorkUnit('a', {});
      await untilCounts(spec, { finished: 1 });
    }
    await coordinate.close();
  });
});

describe('a handler', () => {
  test('whose unit is cancelled learns it, and its answer counts for nothing', async () => {
    const spec = await specOf('cancelled');
    const unit = await spec.addWorkUnit('a', { own: 1 });
    let code = '';
    const { worker } = await runWorker(database, {
      namespace: 'cancelled',
      handlers: { spec: async ({ signal }) => { ({ code } = await fired(signal)); return { done: true }; } },
    });
    await until('it runs', () => worker.load.running === 1);
    expect(await unit.cancel('no longer wanted')).toBe(true);
    await until('it has ended', () => worker.load.running === 0);
    expect(code).toBe('Cancelled');
    await worker.stop();
    expect(await unit.status()).toBe('failed');
    expect(await unit.data()).toMatchObject({ own: 1, error: { code: 'Cancelled' } });
  });

  test('never begins a unit that was cancelled while it waited in the queue', async () => {
    const spec = await specOf('cancelled-ahead');
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    // With more than half of that in the queue nothing is claimed: neither while the test looks at it, nor in place of the five that are cancelled.
    const ahead = vi.spyOn(LocalQueueSize.prototype, 'ahead', 'get').mockReturnValue(50);
    onTestFinished(() => ahead.mockRestore());
    const releases = vi.spyOn(ThreadLeaseKeeper.prototype, 'release');
    onTestFinished(() => releases.mockRestore());
    const ran = new Set<string>();
    let held: { readonly name: string; readonly signal: AbortSignal } | undefined;
    const { worker } = await runWorker(database, {
      namespace: 'cancelled-ahead',
      concurrency: 1,
      localQueue: 500,
      handlers: {
        spec: async (context) => {
          ran.add(context.name);
          if (held !== undefined || worker.load.queued <= 25 + 5) return;
          held = context;
          await released;
        },
      },
    });
    // Now, as the handler looks at the worker.
    await spec.addWorkUnits(units(600));
    await until('the slot is held', () => held !== undefined && worker.load.unreported === 0);
    const waiting = (await spec.workUnits({ statuses: ['pending'] })).filter(({ name }) => !ran.has(name));
    const { queued } = worker.load;
    expect(waiting).toHaveLength(queued);
    for (const unit of waiting.slice(0, 5)) expect(await unit.cancel()).toBe(true);
    await until('they are not in the queue any more', () => worker.load.queued === queued - 5);
    const names = waiting.slice(0, 5).map(({ name }) => name);
    expect(releases.mock.calls.map(([attempt]) => attempt.workUnit.name)).toEqual(expect.arrayContaining(names));
    // What runs has left the queue, whose array it may still be in.
    const [running] = await spec.workUnits({ names: [held?.name ?? ''] });
    expect(await running?.cancel()).toBe(true);
    await until('its handler learns it', () => held?.signal.aborted === true);
    expect(worker.load.queued).toBe(queued - 5);
    release();
    await untilCounts(spec, { finished: 594, failed: 6 });
    expect(names.filter((name) => ran.has(name))).toEqual([]);
  });

  test('whose unit was taken away learns it with the next renewal', async () => {
    const spec = await specOf('taken');
    const unit = await spec.addWorkUnit('a', {});
    let code = '';
    const { worker } = await runWorker(database, {
      namespace: 'taken',
      lifetimeMs: 4_000,
      handlers: { spec: async ({ signal }) => { ({ code } = await fired(signal)); } },
    });
    await until('it runs', () => worker.load.running === 1);
    const other = await unit.workSpec.namespace.worker('other');
    await other.makeAttempt(unit);
    await until('it has ended', () => worker.load.running === 0);
    expect(code).toBe('LostLease');
    expect(await unit.status()).toBe('pending');
  });

  test('that hangs is warned, then its unit is taken from it and its slot is free again', async () => {
    const spec = await specOf('hangs');
    let code = '';
    const { worker } = await runWorker(database, {
      namespace: 'hangs',
      concurrency: 1,
      handlers: {
        spec: {
          maxRunMs: 300,
          run: async ({ name, signal }) => {
            if (name !== 'hangs') return;
            ({ code } = await fired(signal));
            await new Promise(() => undefined);
          },
        },
      },
    });
    const unit = await spec.addWorkUnit('hangs', {}, { priority: 1 });
    await spec.addWorkUnit('next', {});
    await untilCounts(spec, { failed: 1, finished: 1 });
    expect(code).toBe('RunTimeExceeded');
    expect(await unit.data()).toMatchObject({ error: { code: 'RunTimeExceeded' } });
    await worker.stop();
  });

  test('keeps its lease for as long as it runs', async () => {
    const spec = await specOf('kept');
    const unit = await spec.addWorkUnit('a', {});
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    // A busy machine may keep a renewal waiting for seconds.
    const lifetimeMs = 4_000;
    const { worker } = await runWorker(database, { namespace: 'kept', lifetimeMs, handlers: { spec: () => released } });
    await until('it runs', () => worker.load.running === 1);
    const first = (await unit.activeAttempt())!;
    // A renewal that makes it end so late came when the first lease would have ended, by the database's clock.
    await until('the lease was renewed beyond its first end', async () => {
      const { expirationTime } = (await unit.activeAttempt()) ?? first;
      return expirationTime.getTime() - first.expirationTime.getTime() > lifetimeMs;
    });
    release();
    await untilCounts(spec, { finished: 1 });
    expect(await unit.numAttempts()).toBe(1);
    expect(worker.load.running).toBe(0);
  });
});
