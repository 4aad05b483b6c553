import { expect, test } from 'vitest';
import type { WorkSpec } from '../../src/index.js';
import { testDatabase } from '../support/database.js';
import { expectConsistent } from './consistency.js';
import type { NamespacePlace } from './place.js';
import { testProcesses } from './processes.js';
import type { SameNamesTasks } from './same-names.process.js';

const database = await testDatabase();
const processes = testProcesses<SameNamesTasks>(new URL('same-names.process.ts', import.meta.url));

const names = Array.from({ length: 1_000 }, (_, index) => `unit ${index}`).sort();

interface SpecPlace extends NamespacePlace {
  readonly workSpec: string;
  readonly names: readonly string[];
}

/** A spec of its own, and what processes need to find it. */
async function newSpec(name: string, more: object = {}): Promise<{ spec: WorkSpec; place: SpecPlace }> {
  const namespace = await (await database.connect()).namespace(name);
  const spec = await namespace.setWorkSpec({ name: 'spec', ...more });
  const { url, schema } = database;
  return { spec, place: { url, schema, namespace: name, workSpec: 'spec', names } };
}

async function expectEachOnce(spec: WorkSpec): Promise<void> {
  expect((await spec.workUnits()).map((unit) => unit.name)).toEqual(names);
  await expectConsistent(database);
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Would show an add that fails because another one was faster, or two that wait for each other in a circle. */
test('1,000 names added by 8 producers at once, each in an order of its own, are there once each', async () => {
  const producers = await processes.startMany(4);
  // One by one and by the hundred; then all of them in one statement each, over and over.
  for (const [round, batches] of [[1, 100], [1_000, 1_000], [500, 1_000]].entries()) {
    const { spec, place } = await newSpec(`adding ${round}`);
    const deadlocks = await Promise.all(producers.map((producer) => producer.run('add', { ...place, batches })));
    expect(total(deadlocks), 'deadlocks').toBe(0);
    await expectEachOnce(spec);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: names.length });
  }
});

/**
 * A name that was there, and is deleted while it is being replaced, is added behind those that were new: two who meet such names may wait for each
 * other in a circle, once in ten runs of this test; their transactions are repeated.
 */
const mostDeadlocksOfDeletes = 3;

/**
 * Would show a circle between those who lock units by id and those who meet them in another order, and units that fall out of
 * their state because two change them at once.
 */
test.each([
  ['claims, finishes, retries and changes of priority', {}, false],
  ['deletes as well', {}, true],
  ['claims that fail units whose retries are spent', { max_retries: 1 }, false],
])('adding goes together with %s', async (what, more, mayDelete) => {
  const { spec, place } = await newSpec(what, more);
  const disturbers = await processes.startMany(2);
  // Half of them are there, and their ids are in another order than their names.
  await disturbers[0]!.run('add', { ...place, names: names.filter((_, index) => index % 2 === 0), batches: [10] });
  const deadlocks = await Promise.all(
    disturbers.map((disturber) => disturber.run('disturb', { ...place, rounds: 40, mayDelete })),
  );
  expect(total(deadlocks), 'deadlocks').toBeLessThanOrEqual(mayDelete ? mostDeadlocksOfDeletes : 0);
  await expectConsistent(database);
  await spec.addWorkUnits(names.map((name) => ({ name, data: {} })));
  await expectEachOnce(spec);
});
