import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { expectConsistent } from './consistency.js';
import type { FinishWithOutputTasks } from './finish-with-output.process.js';
import { testProcesses, type TestProcess } from './processes.js';

const database = await testDatabase();
const { bucket } = database;
const processes = testProcesses<FinishWithOutputTasks>(new URL('finish-with-output.process.ts', import.meta.url));

async function newSpecs(namespaceName: string): Promise<void> {
  const namespace = await (await database.connect()).namespace(namespaceName);
  await namespace.setWorkSpec({ name: 'second' });
  const first = await namespace.setWorkSpec({ name: 'first', then: 'second' });
  await first.addWorkUnits(Array.from({ length: 20_000 }, (_, index) => ({ name: `unit ${index}`, data: {} })));
}

/** The first spec's finished units, at one moment, and those of which that and their two units of output disagree. */
const disagreements = `
  select count(*) filter (where u.ended = 'finished') as finished, count(*) filter (where (u.ended is not null) <> (o.units = 2)) as apart
  from ${bucket}.work_unit u
  join ${bucket}.work_spec first on first.id = u.spec_id and first.name = 'first'
  join ${bucket}.work_spec second on second.namespace_id = first.namespace_id and second.name = 'second'
  cross join lateral (
    select count(*) as units from ${bucket}.work_unit o
    where o.spec_id = second.id and o.name in (u.name || ' a', u.name || ' b')
  ) o
  where first.namespace_id = (select id from ${database.schema}.namespace where name = $1)
    and (u.ended is not null or o.units > 0)`;

async function expectTogether(namespace: string): Promise<number> {
  const [row] = await database.query<{ finished: string; apart: string }>(disagreements, [Buffer.from(namespace)]);
  expect(row?.apart, 'finished without their output, or with output and unfinished').toBe('0');
  return Number(row?.finished);
}

async function finishedNames(): Promise<Set<string>> {
  const rows = await database.query<{ name: Buffer }>(`select name from ${bucket}.work_unit where ended = 'finished'`);
  return new Set(rows.map(({ name }) => name.toString()));
}

/** Would show a finish and its output in two transactions: one without the other, for a moment or for ever. */
test('a worker is killed while it finishes, again and again: finish and output are both there, or neither', async () => {
  await newSpecs('killed');
  const place = { url: database.url, schema: database.schema, namespace: 'killed', connections: 2 };
  const workers = await processes.startMany(8);
  const killing = workers.map(async (worker, index) => {
    const working = worker.run('work', place);
    await Promise.race([working, worker.untilTold((told) => told.length > 10 * (index + 1))]);
    // Somewhere within the next finish.
    await wait(Math.random() * 5);
    await Promise.all([expect(working).rejects.toThrow('SIGKILL'), worker.kill()]);
    await expectTogether('killed');
  });
  await Promise.all(killing);
  expect(await expectTogether('killed')).toBeGreaterThan(200);
  const finished = await finishedNames();
  expect(workers.flatMap(toldNames).filter((name) => !finished.has(name)), 'acknowledged and not finished').toEqual([]);
  await expectConsistent(database);
});

/** Would show the same, and a process that a lost connection brings down. */
test('connections are ended while their worker finishes, again and again: finish and output are both there, or neither', async () => {
  await newSpecs('ended');
  const worker = await processes.start();
  const working = worker.run('work', { url: database.url, schema: database.schema, namespace: 'ended', connections: 4 });
  for (let round = 0; round < 80; round++) {
    const before = worker.told.length;
    await Promise.race([working, worker.untilTold((told) => told.length > before + 3)]);
    await wait(Math.random() * 3);
    // One that is at work right now, and so somewhere in a claim or a finish.
    await database.query(
      `select pg_terminate_backend(pid) from (
         select pid from pg_stat_activity
         where application_name = $1 and query like '/* pg-coordinate:%' and pid <> pg_backend_pid()
         order by state = 'idle in transaction' desc, state = 'active' desc, random() limit 1
       ) one`,
      [`pg-coordinate test ${database.schema}`],
    );
    if (round % 10 === 0) await expectTogether('ended');
  }
  await Promise.all([expect(working).rejects.toThrow('SIGKILL'), worker.kill()]);
  expect(await expectTogether('ended')).toBeGreaterThan(200);
  const finished = await finishedNames();
  expect(toldNames(worker).filter((name) => !finished.has(name)), 'acknowledged and not finished').toEqual([]);
  await expectConsistent(database);
});

function toldNames(worker: TestProcess<FinishWithOutputTasks>): string[] {
  return worker.told.filter((told) => told !== 'ready').map(String);
}
