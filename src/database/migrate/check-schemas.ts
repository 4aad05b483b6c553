import type { ClientBase, Pool } from 'pg';
import { SchemaMissingError, SchemaTooNewError, SchemaTooOldError } from '../../errors/index.js';
import { quoteIdentifier } from '../statement.js';
import { sqlState } from '../translate-error.js';
import { knownMigrations, migrationsTable } from './known-migrations.js';
import type { SchemaNames } from './migrate-schemas.js';

/** Raises SchemaMissing, SchemaTooOld or SchemaTooNew unless the schemas are what this version of the package works with. */
export async function checkSchemas(client: ClientBase | Pool, { catalog, buckets }: SchemaNames): Promise<void> {
  const known = { catalog: await knownMigrations('catalog'), bucket: await knownMigrations('bucket') };
  for (const schema of [catalog, ...buckets]) {
    const expected = schema === catalog ? known.catalog : known.bucket;
    const applied = await readApplied(client, schema);
    if (applied === null) throw new SchemaMissingError(schema);
    const missing = expected.find((name) => !applied.includes(name));
    if (missing !== undefined) throw new SchemaTooOldError(schema, missing);
    const unknown = applied.find((name) => !expected.includes(name));
    if (unknown !== undefined) throw new SchemaTooNewError(schema, unknown);
  }
}

/** The migrations a schema has had; null when it has no table of them. */
export async function readApplied(client: ClientBase | Pool, schema: string): Promise<string[] | null> {
  try {
    const { rows } = await client.query<{ name: string }>(
      `select name from ${quoteIdentifier(schema)}.${quoteIdentifier(migrationsTable)} order by id`,
    );
    return rows.map(({ name }) => name);
  } catch (error) {
    // 42P01: no such table; 3F000: no such schema.
    if (sqlState(error) === '42P01' || sqlState(error) === '3F000') return null;
    throw error;
  }
}
