import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createWorker } from '../../src/worker/index.js';
import { LocalQueueSize } from '../../src/worker/local-queue.js';
import type { AttemptRequest } from 'pg-coordinate';
import { PostgresWorker } from '../../src/core/worker/postgres-worker.js';
import { countedOwnConnection } from '../core/producers/statements.js';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';
import { runWorker, untilCounts } from './running.js';

const database = await testDatabase();

async function namespaceOf(name: string) {
  return (await database.connect()).namespace(name);
}

const units = (count: number) => Array.from({ length: count }, (_, index) => ({ name: String(index).padStart(5, '0'), data: {} }));

describe('a worker asks for', () => {
  test('work specs by name and by task, also such as come later', async () => {
    const namespace = await namespaceOf('tasks');
    const byName = await namespace.setWorkSpec({ name: 'resize' });
    const ran: string[] = [];
    await runWorker(database, { namespace: 'tasks', pollMs: 100, handlers: { resize: ({ workSpec }) => void ran.push(workSpec) } });
    await byName.addWorkUnit('a', {});
    await untilCounts(byName, { finished: 1 });
    const byTask = await namespace.setWorkSpec({ name: 'resize the large ones', task: 'resize' });
    const other = await namespace.setWorkSpec({ name: 'other', task: 'crop' });
    await other.addWorkUnit('c', {});
    await byTask.addWorkUnit('b', {});
    await untilCounts(byTask, { finished: 1 });
    expect(ran).toEqual(['resize', 'resize the large ones']);
    expect(await other.countWorkUnitStatus()).toEqual({ available: 1 });
  });

  test('only what its runtimes and its memory allow', async () => {
    const namespace = await namespaceOf('runtimes');
    const python = await namespace.setWorkSpec({ name: 'python', runtime: 'python' });
    const large = await namespace.setWorkSpec({ name: 'large', runtime: 'node', min_gb: 64 });
    const node = await namespace.setWorkSpec({ name: 'node', runtime: 'node' });
    for (const spec of [python, large, node]) await spec.addWorkUnit('a', {});
    const run = () => undefined;
    await runWorker(database, {
      namespace: 'runtimes',
      runtimes: ['node'],
      availableGb: 8,
      handlers: { python: run, large: run, node: run },
    });
    await untilCounts(node, { finished: 1 });
    expect(await python.countWorkUnitStatus()).toEqual({ available: 1 });
    expect(await large.countWorkUnitStatus()).toEqual({ available: 1 });
  });

  test('as many units as it has free slots', async () => {
    const namespace = await namespaceOf('slots');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnits(units(30));
    let running = 0;
    let most = 0;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { worker } = await runWorker(database, {
      namespace: 'slots',
      concurrency: 7,
      handlers: {
        spec: async () => {
          most = Math.max(most, ++running);
          await held;
          running--;
        },
      },
    });
    await until('all slots are busy', () => worker.load.running === 7);
    await untilCounts(spec, { available: 23, pending: 7 });
    expect(worker.load).toEqual({ running: 7, queued: 0, unreported: 0 });
    release();
    await untilCounts(spec, { finished: 30 });
    expect(most).toBe(7);
  });

  test('more than that if it may queue, once it has seen how fast they are', async () => {
    const namespace = await namespaceOf('ahead');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    let queued = 0;
    const { worker } = await runWorker(database, {
      namespace: 'ahead',
      concurrency: 4,
      localQueue: 200,
      handlers: { spec: () => void (queued = Math.max(queued, worker.load.queued)) },
    });
    // Now, as the handler looks at the worker.
    await spec.addWorkUnits(units(5_000));
    await untilCounts(spec, { finished: 5_000 });
    expect(queued).toBeGreaterThan(4);
    expect(queued).toBeLessThanOrEqual(204);
  });

  test.each([
    ['units', () => undefined, 2_000],
    ['whole batches', { runBatch: (batch: readonly unknown[]) => batch.map(() => undefined), batchSize: 300 }, 900],
  ] as const)('no more %s at once than one claim brings, so that its handlers need not wait for a second one', async (what, handler, most) => {
    const namespace = await namespaceOf(`at once: ${what}`);
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnits(units(6_000));
    // However long handlers and claims take here, there is room for more than that.
    const ahead = vi.spyOn(LocalQueueSize.prototype, 'ahead', 'get').mockReturnValue(2_000);
    onTestFinished(() => ahead.mockRestore());
    const asked: (number | undefined)[] = [];
    const request = PostgresWorker.prototype.requestAttempts;
    onTestFinished(() => void (PostgresWorker.prototype.requestAttempts = request));
    PostgresWorker.prototype.requestAttempts = function (this: PostgresWorker, options: AttemptRequest) {
      asked.push(options.numberOfWorkUnits);
      return request.call(this, options);
    } as typeof request;
    await runWorker(database, { namespace: `at once: ${what}`, concurrency: 24, localQueue: 2_000, handlers: { spec: handler } });
    await untilCounts(spec, { finished: 6_000 });
    expect(Math.max(...asked.map(Number))).toBe(most);
  });

  test('whole batches, wherever the ranges end in which units wait', async () => {
    const namespace = await namespaceOf('batches of ranges');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnits(units(1_000));
    const batches: number[] = [];
    await runWorker(database, {
      namespace: 'batches of ranges',
      handlers: { spec: { runBatch: (batch) => (batches.push(batch.length), batch.map(() => undefined)), batchSize: 300 } },
    });
    await untilCounts(spec, { finished: 1_000 });
    expect(batches.sort()).toEqual([100, 300, 300, 300]);
  });

  test('units of batch handlers and of others by turns', async () => {
    const namespace = await namespaceOf('turns');
    const one = await namespace.setWorkSpec({ name: 'one' });
    const many = await namespace.setWorkSpec({ name: 'many' });
    await one.addWorkUnits(units(300));
    await many.addWorkUnits(units(300));
    await runWorker(database, {
      namespace: 'turns',
      concurrency: 3,
      handlers: { one: () => undefined, many: { runBatch: (batch) => batch.map(() => undefined), batchSize: 10 } },
    });
    await untilCounts(one, { finished: 300 });
    await untilCounts(many, { finished: 300 });
  });
});

