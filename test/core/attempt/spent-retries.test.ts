import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { connect, type Namespace, type Worker, type WorkSpec } from 'pg-coordinate';
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../../support/database.js';
import { countedOwnConnection } from '../producers/statements.js';

/* Units whose retries are spent are failed by another statement than the one that claims, which is asked only where there are any. */

const database = await testDatabase();
const { coordinate, sent, sentOf, close } = await countedOwnConnection(database);
const { bucket } = database;
afterAll(close);

let namespace: Namespace;
let spec: WorkSpec;
let worker: Worker;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec', max_retries: 1 });
  worker = await namespace.worker('worker');
});

/** Units that have had their only attempt, in front of all others. */
async function addSpent(count: number): Promise<void> {
  const units = Array.from({ length: count }, (_, index) => ({ name: `spent ${index}`, data: {}, meta: { priority: 1 } }));
  await spec.addWorkUnits(units);
  const attempts = await worker.requestAttempts({ numberOfWorkUnits: count });
  expect(attempts).toHaveLength(count);
  await Promise.all(attempts.map((attempt) => attempt.retry()));
}

async function addFresh(count: number): Promise<void> {
  await spec.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `fresh ${index}`, data: {} })));
}

test('a claim that comes upon none does not ask it', async () => {
  await addFresh(3);
  sent('');
  expect(await worker.requestAttempts({ numberOfWorkUnits: 5 })).toHaveLength(3);
  expect(sent('attempt.claim-or-fail')).toBe(0);
});

test('a claim that comes upon some asks it once, for what it has not got', async () => {
  await addSpent(3);
  await addFresh(4);
  sent('');
  const attempts = await worker.requestAttempts({ numberOfWorkUnits: 5, workSpecs: ['spec'] });
  expect(attempts.map(({ workUnit }) => workUnit.name)).toEqual(['fresh 0', 'fresh 1']);
  expect(sent('attempt.claim-or-fail')).toBe(1);
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 3, pending: 2, available: 2 });
});

test('many that ask at once all get something, however many are to be failed in front of it', async () => {
  await addSpent(60);
  await addFresh(40);
  const claimed = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const [attempt, ...others] = await (await namespace.worker(`worker ${index}`)).requestAttempts();
      expect(others).toEqual([]);
      return attempt?.workUnit.name;
    }),
  );
  expect(new Set(claimed)).toEqual(new Set(Array.from({ length: 40 }, (_, index) => `fresh ${index}`)));
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 60, pending: 40 });
});

test('a request that comes upon many batches of them learns it once', async () => {
  await addSpent(20);
  await addFresh(1);
  sent('');
  expect((await worker.requestAttempts()).map(({ workUnit }) => workUnit.name)).toEqual(['fresh 0']);
  expect(sentOf('attempt.claim')).toEqual(['attempt.claim-few', ...Array<string>(21).fill('attempt.claim-or-fail')]);
});

test('so it is for a spec that is claimed of without a look', async () => {
  await spec.addWorkUnits([{ name: 'known', data: {} }]);
  await (await worker.requestAttempts({ workSpecs: ['spec'] }))[0]?.finish();
  await spec.addWorkUnits([{ name: 'spent', data: {}, meta: { priority: 1 } }]);
  await (await worker.makeAttempt(await spec.workUnit('spent'))).retry();
  await addFresh(2);
  sent('');
  const attempts = await worker.requestAttempts({ workSpecs: ['spec'], numberOfWorkUnits: 2 });
  expect(attempts.map(({ workUnit }) => workUnit.name)).toEqual(['fresh 0']);
  expect(sent('scheduler.list-named-candidates')).toBe(0);
  const failed = await (await spec.workUnit('spent')).activeAttempt();
  expect([failed?.status, failed?.data]).toEqual(['failed', { traceback: 'too many retries' }]);
});

test('what is failed takes nothing of maxRunning', async () => {
  await addSpent(3);
  await addFresh(5);
  await spec.setMeta({ maxRunning: 2 });
  const claim = async (): Promise<number> => (await worker.requestAttempts({ numberOfWorkUnits: 5 })).length;
  expect((await claim()) + (await claim())).toBe(2);
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 3, pending: 2, available: 3 });
});

test('that they cannot be failed costs nobody what was claimed beside them', async () => {
  await addSpent(1);
  await addFresh(1);
  const warnings: string[] = [];
  const other = await database.connect({ logger: { warn: (text) => void warnings.push(text), error: () => undefined } });
  const worker = await (await other.namespace(namespace.name)).worker('worker');
  await database.query(`
    create function ${bucket}.refuse() returns trigger language plpgsql as $$ begin raise exception 'refused by this test'; end $$;
    create trigger refuse before insert on ${bucket}.attempt_default for each row execute function ${bucket}.refuse()`);
  const allow = async (): Promise<void> => {
    await database.query(`drop function if exists ${bucket}.refuse() cascade`);
  };
  onTestFinished(allow);

  const claimed = await worker.requestAttempts({ numberOfWorkUnits: 2 });
  expect(claimed.map(({ workUnit }) => workUnit.name)).toEqual(['fresh 0']);
  expect(warnings).toEqual([expect.stringContaining('refused by this test')]);
  await expect(worker.requestAttempts()).rejects.toThrow('refused by this test');
  await allow();
  expect(await worker.requestAttempts()).toEqual([]);
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 1, pending: 1 });
});

test('nor that nobody can be told of it', async () => {
  await addSpent(4);
  await addFresh(2);
  /** Loses its connection whenever it would ask who watches. */
  class CutClient extends pg.Client {}
  const query = CutClient.prototype.query as (...args: unknown[]) => unknown;
  Object.assign(CutClient.prototype, {
    query(this: pg.Client & { connection: { stream: { destroy(): void } } }, ...args: [unknown]): unknown {
      if ((args[0] as { text?: string }).text?.includes('notify.is-watched ') === true) this.connection.stream.destroy();
      return query.apply(this, args);
    },
  });
  const pool = new pg.Pool({ connectionString: database.url, Client: CutClient });
  onTestFinished(() => pool.end());
  const warnings: string[] = [];
  const other = await connect(pool, { schema: database.schema, logger: { warn: (text) => void warnings.push(text), error: () => undefined } });
  onTestFinished(() => other.close());

  const worker = await (await other.namespace(namespace.name)).worker('worker');
  // Three are failed, and then the fourth together with what is claimed.
  const claimed = await worker.requestAttempts({ numberOfWorkUnits: 3 });
  expect(claimed.map(({ workUnit }) => workUnit.name)).toEqual(['fresh 0', 'fresh 1']);
  expect(warnings.filter((text) => text.startsWith('others could not be notified'))).toHaveLength(2);
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 4, pending: 2 });
});
