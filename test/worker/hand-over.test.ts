import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Attempt, PostgresCoordinate, WorkSpec } from '../../src/index.js';
import { createWorker, type WorkerRuntime } from '../../src/worker/index.js';
import { until } from '../database/until.js';
import { countedOwnConnection, type CountedConnection } from '../core/producers/statements.js';
import { testDatabase } from '../support/database.js';
import { untilCounts } from './running.js';

const database = await testDatabase();

type Handler = (job: { readonly name: string }) => void | Promise<void>;

/** A worker on a connection, which is stopped at the end of the test. It polls so seldom that only what is added can wake it. */
async function workerOn(coordinate: PostgresCoordinate, namespace: string, handler: Handler, concurrency = 24): Promise<WorkerRuntime> {
  const worker = createWorker({ coordinate, namespace, pollMs: 3_600_000, concurrency, handlers: { spec: handler } });
  onTestFinished(() => worker.stop());
  await worker.start();
  return worker;
}

/** Until all that start sleep, so that what is added is handed to them. */
async function untilAsleep(namespace: string, workers = 1): Promise<void> {
  const text = `
    select count(*)::integer from ${database.bucket}.waiter
    where waiting and namespace_id = (select id from ${database.schema}.namespace where name = convert_to($1, 'UTF8'))`;
  await until('it sleeps', async () => (await database.query<{ count: number }>(text, [namespace]))[0]?.count === workers);
}

/** Adds a unit once the worker sleeps, as far as it has said: it looks once more after that. */
async function addOnceAsleep(namespace: string, spec: WorkSpec, unit: string): Promise<void> {
  await untilAsleep(namespace);
  // Until it says so again, it is not asleep.
  await database.query(`update ${database.bucket}.waiter set waiting = false`);
  await spec.addWorkUnit(unit, {});
}

/** Whether what was added since it was asked what was sent is the worker's: it may also have declined it, or met a lock, and then it is added as for anybody. */
function wasHandedOver({ sentOf }: CountedConnection): boolean {
  const sent = sentOf('').filter((label) => label.startsWith('work-unit.add') || label === 'notify.wake');
  return sent.length === 1 && sent[0] === 'work-unit.add-and-start';
}

