import pg from 'pg';
import { afterAll, expect, inject, test } from 'vitest';
import { drop, migrate } from '../../src/index.js';
import type { MigrateAtOnceTasks } from './migrate-at-once.process.js';
import { testProcesses } from './processes.js';

const url = inject('databaseUrl');
const processes = testProcesses<MigrateAtOnceTasks>(new URL('migrate-at-once.process.ts', import.meta.url));
const buckets = 2;
const unique = `${process.pid}_${Date.now()}`;
const [atOnce, alone] = [`test_at_once_${unique}`, `test_alone_${unique}`];

const client = new pg.Client({ connectionString: url });
await client.connect();
afterAll(async () => {
  for (const schema of [atOnce, alone]) await drop(url, { schema, buckets });
  await client.end();
});

/** Everything in the schemas, by name and kind, with the name of the catalog's schema left out. */
async function contents(schema: string): Promise<string[]> {
  const { rows } = await client.query<{ what: string }>(
    `
    select replace(n.nspname, $1, '') || ' ' || c.relkind::text || ' ' || c.relname as what
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where starts_with(n.nspname, $1)
    union all
    select replace(n.nspname, $1, '') || ' function ' || p.proname || ' ' || pg_get_function_identity_arguments(p.oid)
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where starts_with(n.nspname, $1)
    order by what`,
    [schema],
  );
  return rows.map(({ what }) => what.replaceAll(schema, ''));
}

/** Would show two that create the same table, a process that gives up because another was faster, a migration that is done twice. */
test('ten processes that migrate an empty database at once all succeed, and make one set of tables', async () => {
  await migrate(url, { schema: alone, buckets });
  const all = await processes.startMany(10);
  await Promise.all(all.map((process) => process.run('migrate', { url, schema: atOnce, buckets })));

  expect(await contents(atOnce)).toEqual(await contents(alone));
  for (const suffix of ['', '_bucket_1', '_bucket_2']) {
    const migrations = async (schema: string) =>
      (await client.query<{ name: string }>(`select name from ${schema}${suffix}.migration order by id`)).rows;
    expect(await migrations(atOnce)).toEqual(await migrations(alone));
  }
  const { rows } = await client.query(`select from ${atOnce}.namespace`);
  expect(rows).toHaveLength(10);
});
