import { expect, onTestFinished, test } from 'vitest';
import type { Namespace, WorkSpec } from '../../src/index.js';
import { testDatabase } from '../support/database.js';
import { expectConsistent } from './consistency.js';
import { atGate, closeGate, openTransaction, untilBlocked } from './waiting.js';

/*
 * A claim looks at the specs, then waits at the gate, then claims. What happens to its spec in between must not cost a unit: each
 * test lets it happen exactly there.
 */

const database = await testDatabase();
let count = 0;

/** A spec with ten units, of which a claim is waiting at the gate; what happens then; and what the claim was answered. */
async function claimWhile(happens: (spec: WorkSpec, namespace: Namespace) => Promise<unknown>) {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace(`race ${++count}`);
  onTestFinished(() => namespace.destroy());
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnits(Array.from({ length: 10 }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  const worker = await namespace.worker('worker');
  const gate = await closeGate(database);
  const claiming = worker.requestAttempts({ numberOfWorkUnits: 2 });
  await untilBlocked(database, atGate);
  await happens(spec, namespace);
  await gate.open();
  const claimed = await claiming;
  await expectConsistent(database);
  return { spec, worker, claimed };
}

/** Would show units that vanish, from the queue or with all their rows. */
test.each<[string, (spec: WorkSpec) => Promise<unknown>]>([
  ['paused', (spec) => spec.setMeta({ paused: true })],
  ['given the weight 0', (spec) => spec.setMeta({ weight: 0 })],
])('no unit is lost when the spec is %s while a claim is on its way', async (_what, happens) => {
  const { spec, worker, claimed } = await claimWhile(happens);
  expect(claimed).toEqual([]);
  await spec.setMeta({ paused: false, weight: 20 });
  expect(await worker.requestAttempts({ numberOfWorkUnits: 100 })).toHaveLength(10);
});

test('no unit is lost when the server comes up from a crash while a claim is on its way', async () => {
  // What crash recovery does to an unlogged table; server-crash.test.ts crashes a server.
  const { worker, claimed } = await claimWhile(() => database.query(`truncate ${database.bucket}.no_crash_since`));
  expect(claimed.length + (await worker.requestAttempts({ numberOfWorkUnits: 100 })).length).toBe(10);
});

test('a limit that is lowered while a claim is on its way holds for it', async () => {
  const { spec, claimed } = await claimWhile((of) => of.setMeta({ maxRunning: 1 }));
  expect(claimed).toHaveLength(1);
  expect(await spec.countWorkUnitStatus()).toEqual({ available: 9, pending: 1 });
});

test('units that are deleted while a claim is on its way are not handed out, and the others are', async () => {
  const { spec, claimed } = await claimWhile((of) => of.deleteWorkUnits({ names: ['unit 0', 'unit 1', 'unit 2'] }));
  expect(claimed.map(({ workUnit }) => workUnit.name)).toEqual(['unit 3', 'unit 4']);
  expect(await spec.countWorkUnitStatus()).toEqual({ available: 5, pending: 2 });
});

test('units that all went to another while a claim is on its way are not handed out twice', async () => {
  const { spec, claimed } = await claimWhile(async (of, namespace) => {
    const other = await namespace.worker('other');
    for (const unit of await of.workUnits()) await other.makeAttempt(unit);
  });
  expect(claimed).toEqual([]);
  expect(await spec.countWorkUnitStatus()).toEqual({ pending: 10 });
});

/** Would show a worker that loses its unit to somebody who meant those that wait. */
test.each<[string, (spec: WorkSpec) => Promise<unknown>]>([
  ['deleted', async (spec) => expect(await spec.deleteWorkUnits({ names: ['unit 0'], statuses: ['available'] })).toBe(0)],
  ['given another priority', (spec) => spec.setWorkUnitPriorities({ names: ['unit 0'], statuses: ['available'] }, 7)],
])('a unit that is just being claimed is not %s as an available one', async (_what, change) => {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace(`race ${++count}`);
  onTestFinished(() => namespace.destroy());
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnit('unit 0', {});
  const worker = await namespace.worker('worker');
  const client = await openTransaction(database);
  // The claim waits for a number when it has the unit.
  await client.query(`alter sequence ${database.bucket}.attempt_number cache 1`);
  const claiming = worker.requestAttempts();
  await untilBlocked(database, 'attempt.claim');
  const changing = change(spec);
  await untilBlocked(database, 'work-unit.');
  await client.query('rollback');
  expect(await claiming).toHaveLength(1);
  await changing;
  expect(await (await spec.workUnit('unit 0')).priority()).toBe(0);
  expect(await spec.countWorkUnitStatus()).toEqual({ pending: 1 });
  await expectConsistent(database);
});
