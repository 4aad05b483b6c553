import { randomUUID } from 'node:crypto';
import type { Attempt, NewWorkUnit, PostgresNamespace, Worker, WorkSpec } from 'pg-coordinate';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import { expectConsistent } from '../../concurrency/consistency.js';
import { testDatabase } from '../../support/database.js';
import { countedOwnConnection } from '../producers/statements.js';

/** The statements that claim whole ranges, and those that claim from others, each with the one that reads what was claimed. */
export const whole = ['attempt.claim-whole-ranges', 'attempt.read-claimed-ranges'];
export const others = ['attempt.claim-ready-ranges', 'attempt.read-claimed'];

/** What tests of units that wait in ranges share. To be called once a file. */
export async function inReadyRanges() {
  const database = await testDatabase();
  const { coordinate, sentOf, close } = await countedOwnConnection(database);
  afterAll(close);
  const { bucket } = database;

  let namespace: PostgresNamespace;
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
    expect(await database.query(`select from ${bucket}.ready_range`)).toEqual([]);
  });

  /** Named by a prefix and a number of four digits. */
  const units = (prefix: string, from: number, to: number, meta?: NewWorkUnit['meta']): NewWorkUnit[] =>
    Array.from({ length: to - from }, (_, index) => ({ name: nameOf(prefix, from + index), data: { index: from + index }, ...(meta && { meta }) }));

  const nameOf = (prefix: string, number: number): string => `${prefix}${String(number).padStart(4, '0')}`;
  const names = (prefix: string, from: number, to: number): string[] => units(prefix, from, to).map(({ name }) => name as string);

  /** How many units each range lists, in the order in which they come. */
  async function ranges(): Promise<unknown[]> {
    const rows = await database.query(`select cardinality(unit_ids) as count from ${bucket}.ready_range order by rank, spec_id desc, first_name, id`);
    return rows.map(({ count }) => count);
  }

  /** How many units wait in a row of their own. */
  async function rows(): Promise<number> {
    return (await database.query(`select from ${bucket}.ready`)).length;
  }

  const claim = (count: number, by = worker): Promise<Attempt[]> => by.requestAttempts({ numberOfWorkUnits: count, lifetimeMs: 60_000 });
  const claimNames = async (count: number): Promise<string[]> => (await claim(count)).map(({ workUnit }) => workUnit.name);

  /** What the statements of claims were since this was asked last. */
  const statements = (): readonly string[] => sentOf('attempt.').filter((label) => label.startsWith('attempt.claim') || label.startsWith('attempt.read'));

  /** Has the last claim be one from ranges, so that the next begins with them. */
  async function expectRanges(): Promise<void> {
    await spec.addWorkUnits(units('A', 0, 70));
    await finish(await claim(70));
    statements();
  }

  async function finish(attempts: readonly Attempt[]): Promise<void> {
    const verdicts = await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
    expect(verdicts.filter(({ error }) => error !== null)).toEqual([]);
  }

  /** Anew for each test. */
  const current = (): { namespace: PostgresNamespace; spec: WorkSpec; worker: Worker } => ({ namespace, spec, worker });
  return { bucket, claim, claimNames, coordinate, current, database, expectRanges, finish, nameOf, names, ranges, rows, sentOf, statements, units };
}
