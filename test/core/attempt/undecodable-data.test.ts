import { randomUUID } from 'node:crypto';
import { BadCborError, type Namespace, type WorkSpec } from 'pg-coordinate';
import { beforeEach, expect, test } from 'vitest';
import { testDatabase } from '../../support/database.js';
import { runWorker, untilCounts } from '../../worker/running.js';

/* Data that are no CBOR, as a repair by hand or another program may leave them, are the trouble of their own unit only. */

const database = await testDatabase();
const { bucket } = database;

let namespace: Namespace;
let spec: WorkSpec;

beforeEach(async () => {
  namespace = await (await database.connect()).namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec', retry: { limit: 1, delayMs: 0 } });
  await spec.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: { name } })));
  // Those of the tests before are so already.
  await database.query(`update ${bucket}.work_unit set data = '\\xa161' where name = 'b'`);
});

test('all that are claimed together are handed out, and those that can be decoded can be worked on', async () => {
  const attempts = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: 3 });
  const [a, b, c] = attempts;
  expect(attempts.map(({ workUnit }) => workUnit.name)).toEqual(['a', 'b', 'c']);
  expect([a?.data, c?.data]).toEqual([{ name: 'a' }, { name: 'c' }]);
  expect(() => b?.data).toThrow(BadCborError);
  const verdicts = await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
  expect(verdicts.map(({ error }) => error)).toEqual([null, null, null]);
});

test('attempts are listed with those of the others', async () => {
  const worker = await namespace.worker('worker');
  await worker.requestAttempts({ numberOfWorkUnits: 3 });
  const listed = await worker.activeAttempts();
  expect(listed.map(({ workUnit, status }) => [workUnit.name, status])).toEqual(['a', 'b', 'c'].map((name) => [name, 'pending']));
  expect(() => listed[1]?.data).toThrow(BadCborError);
});

test('a worker finishes the others, and fails this one by its retry policy', async () => {
  const { lines } = await runWorker(database, {
    namespace: namespace.name,
    concurrency: 2,
    handlers: { spec: ({ data }) => ({ seen: data.name }) },
  });
  await untilCounts(spec, { finished: 2, failed: 1 });
  const [first, last, ...others] = await (await spec.workUnit('b')).attempts();
  expect([first?.status, last?.status, others]).toEqual(['retryable', 'failed', []]);
  expect(last?.data).toMatchObject({ error: { code: 'BadCbor' } });
  expect(lines.filter((line) => line.includes('could not be reported'))).toEqual([]);
});

test('with a dead letter, and attempts before, it becomes one; and it can be cancelled', async () => {
  await spec.setData({ name: 'spec', retry: { limit: 0, deadLetter: 'dead' } });
  const earlier = await namespace.worker('earlier');
  for (const attempt of await earlier.requestAttempts({ numberOfWorkUnits: 3 })) await attempt.expire();
  const { worker, lines } = await runWorker(database, {
    namespace: namespace.name,
    handlers: { spec: ({ data }) => ({ seen: data.name }) },
  });
  await untilCounts(spec, { finished: 2, failed: 1 });
  expect(lines.filter((line) => line.includes('could not be reported'))).toEqual([]);
  expect((await (await namespace.workSpec('dead')).workUnits()).map(({ name }) => name)).toEqual(['spec/b']);
  await worker.stop();
  await earlier.makeAttempt(await spec.workUnit('b'));
  expect(await (await spec.workUnit('b')).cancel('by hand')).toBe(true);
});
