import { runner } from 'node-pg-migrate';
import { connect } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import { knownMigrations, migrationDirectory, migrationsTable } from '../../src/database/migrate/known-migrations.js';
import { testDatabase } from '../support/database.js';
import { ownSchemas } from './own-schemas.js';
import { contentsOf } from './schema-contents.js';

const database = await testDatabase();
const { url } = database;
const { newSchema, reference } = ownSchemas(database);

/** How many migrations of a bucket there are from the one with this number on. */
async function howManyFrom(number: string): Promise<number> {
  return (await knownMigrations('bucket')).filter((name) => name >= number).length;
}

describe('down migrations', () => {
  test.each(['catalog', 'bucket'] as const)('of a %s leave nothing but the table of migrations', async (set) => {
    const schema = newSchema();
    await database.query(`create schema ${schema}`);
    const empty = await contentsOf(database, schema);
    expect(empty).toEqual([]);
    const client = await database.client();
    const migrateIt = (direction: 'up' | 'down'): Promise<unknown> =>
      runner({
        dbClient: client,
        dir: migrationDirectory(set),
        direction,
        count: Infinity,
        schema,
        migrationsTable,
        log: () => undefined,
      });
    await migrateIt('up');
    expect((await contentsOf(database, schema)).length).toBeGreaterThan(5);
    await migrateIt('down');
    const left = await contentsOf(database, schema);
    expect(left.filter((name) => !name.includes(migrationsTable))).toEqual([]);
    expect(left).toContain(`r ${migrationsTable}`);
    expect(await database.query(`select * from ${schema}.${migrationsTable}`)).toEqual([]);
    // And up again, to the same.
    await migrateIt('up');
    const expected = await reference();
    expect(await contentsOf(database, schema)).toEqual(expected[set]);
  });

  test('keep the history of attempts that are in ranges, each in a row of its own', async () => {
    const schema = newSchema();
    await using coordinate = await connect(url, { schema, migrate: true });
    const namespace = await coordinate.namespace('');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnits(Array.from({ length: 20 }, (_, index) => ({ name: `${index}`, data: {} })));
    const attempts = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: 20 });
    await namespace.failAll(attempts.map((attempt) => ({ attempt })));
    // Has a row of its own already.
    await attempts[3]?.finish({ own: true });
    const bucket = `${schema}_bucket_1`;
    const historyOf = (table: string): Promise<unknown[]> =>
      database.query(`select unit_id, number, worker_id, status, started_at, ended_at, expires_at, data from ${bucket}.${table} order by number`);
    const before = await historyOf('any_attempt');
    expect([before.length, (await historyOf('attempt')).length]).toEqual([20, 1]);
    const dbClient = await database.client();
    const settings = { dbClient, dir: migrationDirectory('bucket'), schema: bucket, migrationsTable, log: () => undefined };
    await runner({ ...settings, direction: 'down', count: await howManyFrom('0004') });
    expect(await historyOf('attempt')).toEqual(before);
    await runner({ ...settings, direction: 'up', count: Infinity });
    expect(await historyOf('any_attempt')).toEqual(before);
  });

  test('leave units out of ranges of leases that were not in them when they were claimed', async () => {
    const schema = newSchema();
    await using coordinate = await connect(url, { schema, migrate: true });
    const namespace = await coordinate.namespace('');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const worker = await namespace.worker('worker');
    await spec.addWorkUnits(Array.from({ length: 600 }, (_, index) => ({ name: `${1_000 + index}`, data: {} })));
    // The first claim finds out that there are ranges, the second takes them as they are.
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 200 });
    await spec.setWorkUnitPriorities({ names: ['1203', '1399'] }, -5);
    attempts.push(...(await worker.requestAttempts({ numberOfWorkUnits: 398 })));
    const bucket = `${schema}_bucket_1`;
    const held = (): Promise<unknown[]> => database.query(`select unit_id, number, attempts, expires_at from ${bucket}.any_lease order by number`);
    const listed = async (): Promise<unknown> => (await database.query(`select sum(cardinality(array_remove(unit_ids, 0)))::int as count from ${bucket}.lease_range`))[0]?.count;
    const before = await held();
    expect([attempts.length, before.length, await listed()]).toEqual([598, 598, 600]);
    const settings = { dbClient: await database.client(), dir: migrationDirectory('bucket'), schema: bucket, migrationsTable, log: () => undefined };
    await runner({ ...settings, direction: 'down', count: await howManyFrom('0009') });
    expect([await held(), await listed()]).toEqual([before, 598]);
    await runner({ ...settings, direction: 'up', count: Infinity });
    expect(await held()).toEqual(before);
    const verdicts = await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
    expect(verdicts.filter(({ error }) => error !== null)).toEqual([]);
    expect(await database.query(`select from ${bucket}.lease_range`)).toEqual([]);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 2, finished: 598 });
  });

  test('give units that wait in ranges a row each', async () => {
    const schema = newSchema();
    await using coordinate = await connect(url, { schema, migrate: true });
    const spec = await (await coordinate.namespace('')).setWorkSpec({ name: 'spec' });
    await spec.addWorkUnits(Array.from({ length: 300 }, (_, index) => ({ name: `${1_000 + index}`, data: {} })));
    await (await spec.workUnit('1003')).setPriority(5);
    const bucket = `${schema}_bucket_1`;
    const settings = { dbClient: await database.client(), dir: migrationDirectory('bucket'), schema: bucket, migrationsTable, log: () => undefined };
    await runner({ ...settings, direction: 'down', count: await howManyFrom('0006') });
    const rows = await database.query(`select from ${bucket}.ready r join ${bucket}.work_unit u on u.id = r.unit_id and u.name = r.name and u.spec_id = r.spec_id and r.rank = -u.priority`);
    expect(rows).toHaveLength(300);
    await runner({ ...settings, direction: 'up', count: Infinity });
    const attempts = await (await (await coordinate.namespace('')).worker('worker')).requestAttempts({ numberOfWorkUnits: 1_000 });
    expect(attempts.map(({ workUnit }) => workUnit.name).slice(0, 3)).toEqual(['1003', '1000', '1001']);
    expect(attempts).toHaveLength(300);
  });
});
