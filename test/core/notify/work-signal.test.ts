import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { connect, type Worker, type WorkSpec, type PostgresNamespace } from 'pg-coordinate';
import { ManualClock } from 'pg-coordinate/testing';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { workSignal, type WorkSignal } from '../../../src/core/notify/work-signal.js';
import { memoryCoordinate } from '../../reference/index.js';
import { testDatabase } from '../../support/database.js';
import { armed, longMs, overhear } from './waiting-worker.js';
import { wakers } from './wakers.js';

const database = await testDatabase();
const coordinate = await database.connect({ pool: { max: 4 } });
/** Of another process, as far as the first one knows. */
const elsewhere = await database.connect({ pool: { max: 4 } });
const overheard = await overhear(database);
let namespace: PostgresNamespace;
/** The same, of who waits. */
let asleep: PostgresNamespace;
let spec: WorkSpec;
let worker: Worker;
let signal: WorkSignal;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  asleep = await elsewhere.namespace(namespace.name);
  spec = await namespace.setWorkSpec({ name: 'spec', then: 'next' });
  await namespace.setWorkSpec({ name: 'next' });
  worker = await namespace.worker('worker');
  return async () => {
    await signal?.close();
    await namespace.destroy();
  };
});

describe('who waits for work is woken', () => {
  test.each(Object.entries(wakers))('by %s', async (_, prepare) => {
    const act = await prepare({ coordinate, namespace, spec, worker });
    signal = await armed(asleep);
    const waiting = signal.wait(longMs);
    await act();
    expect(await waiting).toBe('notified');
  });

  test.each(Object.entries(wakers))('by %s, though it has not begun to wait yet', async (_, prepare) => {
    const act = await prepare({ coordinate, namespace, spec, worker });
    signal = await armed(asleep);
    await act();
    await overheard.settle();
    // Heard by one connection does not mean heard by the other.
    expect(await signal.wait(longMs)).toBe('notified');
  });

  test('by a process of its own, through a pool that does not pipeline', async () => {
    const pool = new pg.Pool({ connectionString: database.url, application_name: `pg-coordinate test ${database.schema}`, max: 1 });
    const other = await connect(pool, { schema: database.schema });
    signal = await armed(asleep);
    const waiting = signal.wait(longMs);
    await (await (await other.namespace(namespace.name)).workSpec('spec')).addWorkUnit('new', {});
    expect(await waiting).toBe('notified');
    await other.close();
    await pool.end();
  });

  test('each of several, once', async () => {
    signal = await armed(asleep);
    const others = await Promise.all([armed(asleep), armed(asleep)]);
    const waiting = [signal, ...others].map((each) => each.wait(longMs));
    await overheard.forget();
    await spec.addWorkUnit('new', {});
    expect(await Promise.all(waiting)).toEqual(['notified', 'notified', 'notified']);
    await overheard.settle();
    expect(overheard.payloads).toEqual([`work ${namespace.id}`]);
    await Promise.all(others.map((other) => other.close()));
  });

  test('not by work of another namespace', async () => {
    const other = await coordinate.namespace(randomUUID());
    const otherSpec = await other.setWorkSpec({ name: 'spec' });
    signal = await armed(asleep);
    const waiting = signal.wait(longMs);
    await otherSpec.addWorkUnit('new', {});
    await overheard.settle();
    expect(overheard.payloads.filter((payload) => payload === `work ${other.id}`)).toEqual([]);
    await spec.addWorkUnit('new', {});
    expect(await waiting).toBe('notified');
    await other.destroy();
  });
});

