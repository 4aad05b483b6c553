import { randomUUID } from 'node:crypto';
import { waitFor, WaitTimeoutError, type PostgresNamespace } from 'pg-coordinate';
import { beforeEach, expect, test } from 'vitest';
import { caught } from '../../database/caught.js';
import { until } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { overhear } from './waiting-worker.js';

const database = await testDatabase();
const coordinate = await database.connect();
const application = `watching ${database.schema}`;
let namespace: PostgresNamespace;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
});

async function watchers(): Promise<{ outcomes_only: boolean }[]> {
  return database.query(`select outcomes_only from ${database.bucket}.watcher where namespace_id = $1`, [namespace.id]);
}

test('a registration that fails is made up for, and nothing stays behind of one that does not succeed', async () => {
  const own = await database.connect({ pool: { application_name: application } });
  const spec = await (await own.namespace(namespace.name)).setWorkSpec({ name: 's' });
  const unit = await spec.addWorkUnit('a', {});
  await database.query(`
    create sequence ${database.bucket}.refusals;
    create function ${database.bucket}.refuse() returns trigger language plpgsql as
      $$ begin perform nextval('${database.bucket}.refusals'); raise exception 'not now'; end $$;
    create trigger refuse before insert on ${database.bucket}.watcher execute function ${database.bucket}.refuse()`);
  const refusals = async (): Promise<number> => {
    const [row] = await database.query<{ count: string }>(
      `select case when is_called then last_value else 0 end as count from ${database.bucket}.refusals`,
    );
    return Number(row?.count);
  };
  const first = new AbortController();
  const given = waitFor(unit, { signal: first.signal });
  await until('it was refused', async () => (await refusals()) > 0);
  first.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  await until('nobody listens', async () => {
    const listening = `select from pg_stat_activity where application_name = $1 and query like 'listen %'`;
    return (await database.query(listening, [application])).length === 0;
  });

  const second = new AbortController();
  const before = await refusals();
  const waiting = waitFor(unit, { signal: second.signal });
  await until('it was refused again', async () => (await refusals()) > before);
  await database.query(`drop trigger refuse on ${database.bucket}.watcher`);
  await until('it is registered', async () => (await watchers()).length === 1);
  second.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await own.close();
});

test('the timeout and the signal bound the first look, too', async () => {
  const unit = await (await namespace.setWorkSpec({ name: 's' })).addWorkUnit('a', {});
  const own = await database.connect({ pool: { max: 1 } });
  const same = await (await (await own.namespace(namespace.name)).workSpec('s')).workUnit('a');
  await own.transaction(async () => {
    expect(await caught(waitFor(same, { timeoutMs: 50 }))).toBeInstanceOf(WaitTimeoutError);
    await expect(waitFor(same, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
  });
  expect(unit.name).toBe('a');
});

test('a look that takes too long ends no wait', async () => {
  const own = await database.connect({ pool: { application_name: application } });
  const spec = await (await own.namespace(namespace.name)).setWorkSpec({ name: 's' });
  const waiting = waitFor(await spec.addWorkUnit('a', {}));
  await until('it waits', async () => (await watchers()).length === 1);
  const locker = await database.client();
  await locker.query(`begin; lock table ${database.bucket}.work_spec in access exclusive mode`);
  const looks = (): Promise<{ pid: number; since: string }[]> =>
    database.query(`select pid, query_start::text as since from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`, [application]);
  await until('a look waits', async () => (await looks()).length > 0);
  const [look] = await looks();
  // As statement_timeout does, which would hold for all that comes before as well.
  await database.query('select pg_cancel_backend($1)', [look!.pid]);
  // Another one may be waiting by then.
  await until('it was cancelled', async () => (await looks()).every(({ pid, since }) => pid !== look!.pid || since !== look!.since));
  await locker.query('commit');
  const [attempt] = await (await namespace.worker('w')).requestAttempts();
  await attempt!.finish();
  expect((await waiting).status).toBe('finished');
  await own.close();
});

test('for those who only wait for units, nothing is told of what is added and started', async () => {
  const own = await database.connect();
  const theirs = await own.namespace(namespace.name);
  const spec = await namespace.setWorkSpec({ name: 's' });
  await namespace.setWorkSpec({ name: 'cont', continuous: true, priority: -1 });
  await spec.addWorkUnit('first', {});
  const stop = new AbortController();
  const waiting = waitFor(await (await theirs.workSpec('s')).workUnit('first'), { signal: stop.signal });
  await until('it waits', async () => (await watchers()).length === 1);
  const overheard = await overhear(database);
  const worker = await namespace.worker('w');
  await worker.requestAttempts();
  await spec.addWorkUnit('second', {});
  const [second] = await worker.requestAttempts();
  await worker.requestAttempts();
  await second!.finish();
  await overheard.settle();
  expect(overheard.payloads.map((payload) => payload.split(' ')[0])).toEqual(['finished']);

  const events = theirs.events();
  await events.ready;
  expect(await watchers()).toEqual([{ outcomes_only: false }]);
  await spec.addWorkUnit('third', {});
  // What has ended before may still be on its way to this one.
  let event = await events.next();
  while (event.value?.kind === 'finished') event = await events.next();
  expect(event.value?.kind).toBe('added');
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await own.close();
});
