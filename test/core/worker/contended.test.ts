import { randomUUID } from 'node:crypto';
import type { PostgresNamespace, WorkSpec } from 'pg-coordinate';
import pg from 'pg';
import { ManualClock } from 'pg-coordinate/testing';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Statement } from '../../../src/database/index.js';
import { claimReadyRanges } from '../../../src/core/attempt/claim-ready-ranges.js';
import { claimFewUnits, claimOrFailUnits, claimUnits } from '../../../src/core/attempt/claim.js';
import type { PostgresWorker } from '../../../src/core/worker/postgres-worker.js';
import { freezeTime } from '../../database/frozen-time.js';
import { testDatabase } from '../../support/database.js';
import { countedOwnConnection } from '../producers/statements.js';

/*
 * Claims that were aborted because they had met others look beforehand for what is due, not within: nothing else may be different.
 */

const database = await testDatabase();
const counted = await countedOwnConnection(database);
afterAll(() => counted.close());
const request = { workSpecs: ['spec'], numberOfWorkUnits: 2, lifetimeMs: 60_000 };
let namespace: PostgresNamespace;
let spec: WorkSpec;
let worker: PostgresWorker;

beforeEach(async () => {
  namespace = await counted.coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec' });
  worker = await namespace.worker('worker');
  return () => namespace.destroy();
});

/** Has a claim aborted once by the server, as if it had met another one. */
async function contend(of: PostgresNamespace, claim: () => Promise<unknown>): Promise<void> {
  // It may be watched already, so this is no spy.
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  let isAborted = false;
  Object.assign(pg.Client.prototype, {
    query(this: pg.Client, ...args: unknown[]): unknown {
      const [config] = args as [{ readonly text?: string }];
      if (isAborted || config.text?.includes('pg-coordinate:attempt.claim') !== true) return query.apply(this, args);
      isAborted = true;
      return query.apply(this, [`do $$ begin raise exception using errcode = '40001'; end $$`]);
    },
  });
  try {
    await claim();
  } finally {
    Object.assign(pg.Client.prototype, { query });
  }
  expect([isAborted, of.bucket.isContended]).toEqual([true, true]);
}

describe('a worker whose claims meet others', () => {
  test('looks beforehand for what is due, for a while', async () => {
    await spec.addWorkUnits(Array.from({ length: 9 }, (_, index) => ({ name: `${index}`, data: {} })));
    await worker.requestAttempts(request);
    counted.sentOf('');
    await worker.requestAttempts(request);
    expect(counted.sentOf('scheduler.')).toEqual([]);
    expect(namespace.bucket.isContended).toBe(false);
    await contend(namespace, () => worker.requestAttempts(request));
    counted.sentOf('');
    expect((await worker.requestAttempts(request)).map(({ workUnit }) => workUnit.name)).toEqual(['6', '7']);
    expect(counted.sentOf('').filter((label) => /^(scheduler|attempt\.claim)/.test(label))).toEqual(['scheduler.look-for-due', 'attempt.claim-few']);
    freezeTime().pass(10_001);
    expect(namespace.bucket.isContended).toBe(false);
    counted.sentOf('');
    expect((await worker.requestAttempts(request)).map(({ workUnit }) => workUnit.name)).toEqual(['8']);
    expect(counted.sentOf('scheduler.look')).toEqual([]);
  });

  test('is given first what was lost, or delayed, all the same', async () => {
    const clock = new ManualClock(new Date('2031-05-06T07:08:09Z'));
    const own = await (await database.connect({ clock })).namespace(namespace.name);
    const [ownSpec, ownWorker] = [await own.workSpec('spec'), await own.worker('own')];
    await ownSpec.addWorkUnit('was lost', {}, { priority: 2 });
    await ownWorker.requestAttempts(request);
    await ownSpec.addWorkUnit('was delayed', {}, { priority: 1, notBefore: new Date(clock.now().getTime() + 1_000) });
    await ownSpec.addWorkUnit('other', {});
    await contend(own, () => ownWorker.requestAttempts({ ...request, numberOfWorkUnits: 1 }));
    await ownSpec.addWorkUnit('unit', {});
    clock.advance(60_001);
    const names = (await ownWorker.requestAttempts({ ...request, numberOfWorkUnits: 3 })).map(({ workUnit }) => workUnit.name);
    expect(names).toEqual(['was lost', 'was delayed', 'other']);
  });

  test('and finds nothing where there is nothing', async () => {
    await spec.addWorkUnit('unit', {});
    await contend(namespace, () => worker.requestAttempts(request));
    expect(await worker.requestAttempts(request)).toEqual([]);
    await spec.addWorkUnit('next', {});
    namespace.bucket.directClaims.woken(namespace.id);
    counted.sentOf('');
    expect(await worker.requestAttempts(request)).toHaveLength(1);
    expect(counted.sentOf('attempt.claim')).toEqual(['attempt.claim-few']);
  });
});

/** The claims' own parameters behind those that all have. */
const claims = { claimUnits, claimFewUnits, claimOrFailUnits: [claimOrFailUnits, Buffer.from('a0', 'hex')], claimReadyRanges: [claimReadyRanges, null, null] } as const;

test.each(Object.keys(claims) as (keyof typeof claims)[])('%s reads nothing of when leases and delays end, unless it has to look for what is due', async (name) => {
  const claim = claims[name];
  const [statement, ...own] = Array.isArray(claim) ? (claim as readonly [Statement, ...unknown[]]) : [claim as Statement];
  await spec.addWorkUnits(Array.from({ length: name === 'claimReadyRanges' ? 60 : 5 }, (_, index) => ({ name: `${index}`, data: {} })));
  const client = await database.client();
  onTestFinished(async () => {
    await client.query('rollback');
  });
  const quoted = (schema: string): string => `"${schema}"`;
  const relations = ['lease', 'lease_range', 'delayed'].flatMap((table) => [table, `${table}_due`]).map((each) => `'${database.bucket}.${each}'::regclass`);
  const { id } = spec as unknown as { readonly id: number };
  for (const isLookedForBefore of [false, true]) {
    await client.query('begin isolation level serializable');
    const values = [id, 3, worker.id, 60_000, null, 0, null, null, null, isLookedForBefore, null, null, null, null, '{}', ...own];
    const { rows } = await client.query<{ taken: string; due_leases: boolean | null }>(statement.text(quoted(database.bucket), quoted(database.schema)), values);
    expect(rows).toMatchObject([{ taken: '3', due_leases: isLookedForBefore ? null : false }]);
    const locks = await client.query(`select from pg_locks where mode = 'SIReadLock' and pid = pg_backend_pid() and relation in (${relations.join(', ')})`);
    expect(locks.rows.length > 0).toBe(!isLookedForBefore);
    await client.query('rollback');
  }
});
