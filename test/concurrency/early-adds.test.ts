import pg from 'pg';
import { createWorker } from 'pg-coordinate/worker';
import { afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connect, ConnectionLostError, type PostgresCoordinate, type WorkSpec } from '../../src/index.js';
import { encodeData } from '../../src/codec/index.js';
import type { PostgresWorkSpec } from '../../src/core/work-spec/postgres-work-spec.js';
import { addNewUnitsEarly } from '../../src/core/work-unit/add-early.js';
import { byteaArray, int8Array } from '../../src/database/index.js';
import { caught } from '../database/caught.js';
import { until } from '../database/until.js';
import { expectConsistent } from './consistency.js';
import { crashingServer } from './crashing-server.js';

/*
 * What is added for a worker of another process that sleeps is committed before the disk has it; who adds it is told afterwards. Commits that are to wait for the disk
 * wait for ever while a standby is missing, so that what happens before can be seen.
 */

const server = await crashingServer();
const application = 'who adds';
beforeAll(async () => {
  await (await connect(server.url, { migrate: true })).close();
});
afterEach(async () => {
  await setStandby('');
  await expectConsistent(server);
});

/** A commit that waits until nobody is missed any more. */
let heldUp: Promise<unknown> = Promise.resolve();

/** With a name that nobody has, whoever waits for the disk waits until it is taken back. */
async function setStandby(name: string): Promise<void> {
  await server.query(`alter system set synchronous_standby_names = '${name}'`);
  await server.query('select pg_reload_conf()');
  await until('it is so', async () => (await server.query(`select from pg_settings where name = 'synchronous_standby_names' and setting = '${name}'`)).length > 0);
  await (name === '' ? heldUp : untilCommitsWait());
}

/** Sessions learn the name, and then the checkpointer does: until then no commit waits for anybody. */
async function untilCommitsWait(): Promise<void> {
  for (let isHeldUp = false; !isHeldUp; ) {
    // Writes to the log, or else there would be nothing to wait for. A crash ends it.
    heldUp = server.query(`select pg_logical_emit_message(true, 'probe', '')`).catch(() => undefined);
    const state = watched(heldUp);
    await until('a commit waits or is through', async () => {
      isHeldUp = (await server.query(`select from pg_stat_activity where wait_event = 'SyncRep' and query like '%pg_logical_emit_message%'`)).length > 0;
      return isHeldUp || state.isSettled;
    });
  }
}

let namespaces = 0;

interface Scene {
  readonly adder: PostgresCoordinate;
  readonly spec: WorkSpec;
  /** The units that a worker of another connection has begun with. None of them ends. */
  readonly begun: Set<string>;
  readonly namespaceName: string;
  stopWorker(): Promise<void>;
}

/** A worker that sleeps, and who adds units elsewhere and has woken it before. */
async function scene(pool?: pg.Pool): Promise<Scene> {
  const namespaceName = `early ${++namespaces}`;
  const adder = await connect(pool ?? server.url, pool ? {} : { pool: { max: 3, application_name: application } });
  const namespace = await adder.namespace(namespaceName);
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  const working = await connect(server.url);
  const begun = new Set<string>();
  const stopped = new AbortController();
  const handler = ({ name }: { name: string }): Promise<void> => {
    begun.add(name);
    return new Promise((resolve) => stopped.signal.addEventListener('abort', () => resolve()));
  };
  const worker = createWorker({ coordinate: working, namespace: namespaceName, concurrency: 10, pollMs: 3_600_000, graceMs: 1_000, handlers: { spec: handler } });
  await worker.start();
  let isStopped = false;
  const stopWorker = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    stopped.abort();
    await worker.stop();
    await working.close();
  };
  onTestFinished(async () => {
    await setStandby('');
    await stopWorker();
    await adder.close();
  });
  const made: Scene = { adder, spec, begun, namespaceName, stopWorker };
  // The first finds out that somebody sleeps, and the second that ids have to be reserved: once they are, they go early.
  for (const name of ['first', 'second']) {
    await untilAsleep(made);
    await spec.addWorkUnit(name, {});
    await until('it is begun', () => begun.has(name));
  }
  await untilAsleep(made);
  if (pool === undefined) await until('ids are reserved', () => innards(spec).bucket.reservedIds.missing(1) === 0);
  return made;
}

