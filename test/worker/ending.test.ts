import { beforeAll, expect, test } from 'vitest';
import { waitFor, type Namespace } from 'pg-coordinate';
import { testProcesses, type TestProcess } from '../concurrency/processes.js';
import { beforeNextLook } from '../database/until.js';
import { testDatabase } from '../support/database.js';
import type { WorkingTasks } from './working.process.js';

/*
 * Four worker processes under load, one of which ends: killed with SIGKILL, or told to by SIGTERM. Twenty times in a row each.
 */

const database = await testDatabase();
const { bucket, schema, url } = database;
const processes = testProcesses<WorkingTasks>(new URL('working.process.ts', import.meta.url));
const rounds = 20;
const unitsAtOnce = 100;
/** Of those that are killed: that is how long their units wait. */
const shortMs = 1_000;
/** Of those that stop: longer than a busy machine keeps a process waiting, so that what runs out is what was left behind. */
const longMs = 10_000;

/** A worker process and the name of its worker. */
interface Worker {
  readonly process: TestProcess<WorkingTasks>;
  readonly name: string;
}

beforeAll(async () => {
  await database.query(`create table ${schema}.effect (unit text)`);
});

async function startWorker(namespace: string, lifetimeMs: number): Promise<Worker> {
  const process = await processes.start();
  return { process, name: await process.run('work', { url, schema, namespace, lifetimeMs }) };
}

/** Adds units to both specs, whenever there are few, until the process is in the middle of them; resolves to how many each has then. */
async function load(namespace: Namespace, count: number, { process }: Worker): Promise<number> {
  const before = process.told.length;
  let added = count;
  const plain = await namespace.workSpec('plain');
  while (process.told.length <= before + 10) {
    // More than are needed would only take longer.
    const { available = 0, pending = 0 } = await plain.countWorkUnitStatus();
    if (available + pending >= unitsAtOnce) {
      await beforeNextLook();
      continue;
    }
    for (const name of ['effect', 'plain']) {
      const spec = await namespace.workSpec(name);
      await spec.addWorkUnits(Array.from({ length: unitsAtOnce }, (_, n) => ({ name: `${added + n}`, data: { n } })));
    }
    added += unitsAtOnce;
  }
  return added;
}

async function untilAllFinished(namespace: Namespace, count: number): Promise<void> {
  for (const name of ['effect', 'plain']) {
    const spec = await namespace.workSpec(name);
    const next = () => spec.workUnits({ statuses: ['available', 'pending', 'delayed'], limit: 1 });
    for (let [unit] = await next(); unit !== undefined; [unit] = await next()) await waitFor(unit);
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: count });
  }
}

/** Nothing is lost, nothing is finished twice, no effect is there twice. */
async function expectOnce(namespace: Namespace, count: number): Promise<void> {
  const twice = await database.query(
    `select unit_id from ${bucket}.any_attempt where status = 'finished' group by unit_id having count(*) > 1`,
  );
  expect(twice).toEqual([]);
  const [effects] = await database.query<{ all: string; distinct: string }>(
    `select count(*) as all, count(distinct unit) as distinct from ${schema}.effect`,
  );
  expect(effects).toEqual({ all: String(count), distinct: String(count) });
  const summary = await namespace.summarize();
  expect(summary.map((row) => [row.workSpec, row.status, row.count])).toEqual([['effect', 'finished', count], ['plain', 'finished', count]]);
}

async function setUp(name: string, lifetimeMs: number): Promise<{ namespace: Namespace; workers: Worker[] }> {
  await database.query(`truncate ${schema}.effect`);
  const namespace = await (await database.connect()).namespace(name);
  for (const spec of ['effect', 'plain']) await namespace.setWorkSpec({ name: spec, retry: { limit: 0 } });
  const workers = await Promise.all(Array.from({ length: 4 }, () => startWorker(name, lifetimeMs)));
  return { namespace, workers };
}

/** The leases that a worker has, and whether any ends later than a lifetime from now. */
async function leasesOf(name: string, lifetimeMs: number): Promise<{ held: number; tooLong: boolean }> {
  const [row] = await database.query<{ held: string; late: boolean | null }>(
    `select count(*) as held, bool_or(l.expires_at > clock_timestamp() + $2 * interval '1 millisecond') as late
     from ${bucket}.any_lease l join ${bucket}.worker w on w.id = l.worker_id where w.name = $1`,
    [Buffer.from(name), lifetimeMs],
  );
  return { held: Number(row?.held), tooLong: row?.late === true };
}

test('one of four killed under load: its units run elsewhere when their leases end, all once', { timeout: 240_000 }, async () => {
  const { namespace, workers } = await setUp('killed', shortMs);
  let [count, heldByKilled] = [0, 0];
  for (let round = 1; round <= rounds; round++) {
    const victim = workers.shift()!;
    const successor = startWorker('killed', shortMs);
    count = await load(namespace, count, victim);
    await victim.process.kill();
    const { held, tooLong } = await leasesOf(victim.name, shortMs);
    expect(tooLong).toBe(false);
    heldByKilled += held;
    workers.push(await successor);
    await untilAllFinished(namespace, count);
  }
  await expectOnce(namespace, count);
  // Or nothing was shown.
  expect(heldByKilled).toBeGreaterThan(0);
  await Promise.all(workers.map(({ process }) => process.kill()));
});

test('one of four told to stop under load: it leaves no attempt behind', { timeout: 240_000 }, async () => {
  const { namespace, workers } = await setUp('stopped', longMs);
  let count = 0;
  for (let round = 1; round <= rounds; round++) {
    const leaver = workers.shift()!;
    const successor = startWorker('stopped', longMs);
    count = await load(namespace, count, leaver);
    leaver.process.signal('SIGTERM');
    await leaver.process.ended;
    expect(leaver.process.exitCode).toBe(0);
    expect(await leasesOf(leaver.name, longMs)).toEqual({ held: 0, tooLong: false });
    workers.push(await successor);
    await untilAllFinished(namespace, count);
  }
  await expectOnce(namespace, count);
  // What was given back had not run out: no attempt was ever left to expire.
  const overdue = await database.query(
    `select number from ${bucket}.attempt where status = 'expired' and ended_at > expires_at and spec_id / 16777216 =
       (select id from ${schema}.namespace where name = 'stopped')`,
  );
  expect(overdue).toEqual([]);
  await Promise.all(workers.map(({ process }) => process.kill()));
});

test('the same signal a second time ends the process at once', async () => {
  const { namespace, workers } = await setUp('impatient', shortMs);
  const [worker, ...others] = workers;
  const count = await load(namespace, 0, worker!);
  worker!.process.signal('SIGTERM');
  worker!.process.signal('SIGTERM');
  await worker!.process.ended;
  await untilAllFinished(namespace, count);
  await expectOnce(namespace, count);
  await Promise.all(others.map(({ process }) => process.kill()));
});
