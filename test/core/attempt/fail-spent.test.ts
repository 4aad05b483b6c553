import { randomUUID } from 'node:crypto';
import type { Namespace, WorkSpec } from 'pg-coordinate';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { failSpent } from '../../../src/core/attempt/fail-spent.js';
import type { PostgresWorker } from '../../../src/core/worker/postgres-worker.js';
import { testDatabase } from '../../support/database.js';

/* A claim tells where the units lie that it came upon whose retries are spent, and they are failed behind it: by then they may be something else. */

const database = await testDatabase();
const { bucket } = database;

let namespace: Namespace;
let spec: WorkSpec;
let worker: Pick<PostgresWorker, keyof PostgresWorker>;

beforeEach(async () => {
  namespace = await (await database.connect()).namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec', max_retries: 1 });
  worker = (await namespace.worker('worker')) as unknown as Pick<PostgresWorker, keyof PostgresWorker>;
});

/** A unit that has had its only attempt, and where it lies. */
async function spentUnit(name: string): Promise<string> {
  const unit = await spec.addWorkUnit(name, {});
  await (await worker.makeAttempt(unit)).retry();
  return placeOf(name);
}

async function placeOf(name: string): Promise<string> {
  const [row] = await database.query<{ place: string }>(`select ctid::text as place from ${bucket}.ready where name = $1`, [Buffer.from(name)]);
  return row!.place;
}

async function failAt(...places: string[]): Promise<number> {
  const { id: specId } = spec as unknown as { readonly id: number };
  const quoted = places.map((place) => `"${place}"`);
  return (await failSpent(worker.bucket, { specId, workerId: worker.id, lifetimeMs: 1_000, places: `{${quoted.join(',')}}` })).length;
}

test('fails those that lie there, and no others', async () => {
  const spent = [await spentUnit('a'), await spentUnit('b')];
  await spec.addWorkUnit('fresh', {});
  expect(await failAt(...spent, await placeOf('fresh'))).toBe(2);
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 2, available: 1 });
  expect(await failAt(...spent)).toBe(0);
});

test('whose priority was changed, it lies elsewhere: the next claim comes upon it again', async () => {
  const place = await spentUnit('a');
  await (await spec.workUnit('a')).setMeta({ priority: 5 });
  expect(await failAt(place)).toBe(0);
  expect(await spec.countWorkUnitStatus()).toEqual({ available: 1 });
  expect(await worker.requestAttempts()).toEqual([]);
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 1 });
});

test('what may run again since more retries are allowed is left', async () => {
  const place = await spentUnit('a');
  await namespace.setWorkSpec({ name: 'spec', max_retries: 2 });
  expect(await failAt(place)).toBe(0);
  expect(await worker.requestAttempts()).toHaveLength(1);
});

test('nothing of a spec that was destroyed', async () => {
  const place = await spentUnit('a');
  await namespace.destroyWorkSpec('spec');
  expect(await failAt(place)).toBe(0);
});

test('that they cannot be failed costs nobody what was claimed beside them', async () => {
  await spentUnit('a');
  await spec.addWorkUnit('b', {});
  await database.query(`
    create function ${bucket}.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
    create trigger refuse before insert on ${bucket}.attempt_default for each row execute function ${bucket}.refuse()`);
  const allow = async (): Promise<void> => {
    await database.query(`drop function if exists ${bucket}.refuse() cascade`);
  };
  onTestFinished(allow);

  const claimed = await worker.requestAttempts({ numberOfWorkUnits: 2 });
  expect(claimed.map(({ workUnit }) => workUnit.name)).toEqual(['b']);
  await expect(worker.requestAttempts()).rejects.toThrow('no');
  await allow();
  expect(await worker.requestAttempts()).toEqual([]);
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 1, pending: 1 });
});