const innards = (spec: WorkSpec): Pick<PostgresWorkSpec, 'bucket' | 'id'> => spec as unknown as Pick<PostgresWorkSpec, 'bucket' | 'id'>;

async function untilAsleep({ namespaceName }: Pick<Scene, 'namespaceName'>): Promise<void> {
  await until('the worker sleeps', async () => {
    const rows = await server.query(
      `select from ${server.bucket}.waiter w join ${server.schema}.namespace n on n.id = w.namespace_id where n.name = $1 and w.waiting`,
      [Buffer.from(namespaceName)],
    );
    return rows.length > 0;
  });
}

/** Until somebody waits for the standby with a statement of that name. */
async function untilHeldUp(label: string): Promise<number> {
  let pid = 0;
  await until(`${label} waits for the standby`, async () => {
    const rows = await server.query<{ pid: number }>(
      `select pid from pg_stat_activity where wait_event = 'SyncRep' and starts_with(query, '/* pg-coordinate:${label} */')`,
    );
    pid = rows[0]?.pid ?? 0;
    return rows.length > 0;
  });
  return pid;
}

/** Whether it has been settled so far. */
function watched(promise: Promise<unknown>): { isSettled: boolean } {
  const state = { isSettled: false };
  promise.then(() => (state.isSettled = true), () => (state.isSettled = true));
  return state;
}

test('a worker begins before the disk has the unit, and who adds it is told afterwards', async () => {
  const { spec, begun } = await scene();
  await setStandby('nobody');
  const adding = spec.addWorkUnit('third', { of: 'it' });
  const state = watched(adding);
  await until('it is begun', () => begun.has('third'));
  await untilHeldUp('work-unit.flush-and-reserve');
  expect(state.isSettled).toBe(false);
  await setStandby('');
  expect(await (await adding).status()).toBe('pending');
});

test('what was added is there after a crash', async () => {
  const { spec, begun } = await scene();
  for (let unit = 0; unit < 5; unit++) {
    await untilAsleep({ namespaceName: spec.namespace.name });
    await spec.addWorkUnit(`unit ${unit}`, { unit });
  }
  await until('they are begun', () => begun.size === 7);
  await server.crash();
  await server.restart();
  const rows = await server.query<{ name: Buffer }>(`select name from ${server.bucket}.work_unit where spec_id = (select max(spec_id) from ${server.bucket}.work_unit) order by name`);
  expect(rows.map(({ name }) => name.toString())).toEqual(['first', 'second', ...[0, 1, 2, 3, 4].map((unit) => `unit ${unit}`)]);
});

test('what a crash loses leaves its id to nobody, and others are added as ever', async () => {
  for (let tries = 1; ; tries++) {
    const { spec } = await scene();
    const { bucket, id: specId } = innards(spec);
    const reserved = bucket.reservedIds.take(1)!;
    const [name, data] = [byteaArray([Buffer.from('lost')]), byteaArray([encodeData({})])];
    // Without what has to follow.
    const [row] = await bucket.run(addNewUnitsEarly, [specId, name, data, null, name, null, true, int8Array(reserved.ids), reserved.epoch]);
    expect(Number(row?.ids)).toBe(reserved.ids[0]);
    await server.crash();
    await server.restart();
    const left = await server.query(`select from ${server.bucket}.work_unit where name = 'lost'`);
    // Once every ten seconds the server writes everything down.
    expect(tries, 'crashes that came too late to make the server forget anything').toBeLessThan(5);
    if (left.length > 0) continue;
    for (let unit = 0; unit < 100; unit++) await spec.addWorkUnit(`after ${unit}`, {});
    const ids = await server.query<{ id: string }>(`select id from ${server.bucket}.work_unit where spec_id = $1 and starts_with(encode(name, 'escape'), 'after')`, [specId]);
    expect(ids).toHaveLength(100);
    expect(Math.min(...ids.map(({ id }) => Number(id)))).toBeGreaterThan(reserved.ids[0]! + 62);
    return;
  }
});