describe('a worker that has nothing to do', () => {
  test('is woken by what is added: one unit, many, in a transaction', async () => {
    const namespace = await namespaceOf('woken');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await runWorker(database, { namespace: 'woken', handlers: { spec: () => undefined } });
    for (let round = 1; round <= 20; round++) {
      await spec.addWorkUnit(`one ${round}`, {});
      await untilCounts(spec, { finished: round });
    }
    await spec.addWorkUnits(units(50));
    await untilCounts(spec, { finished: 70 });
    const client = await database.client();
    await client.query('begin');
    await spec.addWorkUnits([{ name: 'in a transaction', data: {} }], { client });
    await client.query('commit');
    await untilCounts(spec, { finished: 71 });
  });

  test('at once for what it knows, however long ago that was, and only then for new work specs', async () => {
    const connection = await countedOwnConnection(database);
    onTestFinished(() => connection.close());
    const namespace = await namespaceOf('woken');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const log: string[] = [];
    const happened = (...what: readonly string[]) => log.push(...connection.sentOf(''), ...what);
    const worker = createWorker<{ spec: object }>({
      coordinate: connection.coordinate,
      namespace: 'woken',
      pollMs: 3_600_000,
      handlers: { spec: ({ name }) => void happened(name) },
    });
    onTestFinished(() => worker.stop());
    await worker.start();
    // Once it has registered it looks again, and only then sleeps.
    const untilAsleepAfter = (what: string) =>
      until('it sleeps', () => {
        happened();
        const [registered, looked] = [log.lastIndexOf('notify.register-waiter'), log.lastIndexOf('scheduler.list-named-candidates')];
        return worker.load.unreported === 0 && looked > registered && registered > log.indexOf(what);
      });
    await untilAsleepAfter('nothing');
    for (const unit of ['first', 'second']) {
      await spec.addWorkUnit(unit, {});
      await until('it has run', () => log.includes(unit));
      await untilAsleepAfter(unit);
    }
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now');
    onTestFinished(() => clock.mockRestore());
    let seen: readonly string[] = [];
    // It may be awake already, and look for new work specs before it claims: not each time.
    for (let round = 1; !seen.includes('attempt.claim-fresh') || seen.includes('work-spec.list'); round++) {
      // What it knows is too old now.
      clock.mockImplementation(() => now() + 5_000 * round);
      const unit = `round ${round}`;
      happened(`adding in ${unit}`);
      await spec.addWorkUnit(unit, {});
      await until('it has run', () => log.includes(unit));
      seen = log.slice(log.indexOf(`adding in ${unit}`), log.indexOf(unit));
      await untilAsleepAfter(unit);
      expect(log.lastIndexOf('work-spec.list')).toBeGreaterThan(log.indexOf(`adding in ${unit}`));
    }
  });

  test('looks again when a delay has passed', async () => {
    const namespace = await namespaceOf('due');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await runWorker(database, { namespace: 'due', handlers: { spec: () => undefined } });
    await spec.addWorkUnit('a', {}, { notBefore: new Date(Date.now() + 500) });
    // The add has woken it: it has seen when the unit is due.
    await untilCounts(spec, { finished: 1 });
  });
});

