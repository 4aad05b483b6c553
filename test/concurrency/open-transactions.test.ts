import type { Client } from 'pg';
import { expect, test } from 'vitest';
import type { Namespace, Worker, WorkSpec } from '../../src/index.js';
import { makeDue, untilMadeDue } from '../core/delayed.js';
import { testDatabase } from '../support/database.js';
import { expectConsistent } from './consistency.js';
import { openTransaction, soon, untilSettledOrBlocked } from './waiting.js';

/*
 * Users' transactions hold locks for as long as users like. Whatever they hold, claims go past it: they neither wait nor err, and
 * find it as soon as it is let go.
 */

const database = await testDatabase();
const { bucket } = database;
let count = 0;

interface Setting {
  readonly namespace: Namespace;
  readonly spec: WorkSpec;
  readonly worker: Worker;
  /** A connection on which a transaction is open; rolled back after the test, if it still is. */
  readonly client: Client;
}

async function setUp(names: readonly string[], definition: object = {}): Promise<Setting> {
  const namespace = await (await database.connect()).namespace(`open ${++count}`);
  const spec = await namespace.setWorkSpec({ name: 'spec', ...definition });
  await spec.addWorkUnits(names.map((name) => ({ name, data: {} })));
  const client = await openTransaction(database);
  return { namespace, spec, client, worker: await namespace.worker('worker') };
}

/** What a claim of as much as there is finds, in the order in which it is handed out. Would show a claim that waits for the transaction. */
async function claimed(worker: Worker, workSpecs = ['spec']): Promise<string[]> {
  const attempts = await soon(worker.requestAttempts({ numberOfWorkUnits: 100, workSpecs }), 'a claim beside an open transaction');
  return attempts.map(({ workUnit }) => workUnit.name);
}

test('units that are being added are not there until the commit', async () => {
  const { spec, worker, client } = await setUp(['a']);
  await spec.addWorkUnits([{ name: 'b', data: {} }, { name: 'c', data: {} }], { client });
  expect(await claimed(worker)).toEqual(['a']);
  expect(await claimed(worker)).toEqual([]);
  await client.query('commit');
  expect(await claimed(worker)).toEqual(['b', 'c']);
  await expectConsistent(database);
});

test.each(['commit', 'rollback'])('units that are being replaced are passed by until the %s', async (end) => {
  const { spec, worker, client } = await setUp(['a', 'b', 'c']);
  await spec.addWorkUnits([{ name: 'a', data: { new: true }, meta: { priority: -1 } }], { client });
  expect(await claimed(worker)).toEqual(['b', 'c']);
  expect(await claimed(worker)).toEqual([]);
  await client.query(end);
  expect(await claimed(worker)).toEqual(['a']);
  expect(await (await spec.workUnit('a')).data()).toEqual(end === 'commit' ? { new: true } : {});
  await expectConsistent(database);
});

test('units whose rows somebody has locked are passed by until they are let go', async () => {
  const { worker, client } = await setUp(['a', 'b', 'c', 'd']);
  await client.query(`select from ${bucket}.ready where name in ('a', 'c') for update`);
  expect(await claimed(worker)).toEqual(['b', 'd']);
  expect(await claimed(worker)).toEqual([]);
  await client.query('commit');
  expect(await claimed(worker)).toEqual(['a', 'c']);
  await expectConsistent(database);
});

test('a spec of which all units are locked is passed by for another', async () => {
  const { namespace, worker, client } = await setUp(['a']);
  const other = await namespace.setWorkSpec({ name: 'other', weight: 1 });
  await other.addWorkUnit('b', {});
  await client.query(`select from ${bucket}.ready where name = 'a' for update`);
  expect(await claimed(worker, ['spec', 'other'])).toEqual(['b']);
});

test('delayed units that become due, and of which some are locked, are promoted but for those', async () => {
  const { spec, worker, client } = await setUp([]);
  await spec.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: {}, meta: { notBefore: untilMadeDue } })));
  await makeDue(database);
  await client.query(`select from ${bucket}.delayed d join ${bucket}.work_unit u on u.id = d.unit_id where u.name = 'b' for update of d`);
  expect(await claimed(worker)).toEqual(['a', 'c']);
  await client.query('commit');
  expect(await claimed(worker)).toEqual(['b']);
  await expectConsistent(database);
});

/** A report on an attempt that is no more locks its unit until the end of the transaction, though it changes nothing. */
test.each([
  ['is to be handed out', {}, ['a']],
  ['is to be failed for its retries', { max_retries: 1 }, []],
])('a unit that %s and that a transaction has reported on in vain stops no claim', async (_what, definition, expected) => {
  const { namespace, spec, worker, client } = await setUp(['a'], definition);
  const [attempt] = await worker.requestAttempts({ workSpecs: ['spec'] });
  await attempt!.retry();
  await expect(attempt!.finish({}, { client })).rejects.toMatchObject({ code: 'NotPending' });
  const other = await namespace.setWorkSpec({ name: 'other' });
  await other.addWorkUnit('b', {});

  const claiming = worker.requestAttempts({ workSpecs: ['spec'] });
  await untilSettledOrBlocked(claiming, database, 'pg-coordinate:attempt.');
  // Whatever becomes of that one, others go on.
  expect(await claimed(await namespace.worker('another'), ['other'])).toEqual(['b']);
  await client.query('commit');
  expect((await claiming).map(({ workUnit }) => workUnit.name)).toEqual(expected);
  if (expected.length === 0) {
    expect(await claimed(worker)).toEqual([]);
    expect(await spec.countWorkUnitStatus()).toEqual({ failed: 1 });
  }
  await expectConsistent(database);
});

test('a continuous spec that is being changed is passed by, and makes its unit afterwards', async () => {
  const { namespace, worker, client } = await setUp([], { continuous: true });
  const other = await namespace.setWorkSpec({ name: 'other' });
  await other.addWorkUnit('b', {});
  await client.query(`update ${bucket}.work_spec set priority = 1 where name = 'spec'`);
  expect(await claimed(worker, ['spec'])).toEqual([]);
  expect(await claimed(worker, ['other'])).toEqual(['b']);
  await client.query('commit');
  expect(await claimed(worker, ['spec'])).toHaveLength(1);
  await expectConsistent(database);
});

test('finishing in an open transaction frees no place of a limit before the commit', async () => {
  const { spec, worker, client } = await setUp(['a', 'b'], { max_running: 1 });
  const [attempt] = await worker.requestAttempts();
  await attempt!.finish({}, { client });
  expect(await claimed(worker)).toEqual([]);
  await client.query('commit');
  expect(await claimed(worker)).toEqual(['b']);
  expect(await spec.countWorkUnitStatus()).toEqual({ finished: 1, pending: 1 });
  await expectConsistent(database);
});
