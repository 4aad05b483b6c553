import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import type { ClaimingTasks } from './claiming.process.js';
import { expectConsistent } from './consistency.js';
import { testProcesses } from './processes.js';

const database = await testDatabase();
const processes = testProcesses<ClaimingTasks>(new URL('claiming.process.ts', import.meta.url));

/**
 * Would show claims that read by other ways than through the gate, or take their snapshot before it: serializable as they are,
 * four in five of them would be aborted.
 */
test.each([1, 10])('of 32 connections that claim, with %i work specs, less than one claim in a hundred is aborted', async (specs) => {
  const name = `${specs} specs`;
  const namespace = await (await database.connect()).namespace(name);
  for (let index = 0; index < specs; index++) {
    const spec = await namespace.setWorkSpec({ name: `spec ${index}` });
    const units = Math.ceil(8_000 / specs);
    await spec.addWorkUnits(Array.from({ length: units }, (_, unit) => ({ name: `unit ${unit}`, data: {} })));
  }
  const workers = await processes.startMany(4);
  const load = { url: database.url, schema: database.schema, namespace: name, connections: 8, claims: 100, hold: 1, warmUp: 0 };
  const answers = await Promise.all(workers.map((worker, seed) => worker.run('work', { ...load, seed })));
  const claims = answers.reduce((total, answer) => total + answer.specs.length, 0);
  const aborted = answers.reduce((total, answer) => total + answer.serializationFailures, 0);
  await Promise.all(workers.map((worker) => worker.kill()));
  expect(claims).toBe(3_200);
  expect(aborted / claims).toBeLessThan(0.01);
  expect(answers.map(({ deadlocks }) => deadlocks)).toEqual([0, 0, 0, 0]);
  await expectConsistent(database);
});