test('when the connection is lost meanwhile, the disk is waited for on another one', async () => {
  const { spec, begun } = await scene();
  await setStandby('nobody');
  const adding = spec.addWorkUnit('third', { try: 1 });
  const state = watched(adding);
  await until('it is begun', () => begun.has('third'));
  const pid = await untilHeldUp('work-unit.flush-and-reserve');
  await server.query('select pg_terminate_backend($1, 10000)', [pid]);
  expect(await untilHeldUp('work-unit.flush-and-reserve')).not.toBe(pid);
  expect(state.isSettled).toBe(false);
  await setStandby('');
  expect(await (await adding).status()).toBe('pending');
  expect(await spec.countWorkUnitStatus()).toEqual({ pending: 3 });
});

test.each([
  ['is down', async () => server.crash(), async () => server.restart()],
  ['has recovered from a crash', async () => server.killBackend(), async () => undefined],
])('when the server %s before the disk has it, who adds it is told that nobody knows', async (_how, crash, recover) => {
  const { spec, begun } = await scene();
  await setStandby('nobody');
  const adding = caught(spec.addWorkUnit('third', {}));
  await until('it is begun', () => begun.has('third'));
  await untilHeldUp('work-unit.flush-and-reserve');
  await crash();
  expect(await adding).toBeInstanceOf(ConnectionLostError);
  await recover();
  await setStandby('');
  await spec.addWorkUnit('third', {});
  expect((await spec.workUnits()).map((unit) => unit.name)).toEqual(['first', 'second', 'third']);
});

test('who may not use the sequences adds as ever', async () => {
  await server.query(`create role modest login password 'modest'`);
  await server.query(`grant usage on schema ${server.schema}, ${server.bucket} to modest`);
  for (const schema of [server.schema, server.bucket]) {
    await server.query(`grant all on all tables in schema ${schema} to modest`);
    await server.query(`grant select on all sequences in schema ${schema} to modest`);
  }
  const pool = new pg.Pool({ connectionString: server.url.replace(/\/\/.*?@/, '//modest:modest@'), max: 3, pipeline: true });
  onTestFinished(() => pool.end());
  const { spec, begun } = await scene(pool);
  for (let unit = 0; unit < 3; unit++) {
    await untilAsleep({ namespaceName: spec.namespace.name });
    await spec.addWorkUnit(`unit ${unit}`, {});
  }
  await until('they are begun', () => begun.size === 5);
  expect(innards(spec).bucket.reservedIds.mayReserve).toBe(false);
});

test('once nobody was woken, it is there only when the disk has it', async () => {
  const { spec, stopWorker } = await scene();
  await stopWorker();
  // This one finds that nobody sleeps any more.
  await spec.addWorkUnit('third', {});
  const before = await spec.countWorkUnitStatus();
  await setStandby('nobody');
  const adding = spec.addWorkUnit('fourth', {});
  await untilHeldUp('work-unit.add-new');
  const reader = await connect(server.url);
  onTestFinished(() => reader.close());
  const same = await (await reader.namespace(spec.namespace.name)).workSpec('spec');
  expect(await same.countWorkUnitStatus()).toEqual(before);
  await setStandby('');
  await adding;
});

test('on a pool whose clients do not pipeline it is there only when the disk has it', async () => {
  const pool = new pg.Pool({ connectionString: server.url, max: 3 });
  onTestFinished(() => pool.end());
  const { spec, begun } = await scene(pool);
  await setStandby('nobody');
  const adding = spec.addWorkUnit('third', {});
  await untilHeldUp('work-unit.add-new');
  expect(begun).not.toContain('third');
  await setStandby('');
  await adding;
  await until('it is begun', () => begun.has('third'));
});

test('hundreds are added early, by several at once, each once', async () => {
  const { spec, begun } = await scene();
  const names = Array.from({ length: 300 }, (_, index) => `unit ${String(index).padStart(3, '0')}`);
  // Turns of those that are alone, so that not all go together.
  for (const name of names.slice(0, 100)) await spec.addWorkUnit(name, {});
  await Promise.all(names.map((name, index) => spec.addWorkUnit(name, { index })));
  expect((await spec.workUnits()).map((unit) => unit.name)).toEqual(['first', 'second', ...names]);
  expect(begun.size).toBeGreaterThan(2);
});
