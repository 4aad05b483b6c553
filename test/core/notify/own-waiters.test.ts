import { randomUUID } from 'node:crypto';
import type { PostgresNamespace, Worker, WorkSpec } from 'pg-coordinate';
import { beforeEach, describe, expect, test } from 'vitest';
import type { WaitResult, WorkSignal } from '../../../src/core/notify/work-signal.js';
import { until } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { armed, longMs, overhear } from './waiting-worker.js';
import { wakers } from './wakers.js';

const database = await testDatabase();
const coordinate = await database.connect({ pool: { max: 4 } });
/** Of another process, as far as the first one knows. */
const elsewhere = await database.connect({ pool: { max: 4 } });
const overheard = await overhear(database);
let namespace: PostgresNamespace;
let spec: WorkSpec;
let worker: Worker;
let signal: WorkSignal;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec', then: 'next' });
  await namespace.setWorkSpec({ name: 'next' });
  worker = await namespace.worker('worker');
  return async () => {
    await signal?.close();
    await namespace.destroy();
  };
});

describe('who waits for work on the connection of who makes it is woken', () => {
  test.each(Object.entries(wakers))('by %s, and nobody is notified', async (_, prepare) => {
    const act = await prepare({ coordinate, namespace, spec, worker });
    signal = await armed(namespace);
    await overheard.forget();
    const waiting = signal.wait(longMs);
    await act();
    expect(await waiting).toBe('notified');
    await overheard.settle();
    expect(overheard.payloads).toEqual([]);
  });

  test.each(Object.entries(wakers))('by %s, though it has not begun to wait yet', async (_, prepare) => {
    const act = await prepare({ coordinate, namespace, spec, worker });
    signal = await armed(namespace);
    await act();
    expect(await signal.wait(0)).toBe('notified');
  });

  test('by the notification of others, too, and others by one of its own', async () => {
    signal = await armed(namespace);
    const asleep = await elsewhere.namespace(namespace.name);
    const other = await armed(asleep);
    const waiting = [signal, other].map((each) => each.wait(longMs));
    await spec.addWorkUnit('new', {});
    expect(await Promise.all(waiting)).toEqual(['notified', 'notified']);
    // What it was told twice, by this process and by the server.
    await overheard.settle();
    while ((await signal.wait(50)) === 'notified');
    await Promise.all([signal.arm(), other.arm()]);
    const again = [signal, other].map((each) => each.wait(longMs));
    await (await asleep.workSpec('spec')).addWorkUnit('another', {});
    expect(await Promise.all(again)).toEqual(['notified', 'notified']);
    await other.close();
  });

  test('by the notification, where only the caller knows when it is committed', async () => {
    const client = await database.client();
    signal = await armed(namespace);
    const results: WaitResult[] = [];
    const waiting = signal.wait(longMs).then((result) => results.push(result));
    await client.query('begin');
    await spec.addWorkUnit('new', {}, {}, { client });
    await overheard.settle();
    expect(results).toEqual([]);
    await client.query('commit');
    await waiting;
    expect(results).toEqual(['notified']);
  });

  test('by what may have been committed, as the answer was lost', async () => {
    const blocker = await database.client();
    signal = await armed(namespace);
    await blocker.query(`begin; lock table ${database.bucket}.work_unit in exclusive mode`);
    const refused = expect(spec.addWorkUnit('new', {})).rejects.toMatchObject({ code: 'ConnectionLost' });
    const { rows } = await blocker.query<{ pid: number }>('select pg_backend_pid() as pid');
    const cut = 'select pg_terminate_backend(pid) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))';
    await until('the connection is cut', async () => (await database.query(cut, [rows[0]?.pid])).length > 0);
    await refused;
    await blocker.query('rollback');
    expect(await signal.wait(0)).toBe('notified');
  });

  test('not by what was rolled back', async () => {
    const thrown = new Error('no');
    signal = await armed(namespace);
    await expect(
      coordinate.transaction(async (client) => {
        await spec.addWorkUnit('new', {}, {}, { client });
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    expect(await signal.wait(1)).toBe('timeout');
  });
});
