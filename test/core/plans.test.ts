import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { expectBounded } from './plans/bounded.js';
import { canExplain, explainedConnection, labelOf, readIndexes, type ExplainedConnection, type ExplainedStatement, type PoolKind } from './plans/explained.js';
import { fill, stopAutovacuum, vacuumAnalyze } from './plans/fill.js';
import type { Operation } from './plans/operation.js';
import { operations as ofTheCore } from './plans/operations.js';
import { requiredIndexes, requiredOfOperations } from './plans/required-indexes.js';
import { rpcOperations } from './plans/rpc-operations.js';

/*
 * No operation may cost in proportion to what is in the tables; and not by luck, but whatever the planner knows of them. Each
 * operation is run, and every statement of it, those inside functions included, may only handle so many rows.
 */

const operations = [...ofTheCore, ...rpcOperations];
const database = await testDatabase();
const names = { namespace: 'plans', spec: 'spec' };
const load = {
  ready: 100_000,
  delayed: 100_000,
  finished: 100_000,
  leased: 10_000,
  limited: 10_000,
  idleSpecs: 1_000,
  oldWorkers: 20_000,
  locks: 20_000,
};
/** What must be quick on a pool of the user's too, whose sessions are not set up for it, as soon as there are statistics. */
const everyday = operations.filter(({ name }) => /^(adding|asking|renewing|finishing|retrying|reading)/.test(name));

describe.runIf(await canExplain(database))('whatever is in the tables, little is read', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    const coordinate = await database.connect();
    const namespace = await coordinate.namespace(names.namespace);
    await namespace.setWorkSpec({ name: names.spec });
    await stopAutovacuum(database);
    await fill(database, namespace, names.spec, load);
  }, 300_000);

  // In this order: once there are statistics, they do not go away.
  describe('right after a bulk load, before there are statistics', () => {
    bounded('our own pool', operations);
    describe('by index', byIndex);
  });
  describe('with fresh statistics', () => {
    beforeAll(() => vacuumAnalyze(database));
    bounded('our own pool', operations);
    bounded("a pool of the user's", everyday);
    describe('by index', byIndex);
  });
});

function bounded(kind: PoolKind, of: readonly Operation[]): void {
  describe(`on ${kind}`, () => {
    let connection: ExplainedConnection;
    beforeAll(async () => {
      connection = await explainedConnection(database, names, kind);
    });
    afterAll(() => connection.close());

    test.each(of)('$name', (operation) => expectBounded(database, connection, operation));
  });
}

/** Which index finds the rows is pinned on our own pool, whose sessions are set up for it. */
function byIndex(): void {
  const ofStatement = new Map<string, Set<string>>();
  const ofOperation = new Map<string, Set<string>>();

  beforeAll(async () => {
    const connection = await explainedConnection(database, names, 'our own pool');
    const indexes = await readIndexes(database);
    const note = (used: Map<string, Set<string>>, key: string, { nodes }: ExplainedStatement): void => {
      const known = used.get(key) ?? new Set();
      for (const { 'Index Name': index } of nodes) if (index !== undefined) known.add(indexes.get(index) ?? index);
      used.set(key, known);
    };
    for (const operation of operations) {
      for (const statement of await operation.run({ database, connection })) {
        note(ofStatement, labelOf(statement), statement);
        note(ofOperation, operation.name, statement);
      }
    }
    await connection.close();
  });

  test.each(requiredIndexes)('%s', (label, ...required) => {
    expect([...(ofStatement.get(label) ?? [])]).toEqual(expect.arrayContaining(required));
  });
  test.each(requiredOfOperations)('%s', (operation, ...required) => {
    expect([...(ofOperation.get(operation) ?? [])]).toEqual(expect.arrayContaining(required));
  });
}
