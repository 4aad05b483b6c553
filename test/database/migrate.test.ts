import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { connect, drop, migrate, SchemaMissingError, SchemaTooNewError, SchemaTooOldError } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import { migrationsTable } from '../../src/database/migrate/known-migrations.js';
import { testDatabase } from '../support/database.js';
import { caught } from './caught.js';
import { ownSchemas } from './own-schemas.js';
import { contentsOf, schemasLike } from './schema-contents.js';

const database = await testDatabase();
const { url } = database;
const { newSchema, reference } = ownSchemas(database);

async function expectMigrated(schema: string, buckets = 1): Promise<void> {
  const expected = await reference();
  expect(expected.bucket).toContain('function expire_due');
  expect(await contentsOf(database, schema)).toEqual(expected.catalog);
  for (let number = 1; number <= buckets; number++) {
    expect(await contentsOf(database, `${schema}_bucket_${number}`)).toEqual(expected.bucket);
  }
  expect(await schemasLike(database, schema)).toHaveLength(buckets + 1);
}

describe('migrate()', () => {
  test('makes everything from nothing, and then has nothing to do', async () => {
    const schema = newSchema();
    await migrate(url, { schema });
    await expectMigrated(schema);
    const applied = await database.query(`select * from ${schema}_bucket_1.${migrationsTable}`);
    await migrate(url, { schema });
    await expectMigrated(schema);
    expect(await database.query(`select * from ${schema}_bucket_1.${migrationsTable}`)).toEqual(applied);
  });

  test('may be called by many at once, in all ways', async () => {
    const schema = newSchema();
    const pool = new pg.Pool({ connectionString: url, max: 3 });
    const coordinates = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        if (index % 3 === 0) return connect(url, { schema, buckets: 2, migrate: true });
        await migrate(index % 3 === 1 ? url : pool, { schema, buckets: 2 });
        return null;
      }),
    );
    await expectMigrated(schema, 2);
    for (const coordinate of coordinates) await coordinate?.close();
    await pool.end();
  });

  test('goes on where a schema of this name is there, with what is in it', async () => {
    const schema = newSchema();
    await database.query(`create schema ${schema}`);
    await database.query(`create table ${schema}.mine (id integer)`);
    await migrate(url, { schema });
    expect(await contentsOf(database, schema)).toContain('r mine');
    await using coordinate = await connect(url, { schema });
    await coordinate.namespace('');
  });

  test('adds buckets to those there are', async () => {
    const schema = newSchema();
    await migrate(url, { schema });
    await using before = await connect(url, { schema });
    await (await before.namespace('kept')).setWorkSpec({ name: 'spec' });
    await migrate(url, { schema, buckets: 3 });
    await expectMigrated(schema, 3);
    await using after = await connect(url, { schema, buckets: 3 });
    expect(await (await after.namespace('kept')).workSpecNames()).toEqual(['spec']);
  });

  test.each(['', '_bucket_1'])('says what kept it from making schema%s, and leaves nothing half made', async (suffix) => {
    const schema = newSchema();
    await migrate(url, { schema });
    await database.query(`drop schema ${schema}${suffix} cascade`);
    await database.query(`create schema ${schema}${suffix}`);
    const inTheWay = suffix === '' ? 'namespace' : 'lease';
    await database.query(`create table ${schema}${suffix}.${inTheWay} (mine integer)`);
    for (const call of [() => migrate(url, { schema }), () => connect(url, { schema, migrate: true })]) {
      expect(await caught(call())).toMatchObject({ code: '42P07', message: `relation "${inTheWay}" already exists` });
    }
    const left = await contentsOf(database, `${schema}${suffix}`);
    expect(left.filter((name) => !name.includes(migrationsTable))).toEqual([`r ${inTheWay}`]);
    // Out of the way again, it goes on where it was.
    await database.query(`drop table ${schema}${suffix}.${inTheWay}`);
    await migrate(url, { schema });
    await expectMigrated(schema);
  });

  test('leaves a pool of the user’s as it was', async () => {
    const schema = newSchema();
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const sessionOf = async (): Promise<unknown> => (await pool.query(`select name, setting from pg_settings where name = 'search_path'`)).rows;
    const before = await sessionOf();
    await migrate(pool, { schema });
    expect(await sessionOf()).toEqual(before);
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1, ended: false });
    expect((await pool.query(`select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`)).rowCount).toBe(0);
    await pool.end();
  });

  test('takes a schema in upper case, of the greatest length', async () => {
    const schema = newSchema('Migrate_UPPER_case_').padEnd(48, 'X');
    await migrate(url, { schema, buckets: 2 });
    await using coordinate = await connect(url, { schema, buckets: 2 });
    const namespace = await coordinate.namespace('');
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnits([{ name: 'unit', data: {} }, { name: 'other', data: {} }]);
    const [attempt] = await (await namespace.worker('worker')).requestAttempts();
    await attempt!.finish();
    await spec.addWorkUnit('unit', { again: true });
    expect(await coordinate.summarize()).toMatchObject([{ status: 'available', count: 1 }, { status: 'finished', count: 1 }]);
    expect(coordinate.schemas).toEqual([schema, `${schema}_bucket_1`, `${schema}_bucket_2`]);
    await drop(url, { schema });
    expect(await schemasLike(database, schema)).toEqual([]);
  });
});

