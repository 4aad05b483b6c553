import { randomUUID } from 'node:crypto';
import type { Attempt, Namespace, Worker, WorkSpec } from 'pg-coordinate';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import { expectConsistent } from '../../concurrency/consistency.js';
import type { PostgresWorkUnit } from '../../../src/core/work-unit/postgres-work-unit.js';
import { testDatabase } from '../../support/database.js';
import { countedOwnConnection } from '../producers/statements.js';

/** What tests of leases in ranges share: what they are done to, and what they look at. To be called once a file. */
 
export async function inLeaseRanges() {
  const database = await testDatabase();
  const { coordinate, sent, sentOf, close } = await countedOwnConnection(database);
  const { bucket } = database;
  afterAll(close);

  let namespace: Namespace;
  let spec: WorkSpec;
  let worker: Worker;

  beforeEach(async () => {
    namespace = await coordinate.namespace(randomUUID());
    spec = await namespace.setWorkSpec({ name: 'spec' });
    worker = await namespace.worker('worker');
  });

  afterEach(async () => {
    await expectConsistent(database);
    await namespace.destroy();
    expect(await database.query(`select from ${bucket}.lease_range`)).toEqual([]);
  });

  async function claimed(count: number, of = spec, by = worker): Promise<Attempt[]> {
    await of.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `unit ${String(index).padStart(4, '0')}`, data: { index } })));
    const attempts = await by.requestAttempts({ numberOfWorkUnits: count, workSpecs: [of], lifetimeMs: 60_000 });
    expect(attempts).toHaveLength(count);
    sent('');
    return attempts;
  }

  /** Of each range how many units it names. */
  async function ranges(): Promise<unknown[]> {
    const rows = await database.query(`select cardinality(array_remove(unit_ids, 0)) as count from ${bucket}.lease_range order by first_number, ctid`);
    return rows.map(({ count }) => count);
  }

  async function leases(): Promise<number> {
    return (await database.query(`select from ${bucket}.lease`)).length;
  }

  async function finishAll(attempts: readonly Attempt[], data?: object): Promise<string[]> {
    const verdicts = await namespace.finishAll(attempts.map((attempt) => (data ? { attempt, data: { ...data } } : { attempt })));
    return verdicts.map(({ error }) => error?.code ?? 'finished');
  }

  async function runOut(attempts: readonly Attempt[]): Promise<void> {
    const numbers = attempts.map(({ number }) => number);
    for (const table of ['lease', 'lease_range']) {
      const condition = table === 'lease' ? 'number = any($1)' : 'exists (select from unnest($1::bigint[]) n where n between first_number and last_number)';
      await database.query(`update ${bucket}.${table} set expires_at = statement_timestamp() - interval '1 second' where ${condition}`, [numbers]);
    }
  }

  /** By a connection that has not seen yet that nothing is to expire. */
  async function expire(): Promise<void> {
    await using fresh = await database.connect();
    await (await (await fresh.namespace(namespace.name)).workSpec('spec')).countWorkUnitStatus();
  }

  const unitIdOf = (attempt: Attempt | undefined): number => (attempt?.workUnit as PostgresWorkUnit).id;
  const statusOf = async (attempt: Attempt | undefined): Promise<string | undefined> => attempt?.workUnit.status();
  const all = (count: number): string[] => Array<string>(count).fill('finished');

  /** Anew for each test. */
  const current = (): { namespace: Namespace; spec: WorkSpec; worker: Worker } => ({ namespace, spec, worker });
  return { all, bucket, claimed, coordinate, database, expire, finishAll, leases, ranges, runOut, sentOf, statusOf, unitIdOf, current };
}
