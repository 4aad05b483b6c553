import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { expectConsistent } from './consistency.js';
import { keepLeaseJournal, leasedNumbers, overlappingLeases } from './lease-journal.js';
import type { OneHolderTasks } from './one-holder.process.js';
import { testProcesses } from './processes.js';

const database = await testDatabase();
const processes = testProcesses<OneHolderTasks>(new URL('one-holder.process.ts', import.meta.url));

const specs = ['plain', 'few retries'];
const units = 400;

/**
 * Would show a unit that is in two states at once or in none: handed out to two, or to nobody ever again; an attempt number given
 * twice; an accepted report that is not in the history.
 */
test('no unit has two holders and none is lost, whatever 16 workers in 4 processes do', async () => {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace('busy');
  for (const name of specs) {
    const spec = await namespace.setWorkSpec({ name, max_retries: name === 'plain' ? 0 : 20 });
    await spec.addWorkUnits(Array.from({ length: units }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  }
  await keepLeaseJournal(database);

  const workers = await processes.startMany(4);
  const place = { url: database.url, schema: database.schema, namespace: 'busy', specs, units };
  const known = (await Promise.all(workers.map((worker) => worker.run('work', { ...place, connections: 4, steps: 80 })))).flat();

  await expectConsistent(database);
  expect(await overlappingLeases(database), 'leases of one unit that overlap, or numbers that do not grow').toEqual([]);

  // What workers hold is what the database handed out: each attempt once, and on the unit it says.
  const handouts = known.flatMap((each) => each.handouts);
  expect(handouts.length).toBeGreaterThan(900);
  expect(new Set(handouts.map(({ number }) => number)).size).toBe(handouts.length);
  const leased = new Set(await leasedNumbers(database));
  expect(handouts.filter(({ number }) => !leased.has(number))).toEqual([]);
  const unitOf = new Map((await attempts()).map((row) => [row.number, `${row.work_spec}/${row.name}`]));
  expect(handouts.filter(({ number, workSpec, name }) => unitOf.get(number) !== `${workSpec}/${name}`)).toEqual([]);

  // What was accepted is history. (A failed attempt may have been finished afterwards.)
  const statusOf = new Map((await attempts()).map((row) => [row.number, row.status]));
  const finished = known.flatMap(({ accepted }) => accepted.finished);
  const failed = known.flatMap(({ accepted }) => accepted.failed);
  expect(finished.filter((number) => statusOf.get(number) !== 'finished')).toEqual([]);
  expect(failed.filter((number) => !['failed', 'finished'].includes(statusOf.get(number) ?? ''))).toEqual([]);

  // Nothing is lost: all that can still run does, once.
  await drain();
  await expectConsistent(database);
  for (const name of specs) {
    const { finished: done = 0, failed: dead = 0 } = await (await namespace.workSpec(name)).countWorkUnitStatus();
    expect(done + dead).toBe(units);
  }
});

async function attempts(): Promise<{ number: number; status: string; work_spec: string; name: string }[]> {
  const rows = await database.query<{ number: string; status: string; work_spec: Buffer; name: Buffer }>(`
    select a.number, a.status, w.name as work_spec, u.name
    from ${database.bucket}.any_attempt a
    join ${database.bucket}.work_unit u on u.id = a.unit_id
    join ${database.bucket}.work_spec w on w.id = u.spec_id`);
  return rows.map(({ number, status, work_spec: spec, name }) => ({
    number: Number(number),
    status,
    work_spec: spec.toString(),
    name: name.toString(),
  }));
}

/** Takes the leases that are still held away, and finishes all that can run. */
async function drain(): Promise<void> {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace('busy');
  for (const table of ['lease', 'lease_range']) {
    await database.query(`update ${database.bucket}.${table} set expires_at = statement_timestamp() - interval '1 second'`);
  }
  const worker = await namespace.worker('last');
  for (;;) {
    const held = await worker.requestAttempts({ numberOfWorkUnits: 1_000 });
    const verdicts = await namespace.finishAll(held.map((attempt) => ({ attempt })));
    expect(verdicts.filter(({ error }) => error !== null)).toEqual([]);
    if (held.length > 0) continue;
    // A unit that was retried may be due in some milliseconds.
    const counts = await Promise.all(specs.map(async (name) => (await namespace.workSpec(name)).countWorkUnitStatus()));
    if (counts.every(({ delayed = 0, available = 0 }) => delayed + available === 0)) return;
  }
}