describe('workers', () => {
  test('have a row each, below that of their process, which say what they do', async () => {
    const { worker, namespace } = await runWorker(database, { namespace: 'rows', name: 'w', parent: 'p', handlers: { spec: () => undefined } });
    expect(worker.name).toBe('w');
    const row = await namespace.worker('w');
    expect(await row.read()).toMatchObject({ parent: 'p', active: true, mode: 'running', data: { concurrency: 10, handlers: ['spec'], running: 0 } });
    const parent = await (await namespace.worker('p')).read();
    expect(parent).toMatchObject({ active: true, data: { pid: process.pid, node: process.version } });
    expect(parent.data?.memoryBytes).toBeGreaterThan(1_000_000);
    await worker.stop();
    expect((await row.read()).active).toBe(false);
    expect((await (await namespace.worker('p')).read()).active).toBe(false);
  });

  test('update it again and again', async () => {
    const { namespace } = await runWorker(database, { namespace: 'beats', name: 'w', heartbeatMs: 50, handlers: { spec: () => undefined } });
    const row = await namespace.worker('w');
    const { lastUpdate } = await row.read();
    await until('the row is newer', async () => (await row.read()).lastUpdate > lastUpdate);
  });

  test('stop by themselves when the namespace is gone', async () => {
    const { worker, namespace, lines } = await runWorker(database, { namespace: 'gone', pollMs: 50, handlers: { spec: () => undefined } });
    await namespace.destroy();
    await expect(worker.ended).rejects.toMatchObject({ code: 'Gone' });
    await worker.stop();
    expect(lines.filter((line) => line.startsWith('error:'))).not.toEqual([]);
  });
});

describe('options', () => {
  const good = { namespace: 'n', handlers: { a: () => undefined } };
  test.each([
    [{ ...good, concurrency: 0 }, 'options.concurrency'],
    [{ ...good, concurency: 5 }, 'options.concurency'],
    [{ ...good, lifetimeMs: 10 }, 'options.lifetimeMs'],
    [{ ...good, handlers: {} }, 'options.handlers'],
    [{ ...good, handlers: { a: 5 } }, 'options.handlers.a'],
    [{ ...good, handlers: { a: { run: 5 } } }, 'options.handlers.a.run'],
    [{ ...good, handlers: { a: { run: () => undefined, retry: { limits: 5 } } } }, 'options.handlers.a.retry.limits'],
    [{ ...good, logger: {} }, 'options.logger'],
    [{ ...good, name: 5 }, 'options.name'],
    [{ ...good, availableGb: '3' }, 'options.availableGb'],
    [{ ...good, stopOn: ['SIGKILL'] }, 'options.stopOn[0]'],
    [{ ...good, stopOn: ['SIGFOO'] }, 'options.stopOn[0]'],
  ])('that are wrong are named: %#', async (options, field) => {
    const coordinate = await database.connect();
    expect(() => createWorker({ coordinate, ...options } as never)).toThrow(expect.objectContaining({ code: 'InvalidArgument', details: expect.objectContaining({ field }) as unknown }));
  });
});
