import { describe, expect, test } from 'vitest';
import { foldCounts } from '../../src/core/summary/count-units.js';
import { testDatabase } from '../support/database.js';
import { expectConsistent } from './consistency.js';
import type { DestroyTasks } from './destroy.process.js';
import { testProcesses } from './processes.js';
import { atGate, closeGate, openTransaction, untilBlocked, untilSettledOrBlocked } from './waiting.js';

const database = await testDatabase();
const { bucket } = database;
const processes = testProcesses<DestroyTasks>(new URL('destroy.process.ts', import.meta.url));

/** Whatever the bucket holds of a namespace, or of specs of it. */
async function rowsLeft(namespaceId: number): Promise<Record<string, number>> {
  const ofSpecs = ['work_unit', 'ready', 'delayed', 'lease', 'superseded', 'attempt', 'unit_count', 'destroyed_spec'];
  const counts = [
    ...ofSpecs.map((table) => `select '${table}' as place, count(*) from ${bucket}.${table} where spec_id / 16777216 = $1`),
    ...['work_spec', 'worker', 'runtime_request'].map(
      (table) => `select '${table}', count(*) from ${bucket}.${table} where namespace_id = $1`,
    ),
    `select 'namespace', count(*) from ${database.schema}.namespace where id = $1`,
  ];
  const rows = await database.query<{ place: string; count: string }>(counts.join(' union all '), [namespaceId]);
  return Object.fromEntries(rows.filter(({ count }) => count !== '0').map(({ place, count }) => [place, Number(count)]));
}

async function namespaceId(name: string): Promise<number> {
  const [row] = await database.query<{ id: string }>(`select id from ${database.schema}.namespace where name = $1`, [Buffer.from(name)]);
  return Number(row?.id);
}

async function expectNoLocks(): Promise<void> {
  const locks = await database.query(
    `select l.pid, l.relation::regclass, l.mode, a.state, a.query
     from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where a.application_name = $1 and l.pid <> pg_backend_pid() and a.state <> 'active'`,
    [`pg-coordinate test ${database.schema}`],
  );
  expect(locks, 'locks left').toEqual([]);
}

/** Would show workers that hang or meet an error nobody documents, rows that stay for ever, clients and locks that leak. */
test.each([
  ['namespace', ['Gone']],
  ['work spec', ['Gone', 'NoSuchWorkSpec']],
])('a %s is destroyed while 8 workers are at work: each of them learns it, and nothing is left', async (what, codes) => {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace(what);
  await namespace.setWorkSpec({ name: 'spec', then: 'spec' });
  const id = await namespaceId(what);
  const running = await processes.startMany(2);
  const place = { url: database.url, schema: database.schema, namespace: what };
  const working = Promise.all(running.map((process) => process.run('work', { ...place, workers: 4 })));
  await Promise.all(running.map((process) => process.untilTold((told) => told.length > 100)));

  await (what === 'namespace' ? namespace.destroy() : namespace.destroyWorkSpec('spec'));

  for (const end of (await working).flat()) {
    expect(codes).toContain(end.code);
    expect(end.checkedOut).toBe(0);
  }
  const { worker, runtime_request: runtimes, namespace: self, ...left } = await rowsLeft(id);
  expect(left).toEqual({});
  if (what === 'namespace') expect({ worker, runtimes, self }).toEqual({});
  await expectNoLocks();
  await expectConsistent(database);
});

describe('what meets a destruction that is under way', () => {
  /** Would show units of a spec that is no more: nobody would ever find them, nor delete them. */
  test('units that are being added are deleted with the others', async () => {
    const namespace = await (await database.connect()).namespace('adding');
    const id = await namespaceId('adding');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const adding = await openTransaction(database);
    await spec.addWorkUnits([{ name: 'a', data: {} }], { client: adding });
    const destroying = namespace.destroy();
    await untilSettledOrBlocked(destroying, database, 'work-spec.destroy');
    await adding.query('commit');
    await destroying;
    expect(await rowsLeft(id)).toEqual({});
    await expect(spec.addWorkUnit('b', {})).rejects.toMatchObject({ code: 'Gone' });
  });

  /** Would show a row of runtime_request that stays for ever: one for every namespace destroyed at the wrong moment. */
  test('a request for work leaves nothing behind', async () => {
    const namespace = await (await database.connect()).namespace('asked');
    const id = await namespaceId('asked');
    const worker = await (await (await database.connect()).namespace('asked')).worker('worker');
    const gate = await closeGate(database);
    const destroying = namespace.destroy();
    await untilBlocked(database, atGate);
    const asking = worker.requestAttempts().then(
      () => null,
      (error: unknown) => error,
    );
    await untilSettledOrBlocked(asking, database, 'pg-coordinate:');
    await gate.open();
    await destroying;
    expect(await asking).toSatisfy((error) => error === null || (error as { code: string }).code === 'Gone');
    expect(await rowsLeft(id)).toEqual({});
  });

  /** Would show a sum of counts that stays for ever, of a spec that is no more. */
  test('the folding of counts leaves nothing behind', async () => {
    const namespace = await (await database.connect()).namespace('folded');
    const id = await namespaceId('folded');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnit('a', {});
    await spec.addWorkUnit('b', {});
    const folding = await openTransaction(database);
    await folding.query(foldCounts.text(`"${bucket}"`, `"${database.schema}"`), [1_000]);
    const destroying = namespace.destroy();
    await untilSettledOrBlocked(destroying, database, 'delete-counts');
    await folding.query('commit');
    await destroying;
    expect(await rowsLeft(id)).toEqual({});
  });

  /** Would show a finish that is refused, and so work that is done twice, because of a spec that it is not of. */
  test('output for the spec that goes is dropped, and its finish holds', async () => {
    const namespace = await (await database.connect()).namespace('output');
    await namespace.setWorkSpec({ name: 'next' });
    const spec = await namespace.setWorkSpec({ name: 'spec', then: 'next' });
    const unit = await spec.addWorkUnit('unit', {});
    const [attempt] = await (await namespace.worker('worker')).requestAttempts();
    const gate = await closeGate(database);
    const destroying = namespace.destroyWorkSpec('next');
    await untilBlocked(database, atGate);
    const finishing = attempt!.finish({ output: ['more'] });
    await untilSettledOrBlocked(finishing, database, 'pg-coordinate:work-unit.add');
    await gate.open();
    await destroying;
    await finishing;
    expect(await unit.status()).toBe('finished');
  });
});