describe('in a caller’s transaction', () => {
  test.each(['read committed', 'repeatable read', 'serializable'])('%s, the commit wakes', async (isolation) => {
    const client = await database.client();
    signal = await armed(asleep);
    const waiting = signal.wait(longMs);
    await client.query(`begin isolation level ${isolation}`);
    await spec.addWorkUnits([{ name: 'new', data: {} }], { client });
    await overheard.settle();
    expect(overheard.payloads).not.toContain(`work ${namespace.id}`);
    await client.query('commit');
    expect(await waiting).toBe('notified');
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1 });
  });

  test('the commit wakes who has just been woken, and waits again by then', async () => {
    const client = await database.client();
    signal = await armed(asleep);
    await client.query('begin');
    await spec.addWorkUnit('first', {});
    expect(await signal.wait(longMs)).toBe('notified');
    await worker.requestAttempts();
    // Nobody waits at this moment.
    await spec.addWorkUnits([{ name: 'second', data: {} }], { client });
    await signal.arm();
    expect(await worker.requestAttempts()).toEqual([]);
    const waiting = signal.wait(longMs);
    await client.query('commit');
    expect(await waiting).toBe('notified');
  });

  test('a rollback wakes nobody, and leaves no units', async () => {
    const client = await database.client();
    signal = await armed(asleep);
    await overheard.forget();
    await client.query('begin');
    await spec.addWorkUnits([{ name: 'new', data: {} }], { client });
    await client.query('rollback');
    const thrown = new Error('no');
    await expect(
      coordinate.transaction(async (transaction) => {
        await spec.addWorkUnits([{ name: 'new', data: {} }], { client: transaction });
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    await coordinate.transaction(async (outer) => {
      await outer.nested(async (transaction) => {
        await spec.addWorkUnits([{ name: 'new', data: {} }], { client: transaction });
        throw thrown;
      }).catch(() => undefined);
    });
    await overheard.settle();
    expect(overheard.payloads).toEqual([]);
    expect(await spec.countWorkUnitStatus()).toEqual({});
    await spec.addWorkUnit('new', {});
    expect(await signal.wait(longMs)).toBe('notified');
  });

  test('the rows of those who wait are not locked meanwhile', async () => {
    const client = await database.client();
    signal = await armed(asleep);
    await client.query('begin');
    await spec.addWorkUnits([{ name: 'new', data: {} }], { client });
    // Would wait for the transaction.
    await spec.addWorkUnit('another', {});
    expect(await signal.wait(longMs)).toBe('notified');
    await signal.arm();
    await client.query('commit');
  });
});

describe('while nobody waits', () => {
  test('nobody is notified, and nothing but the units is written', async () => {
    await overheard.forget();
    for (let round = 0; round < 5; round++) await spec.addWorkUnits([{ name: `unit ${round}`, data: {} }]);
    const [attempt] = await worker.requestAttempts();
    await attempt!.retry();
    const [again] = await worker.requestAttempts();
    await again!.finish({ output: ['out'] });
    await overheard.settle();
    expect(overheard.payloads).toEqual([]);
    const rows = await database.query(`select from ${database.bucket}.waiter where namespace_id = $1`, [namespace.id]);
    expect(rows).toEqual([]);
  });

  test('nor is it once everybody was woken, or has closed', async () => {
    signal = await armed(asleep);
    await spec.addWorkUnit('first', {});
    await signal.wait(longMs);
    await overheard.forget();
    await spec.addWorkUnit('second', {});
    const other = await armed(asleep);
    await other.close();
    await spec.addWorkUnit('third', {});
    await overheard.settle();
    expect(overheard.payloads).toEqual([]);
  });

  test('nor are those who died long ago, and what they left is cleaned away', async () => {
    const leave = async (age: string): Promise<void> => {
      await database.query(
        `insert into ${database.bucket}.waiter (namespace_id, listener, waiting, since) values ($1, $2, true, now() - $2::text::interval)`,
        [namespace.id, age],
      );
    };
    await leave('1 minute');
    await leave('1 day');
    await overheard.forget();
    await spec.addWorkUnit('new', {});
    await overheard.settle();
    expect(overheard.payloads).toEqual([]);
    signal = await armed(asleep);
    const left = await database.query(`select listener from ${database.bucket}.waiter where namespace_id = $1`, [namespace.id]);
    expect(left.map(({ listener }) => listener as string)).toEqual(expect.arrayContaining(['1 minute']));
    expect(left.map(({ listener }) => listener as string)).not.toContain('1 day');
  });

  test('what is left in namespaces that nobody uses any more is cleaned away, too', async () => {
    await database.query(`insert into ${database.bucket}.waiter values (987654, 'dead', true, now() - interval '1 day')`);
    await database.query(`insert into ${database.bucket}.watcher values (987654, 'dead', now() - interval '1 day', false)`);
    signal = await armed(asleep);
    for (const table of ['waiter', 'watcher']) {
      expect(await database.query(`select from ${database.bucket}.${table} where namespace_id = 987654`)).toEqual([]);
    }
  });
});

test('waking fails nothing', async () => {
  const warnings: string[] = [];
  const logged = await database.connect({ logger: { warn: (text) => void warnings.push(text), error: () => undefined } });
  const own = await logged.namespace(namespace.name);
  const again = await own.workSpec('spec');
  const adds = [
    () => again.addWorkUnits([{ name: 'new', data: {} }]),
    () => logged.transaction((client) => again.addWorkUnits([{ name: 'second', data: {} }], { client })),
  ];
  for (const add of adds) {
    signal = await armed(own);
    await database.query(`alter table ${database.bucket}.waiter rename to waiter_away`);
    try {
      await add();
    } finally {
      await database.query(`alter table ${database.bucket}.waiter_away rename to waiter`);
    }
    // Those of its own connection it tells itself.
    expect(await signal.wait(0)).toBe('notified');
    await signal.close();
  }
  expect(await spec.countWorkUnitStatus()).toEqual({ available: 2 });
  expect(warnings.join('\n')).toMatch(/could not be notified/);
});

describe('wait', () => {
  test('ends after its time', async () => {
    signal = await armed(asleep);
    expect(await signal.wait(1)).toBe('timeout');
  });

  test('ends when aborted, before and while it waits', async () => {
    signal = await armed(asleep);
    expect(await signal.wait(longMs, AbortSignal.abort())).toBe('aborted');
    const controller = new AbortController();
    const waiting = signal.wait(longMs, controller.signal);
    controller.abort();
    expect(await waiting).toBe('aborted');
  });

  test('ends when closed, which takes the registration back', async () => {
    signal = await armed(asleep);
    const waiting = signal.wait(longMs);
    await Promise.all([signal.close(), signal.close()]);
    expect(await waiting).toBe('aborted');
    expect(await signal.wait(longMs)).toBe('aborted');
    const rows = await database.query(`select from ${database.bucket}.waiter where namespace_id = $1`, [namespace.id]);
    expect(rows).toEqual([]);
  });

  test('closing after the coordinate is no trouble', async () => {
    const other = await database.connect();
    signal = await armed(await other.namespace(namespace.name));
    await other.close();
    await signal.close();
  });
});

test('of another implementation it only waits', async () => {
  const memory = memoryCoordinate({ clock: new ManualClock(), random: Math.random });
  const polled = workSignal(await memory.namespace('polled'));
  expect(polled.connected).toBe(false);
  expect(await polled.arm()).toBeNull();
  expect(await polled.wait(1)).toBe('timeout');
  expect(await polled.wait(longMs, AbortSignal.timeout(1))).toBe('aborted');
  await polled.close();
});

afterAll(() => signal?.close());