/** A promise to wait for, and what ends that. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  return { opened: new Promise<void>((resolve) => (open = resolve)), open };
}

describe('a worker that sleeps where units are added', () => {
  test('begins with the commit: nobody claims, and it goes on sleeping', async () => {
    const connection = await countedOwnConnection(database);
    onTestFinished(() => connection.close());
    const name = randomUUID();
    const spec = await (await connection.coordinate.namespace(name)).setWorkSpec({ name: 'spec' });
    const ran: string[] = [];
    const worker = await workerOn(connection.coordinate, name, ({ name: unit }) => void ran.push(unit));
    for (let added = 1, isHandedOver = false; !isHandedOver; added++) {
      connection.sentOf('');
      await addOnceAsleep(name, spec, `${added}`);
      isHandedOver = wasHandedOver(connection);
      await until('all have run', () => ran.length === added && worker.load.unreported === 0);
    }
    connection.sentOf('');
    for (const unit of ['a', 'b', 'c']) {
      await spec.addWorkUnit(unit, {});
      await until('it has run', () => ran.includes(unit) && worker.load.unreported === 0);
    }
    const sent = connection.sentOf('').filter((label) => /^(work-unit|attempt|scheduler)\./.test(label));
    expect(sent).toEqual(['a', 'b', 'c'].flatMap(() => ['work-unit.add-and-start', 'attempt.end-placed']));
    await worker.stop();
  });

  test('whoever has added a unit knows it before its handler does', async () => {
    const connection = await countedOwnConnection(database);
    onTestFinished(() => connection.close());
    const name = randomUUID();
    const spec = await (await connection.coordinate.namespace(name)).setWorkSpec({ name: 'spec' });
    let order: string[] = [];
    const worker = await workerOn(connection.coordinate, name, () => void order.push('starts'));
    for (let number = 0, handedOver = 0, isAsleep = false; handedOver < 5; number++) {
      order = [];
      connection.sentOf('');
      await (isAsleep ? spec.addWorkUnit(`${number}`, {}) : addOnceAsleep(name, spec, `${number}`));
      order.push('added');
      // Then it goes on sleeping.
      isAsleep = wasHandedOver(connection);
      if (isAsleep) handedOver++;
      await until('it has run', () => order.includes('starts') && worker.load.unreported === 0);
      if (isAsleep) expect(order).toEqual(['added', 'starts']);
    }
    await worker.stop();
  });

  test('is given no more than it has free slots, and what comes after waits', async () => {
    const coordinate = await database.connect();
    const name = randomUUID();
    const spec = await (await coordinate.namespace(name)).setWorkSpec({ name: 'spec' });
    const { opened, open } = gate();
    let [running, most] = [0, 0];
    const worker = await workerOn(
      coordinate,
      name,
      async () => {
        most = Math.max(most, ++running);
        await opened;
        running--;
      },
      3,
    );
    await untilAsleep(name);
    await Promise.all(Array.from({ length: 40 }, (_, number) => spec.addWorkUnit(`${number}`, {})));
    await until('all slots are busy', () => worker.load.running === 3);
    await untilCounts(spec, { pending: 3, available: 37 });
    open();
    await untilCounts(spec, { finished: 40 });
    expect(most).toBe(3);
  });

  test('gives back what is handed to it while it stops', async () => {
    const coordinate = await database.connect();
    const name = randomUUID();
    const spec = await (await coordinate.namespace(name)).setWorkSpec({ name: 'spec' });
    const ran: string[] = [];
    let worker: WorkerRuntime | undefined;
    let stopping: Promise<void> | undefined;
    const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
    const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
      const [config] = args as [{ readonly text?: string }];
      if (config.text?.includes('work-unit.add-and-start') === true) stopping ??= worker?.stop();
      return query.apply(this, args);
    });
    onTestFinished(() => spy.mockRestore());
    let added = 0;
    let attempts: readonly Attempt[] = [];
    // What it declines, or cannot have because of a lock, is added as for anybody: for the next worker, and nobody has attempted it.
    while (attempts.length === 0) {
      stopping = undefined;
      worker = await workerOn(coordinate, name, ({ name: unit }) => void ran.push(unit));
      while (stopping === undefined) {
        await until('all have run', () => ran.length === added);
        await addOnceAsleep(name, spec, `${++added}`);
      }
      await (stopping as Promise<void>);
      attempts = await (await spec.workUnit(`${added}`)).attempts();
    }
    expect(ran).not.toContain(`${added}`);
    expect(await (await spec.workUnit(`${added}`)).status()).toBe('available');
    expect(attempts).toMatchObject([{ status: 'expired' }]);
  });
});

test('units that many processes add and work on all run, and once', { timeout: 60_000 }, async () => {
  const name = randomUUID();
  const coordinates = await Promise.all(Array.from({ length: 4 }, () => database.connect({ pool: { max: 4 } })));
  const [first] = coordinates;
  const spec = await (await first!.namespace(name)).setWorkSpec({ name: 'spec' });
  const runs = new Map<string, number>();
  for (const coordinate of coordinates) {
    const handler: Handler = async ({ name: unit }) => {
      runs.set(unit, (runs.get(unit) ?? 0) + 1);
      await new Promise((resolve) => setImmediate(resolve));
    };
    await workerOn(coordinate, name, handler, 5);
  }
  await untilAsleep(name, coordinates.length);
  const add = async (coordinate: PostgresCoordinate, part: number): Promise<void> => {
    const ownSpec = await (await coordinate.namespace(name)).workSpec('spec');
    for (let number = 0; number < 150; number++) {
      const adding = ownSpec.addWorkUnit(`${part} ${number}`, {});
      // Some come together, and some by themselves.
      if (number % 3 === 0) await adding;
      else adding.catch(() => undefined);
    }
  };
  await Promise.all(coordinates.map(add));
  await untilCounts(spec, { finished: 600 });
  expect([...runs.values()].filter((count) => count !== 1)).toEqual([]);
  expect(runs.size).toBe(600);
});
