import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { PostgresCoordinate, PostgresNamespace, WorkSpec } from 'pg-coordinate';
import { connectRest, serveRest } from '../../src/rest/index.js';
import { createWorker } from '../../src/worker/index.js';
import { armed, longMs } from '../core/notify/waiting-worker.js';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';

/* Of a spec with maxRunning, units wait for others to end. Whoever ends one tells those of its connection who sleep meanwhile. */

const database = await testDatabase();
const coordinate = await database.connect();

interface Place {
  readonly namespace: PostgresNamespace;
  readonly spec: WorkSpec;
}

async function limitedTo(max: number): Promise<Place> {
  const namespace = await coordinate.namespace(randomUUID());
  const spec = await namespace.setWorkSpec({ name: 'spec', max_running: max });
  return { namespace, spec };
}

const units = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `unit ${index}`, data: {} }));

describe('workers with more slots than may run', () => {
  test.each([
    { limit: 1, workers: 1, ms: 0 },
    { limit: 1, workers: 1, ms: 15 },
    { limit: 2, workers: 3, ms: 3 },
  ])('go on as soon as one has ended: $limit of $workers workers for $ms ms', async ({ limit, workers, ms }) => {
    const { namespace, spec } = await limitedTo(limit);
    let [running, most] = [0, 0];
    const handler = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await wait(ms);
      running--;
    };
    for (let started = 0; started < workers; started++) {
      const worker = createWorker({ coordinate, namespace: namespace.name, pollMs: 3_600_000, handlers: { spec: handler } });
      onTestFinished(() => worker.stop());
      await worker.start();
    }
    await spec.addWorkUnits(units(60));
    // Nothing else is added, and nobody polls.
    await until('all have run', async () => (await spec.countWorkUnitStatus()).finished === 60);
    expect(most).toBeLessThanOrEqual(limit);
  });

  test('go on with the next unit of a continuous spec as soon as the last has ended', async () => {
    const namespace = await coordinate.namespace(randomUUID());
    await namespace.setWorkSpec({ name: 'spec', continuous: true });
    let handled = 0;
    const handlers = { spec: async () => wait(5).finally(() => handled++) };
    const worker = createWorker({ coordinate, namespace: namespace.name, pollMs: 3_600_000, handlers });
    onTestFinished(() => worker.stop());
    await worker.start();
    await until('many have run', () => handled >= 20);
  });

  test('over HTTP too', async () => {
    const { namespace, spec } = await limitedTo(1);
    const server = await serveRest({ coordinate, port: 0 });
    onTestFinished(() => server.stop());
    const client = await connectRest(server.url);
    onTestFinished(() => client.close());
    let handled = 0;
    const worker = createWorker({ coordinate: client, namespace: namespace.name, handlers: { spec: async () => wait(5).finally(() => handled++) } });
    onTestFinished(() => worker.stop());
    await worker.start();
    await spec.addWorkUnits(units(30));
    // By the server's looks of their own, every five seconds, there would be six in this time.
    await until('all have run', () => handled === 30);
  });
});

describe('one who sleeps after a look at a full spec', () => {
  /** A running attempt, and a signal that was armed before a request found that nothing more may run. */
  async function asleep(of: PostgresCoordinate = coordinate) {
    const { namespace, spec } = await limitedTo(1);
    const worker = await (await of.namespace(namespace.name)).worker('worker');
    await spec.addWorkUnits(units(5));
    const [attempt] = await worker.requestAttempts();
    const signal = await armed(await of.namespace(namespace.name));
    onTestFinished(() => signal.close());
    expect(await worker.requestAttempts()).toEqual([]);
    return { attempt: attempt!, namespace, spec, worker, signal, waiting: signal.wait(longMs) };
  }

  test.each(['finish', 'fail'] as const)('is told by %s', async (end) => {
    const { attempt, waiting } = await asleep();
    await attempt[end]();
    expect(await waiting).toBe('notified');
  });

  test('is told by many reports at once, and by cancel()', async () => {
    const many = await asleep();
    await many.namespace.finishAll([{ attempt: many.attempt }]);
    expect(await many.waiting).toBe('notified');
    const cancelled = await asleep();
    expect(await cancelled.attempt.workUnit.cancel()).toBe(true);
    expect(await cancelled.waiting).toBe('notified');
  });

  test('is told by a transaction of ours once that is committed, and not if it is rolled back', async () => {
    const { attempt, waiting, signal } = await asleep();
    let isTold = false;
    void waiting.then(() => (isTold = true));
    const rolledBack = coordinate.transaction(async (client) => {
      await attempt.finish({}, { client });
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    expect(isTold).toBe(false);
    await coordinate.transaction(async (client) => {
      await attempt.finish({}, { client });
      expect(isTold).toBe(false);
    });
    expect(await waiting).toBe('notified');
    await signal.close();
  });

  test('is told by such a transaction also if it looked only after the report', async () => {
    const { namespace, spec } = await limitedTo(1);
    await spec.addWorkUnits(units(2));
    const worker = await namespace.worker('worker');
    const [attempt] = await worker.requestAttempts();
    const signal = await armed(namespace);
    onTestFinished(() => signal.close());
    await coordinate.transaction(async (client) => {
      await namespace.finishAll([{ attempt: attempt! }], { client });
      expect(await worker.requestAttempts()).toEqual([]);
    });
    expect(await signal.wait(longMs)).toBe('notified');
  });

  test('is not told of other specs', async () => {
    const { namespace, spec } = await limitedTo(1);
    const other = await namespace.setWorkSpec({ name: 'other' });
    await spec.addWorkUnits(units(2));
    await other.addWorkUnit('unit', {});
    const worker = await namespace.worker('worker');
    const [[attempt], [theOther]] = [await worker.requestAttempts({ workSpecs: ['spec'] }), await worker.requestAttempts({ workSpecs: ['other'] })];
    const signal = await armed(namespace);
    onTestFinished(() => signal.close());
    expect(await worker.requestAttempts()).toEqual([]);
    let isTold = false;
    const waiting = signal.wait(longMs).finally(() => (isTold = true));
    await theOther!.finish();
    expect(isTold).toBe(false);
    await attempt!.finish();
    expect(await waiting).toBe('notified');
  });

  test('is told of what has ended before it was known that somebody waits', async () => {
    const { namespace, spec } = await limitedTo(1);
    const worker = await namespace.worker('worker');
    await spec.addWorkUnits(units(2));
    const [first] = await worker.requestAttempts();
    const signal = await armed(namespace);
    onTestFinished(() => signal.close());
    // The answer to the look is known only once what it has seen is over.
    const query = pg.Client.prototype.query as (...args: unknown[]) => Promise<unknown>;
    let finished: Promise<void> | undefined;
    const answerLate = async (asked: Promise<unknown>, { text }: { readonly text?: string }): Promise<unknown> => {
      const answer = await asked;
      if (finished === undefined && text?.startsWith('/* pg-coordinate:scheduler.list-candidates */')) {
        finished = first!.finish();
        await finished;
      }
      return answer;
    };
    const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]): unknown {
      return answerLate(query.apply(this, args), args[0] as { readonly text?: string });
    });
    onTestFinished(() => spy.mockRestore());
    expect(await worker.requestAttempts()).toEqual([]);
    expect(finished).toBeDefined();
    expect(await signal.wait(longMs)).toBe('notified');
  });
});