describe('drop()', () => {
  test('removes everything, all buckets of it, and nothing else', async () => {
    const schema = newSchema();
    await database.query(`create schema ${schema}_bucket_4`);
    await database.query(`create schema ${schema}_own`);
    await migrate(url, { schema, buckets: 3 });
    // The catalog knows how many there are.
    await drop(url, { schema, buckets: 1 });
    expect(await schemasLike(database, schema)).toEqual([`${schema}_bucket_4`, `${schema}_own`]);
    await expectMigrated(database.schema);
  });

  test('may be called when nothing is there, and after it migrate() begins anew', async () => {
    const schema = newSchema();
    await drop(url, { schema });
    await migrate(url, { schema });
    await (await connect(url, { schema })).close();
    await drop(url, { schema });
    await drop(url, { schema });
    expect(await schemasLike(database, schema)).toEqual([]);
    await migrate(url, { schema });
    await expectMigrated(schema);
  });

  test('removes no table of the user’s that is in the same schema', async () => {
    const schema = newSchema();
    await database.query(`create schema ${schema}`);
    await database.query(`create table ${schema}.mine (id integer)`);
    await migrate(url, { schema });
    await drop(url, { schema }).catch(() => undefined);
    expect(await contentsOf(database, schema)).toContain('r mine');
  });

  test('works on a pool of the user’s, and leaves it as it was', async () => {
    const schema = newSchema();
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    await migrate(pool, { schema });
    await drop(pool, { schema });
    expect(pool).toMatchObject({ ended: false, waitingCount: 0 });
    expect(await schemasLike(database, schema)).toEqual([]);
    await pool.end();
  });
});

describe('connect()', () => {
  const hint = 'run `pg-coordinate migrate` or call migrate()';

  test('raises SchemaMissing where there is no schema, or one without our tables', async () => {
    const schema = newSchema();
    for (const prepare of [async () => undefined, () => database.query(`create schema ${schema}`)]) {
      await prepare();
      const error = await caught(connect(url, { schema }));
      expect(error).toBeInstanceOf(SchemaMissingError);
      expect(error).toMatchObject({ code: 'SchemaMissing', details: { schema } });
      expect((error as Error).message).toContain(schema);
      expect((error as Error).message).toContain(hint);
    }
  });

  test('raises SchemaMissing where a bucket is missing', async () => {
    const schema = newSchema();
    await migrate(url, { schema, buckets: 2 });
    await database.query(`drop schema ${schema}_bucket_2 cascade`);
    for (const buckets of [2, 3]) {
      const error = await caught(connect(url, { schema, buckets }));
      expect(error).toBeInstanceOf(SchemaMissingError);
      expect(error).toMatchObject({ details: { schema: `${schema}_bucket_2` } });
    }
  });

  test.each(['', '_bucket_1'])('raises SchemaTooOld where a migration is missing of schema%s', async (suffix) => {
    const schema = newSchema();
    await migrate(url, { schema });
    const [newest] = await database.query<{ name: string }>(
      `delete from ${schema}${suffix}.${migrationsTable} where id = (select max(id) from ${schema}${suffix}.${migrationsTable}) returning name`,
    );
    const error = await caught(connect(url, { schema }));
    expect(error).toBeInstanceOf(SchemaTooOldError);
    expect(error).toMatchObject({ code: 'SchemaTooOld', details: { schema: `${schema}${suffix}`, missing: newest!.name } });
    expect((error as Error).message).toContain(newest!.name);
    expect((error as Error).message).toContain(hint);
  });

  test.each(['', '_bucket_1'])('raises SchemaTooNew where a migration is unknown of schema%s, and so do migrate() and the option', async (suffix) => {
    const schema = newSchema();
    await migrate(url, { schema });
    await database.query(`insert into ${schema}${suffix}.${migrationsTable} (name, run_on) values ('9999_of_tomorrow', now())`);
    const calls = [() => connect(url, { schema }), () => migrate(url, { schema }), () => connect(url, { schema, migrate: true })];
    for (const call of calls) {
      const error = await caught(call());
      expect(error).toBeInstanceOf(SchemaTooNewError);
      expect(error).toMatchObject({ code: 'SchemaTooNew', details: { schema: `${schema}${suffix}`, unknown: '9999_of_tomorrow' } });
      expect((error as Error).message).toContain('9999_of_tomorrow');
      expect((error as Error).message).toContain('update this package');
    }
    // Nobody is left holding the lock of migrations.
    await migrate(url, { schema: newSchema() });
  });

  test('leaves no connection behind when it raises', async () => {
    const application = `failed connect ${randomUUID()}`;
    await caught(connect(url, { schema: newSchema(), pool: { application_name: application } }));
    const left = async (): Promise<number> =>
      (await database.query('select from pg_stat_activity where application_name = $1', [application])).length;
    await expect.poll(left, { timeout: 10_000 }).toBe(0);
  });

  test('and tables that vanish under it are SchemaMissing too', async () => {
    const schema = newSchema();
    await using coordinate = await connect(url, { schema, migrate: true });
    const namespace = await coordinate.namespace('');
    await drop(url, { schema });
    expect(await caught(coordinate.namespaces())).toBeInstanceOf(SchemaMissingError);
    expect(await caught(namespace.workSpecNames())).toBeInstanceOf(SchemaMissingError);
  });
});
