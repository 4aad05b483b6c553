import { randomUUID } from 'node:crypto';
import { GoneError, waitFor, WaitTimeoutError, type Attempt, type WorkSpec, type WorkUnit, type PostgresNamespace } from 'pg-coordinate';
import { ManualClock } from 'pg-coordinate/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { caught } from '../../database/caught.js';
import { freezeTimers } from '../../database/frozen-time.js';
import { until } from '../../database/until.js';
import { memoryCoordinate } from '../../reference/index.js';
import { testDatabase } from '../../support/database.js';

const database = await testDatabase();
const coordinate = await database.connect();
let namespace: PostgresNamespace;
let spec: WorkSpec<{ result?: number }>;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec<{ result?: number }>({ name: 'spec' });
});
afterEach(() => namespace.destroy());

async function claim(count = 1): Promise<Attempt[]> {
  const worker = await namespace.worker('worker');
  return worker.requestAttempts({ numberOfWorkUnits: count });
}

async function watchers(): Promise<number> {
  return (await database.query(`select from ${database.bucket}.watcher where namespace_id = $1`, [namespace.id])).length;
}

describe('waitFor', () => {
  test.each(['finish', 'fail'] as const)('resolves when the unit ends by %s, with the data reported', async (how) => {
    const unit = await spec.addWorkUnit('unit', {});
    const waiting = waitFor(unit);
    const [attempt] = await claim();
    await attempt![how]({ result: 7 });
    const outcome = await waiting;
    expect(outcome).toEqual({ status: how === 'finish' ? 'finished' : 'failed', data: { result: 7 }, attempt: attempt!.number });
    const result: number | undefined = outcome.data.result;
    expect(result).toBe(7);
  });

  test('resolves with the unit’s own data when none were reported', async () => {
    const unit = await spec.addWorkUnit('unit', { result: 1 });
    const [attempt] = await claim();
    const waiting = waitFor(unit);
    await attempt!.finish();
    expect((await waiting).data).toEqual({ result: 1 });
  });

  test('resolves at once when the unit has ended, and with no time at all', async () => {
    const unit = await spec.addWorkUnit('unit', {});
    const [attempt] = await claim();
    await attempt!.finish({ result: 2 });
    // The first look has a second even so, but a busy machine may need longer.
    freezeTimers();
    expect(await waitFor(unit, { timeoutMs: 0 })).toEqual({ status: 'finished', data: { result: 2 }, attempt: attempt!.number });
  });

  test('resolves when the unit is cancelled', async () => {
    const unit = await spec.addWorkUnit('unit', {});
    await claim();
    const waiting = waitFor(unit);
    await unit.cancel('no longer wanted');
    expect(await waiting).toMatchObject({ status: 'failed', data: { error: { code: 'Cancelled', message: 'no longer wanted' } } });
  });

  test('waits retries and expiries through', async () => {
    const unit = await spec.addWorkUnit('unit', {});
    const waiting = waitFor(unit);
    const [first] = await claim();
    await first!.retry();
    const [second] = await claim();
    await second!.expire();
    const [third] = await claim();
    await third!.finish({ result: 3 });
    expect((await waiting).attempt).toBe(third!.number);
  });

  test('hears of what is committed in a caller’s transaction, and not of what is rolled back', async () => {
    const unit = await spec.addWorkUnit('unit', {});
    const waiting = waitFor(unit);
    await until('others know that somebody watches', async () => (await watchers()) === 1);
    const [attempt] = await claim();
    const client = await database.client();
    await client.query('begin');
    await attempt!.finish({ result: 1 }, { client });
    await client.query('rollback');
    await client.query('begin');
    await attempt!.finish({ result: 2 }, { client });
    await client.query('commit');
    expect((await waiting).data).toEqual({ result: 2 });
  });

  test('raises WaitTimeout, and the unit goes on', async () => {
    const unit = await spec.addWorkUnit('unit', {});
    const error = await caught(waitFor(unit, { timeoutMs: 30 }));
    expect(error).toBeInstanceOf(WaitTimeoutError);
    expect(error).toMatchObject({ code: 'WaitTimeout', details: { name: 'unit', timeoutMs: 30 } });
    expect(await unit.status()).toBe('available');
  });

  test('raises the signal’s reason, whenever it fires', async () => {
    const unit = await spec.addWorkUnit('unit', {});
    const reason = new Error('not interested');
    expect(await caught(waitFor(unit, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const controller = new AbortController();
    const waiting = caught(waitFor(unit, { signal: controller.signal }));
    await until('it waits', async () => (await watchers()) === 1);
    controller.abort(reason);
    expect(await waiting).toBe(reason);
  });

  test('raises Gone for a unit that is deleted, before or meanwhile', async () => {
    const unit = await spec.addWorkUnit('unit', {});
    const waiting = caught(waitFor(unit));
    await until('it waits', async () => (await watchers()) === 1);
    await spec.deleteWorkUnits();
    expect(await waiting).toBeInstanceOf(GoneError);
    expect(await caught(waitFor(unit))).toBeInstanceOf(GoneError);
  });

  test('raises Gone when the namespace is destroyed', async () => {
    const unit = await spec.addWorkUnit('unit', {});
    const waiting = caught(waitFor(unit));
    await until('it waits', async () => (await watchers()) === 1);
    await namespace.destroy();
    expect(await waiting).toBeInstanceOf(GoneError);
  });

  test('raises Closed when the coordinate is closed', async () => {
    const other = await database.connect();
    const unit = await (await (await other.namespace(namespace.name)).setWorkSpec({ name: 'spec' })).addWorkUnit('unit', {});
    const waiting = caught(waitFor(unit));
    await until('it waits', async () => (await watchers()) === 1);
    await other.close();
    expect(await waiting).toMatchObject({ code: 'Closed' });
  });

  test.each([
    ['unit', 7, undefined],
    ['options.timeoutMs', null, { timeoutMs: -1 }],
    ['options.signal', null, { signal: {} }],
    ['options.timeout', null, { timeout: 1 }],
  ])('refuses a bad %s', async (field, unit, options) => {
    const good = await spec.addWorkUnit('unit', {});
    const error = await caught(waitFor((unit ?? good) as WorkUnit, options as never));
    expect(error).toMatchObject({ code: 'InvalidArgument', details: { field } });
  });

  test('takes its row away when nobody waits any more', async () => {
    const unit = await spec.addWorkUnit('unit', {});
    const waiting = waitFor(unit);
    await until('it waits', async () => (await watchers()) === 1);
    const [attempt] = await claim();
    await attempt!.finish();
    await waiting;
    await until('nobody watches', async () => (await watchers()) === 0);
  });
});

test('a thousand waits share one connection, and few statements', async () => {
  const count = 1_000;
  const application = `waits of ${database.schema}`;
  const other = await database.connect({ pool: { application_name: application, max: 2 } });
  const own = await (await other.namespace(namespace.name)).setWorkSpec<{ result?: number }>({ name: 'spec' });
  await own.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  const units = await own.workUnits();
  const waiting = Promise.all(units.map((unit) => waitFor(unit)));
  await until('it waits', async () => (await watchers()) === 1);
  const open = await database.query('select from pg_stat_activity where application_name = $1', [application]);
  expect(open.length).toBeLessThanOrEqual(3);
  const attempts = await claim(count);
  await namespace.finishAll(attempts.map((attempt, index) => ({ attempt, data: { result: index } })));
  const outcomes = await waiting;
  expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: count }, () => 'finished'));
  expect(new Set(outcomes.map(({ data }) => data.result)).size).toBe(count);
  // A thousand looks at the start, a few polls, and one for each notification of 150: far from one a unit.
  expect(other.statistics.committed).toBeLessThan(count);
  await other.close();
});

test('of another implementation it looks again and again', async () => {
  const memory = memoryCoordinate({ clock: new ManualClock(), random: Math.random });
  const local = await memory.namespace('local');
  const unit = await (await local.setWorkSpec({ name: 'spec' })).addWorkUnit('unit', {});
  const [attempt] = await (await local.worker('worker')).requestAttempts();
  expect(await caught(waitFor(unit, { timeoutMs: 20 }))).toBeInstanceOf(WaitTimeoutError);
  const waiting = waitFor(unit, { timeoutMs: 60_000 });
  await attempt!.finish({ result: 1 });
  expect(await waiting).toEqual({ status: 'finished', data: { result: 1 }, attempt: attempt!.number });
  const reason = new Error('not interested');
  const other = await unit.workSpec.addWorkUnit('other', {});
  expect(await caught(waitFor(other, { signal: AbortSignal.abort(reason) }))).toBe(reason);
});
