import { runner } from 'node-pg-migrate';
import type { ClientBase } from 'pg';
import { SchemaTooNewError, UnsupportedServerError } from '../../errors/index.js';
import { quoteIdentifier } from '../statement.js';
import { knownMigrations, migrationDirectory, migrationsTable, type MigrationSet } from './known-migrations.js';
import { readApplied } from './check-schemas.js';

/** The oldest PostgreSQL supported, as the server counts: 14.0. */
const oldestServer = 140_000;

/** One lock for all schemas of this package: migrations are rare, and buckets share a catalog. */
const lockName = 'pg-coordinate migrations';

export interface SchemaNames {
  readonly catalog: string;
  /** The schema of each bucket, from number 1 on. */
  readonly buckets: readonly string[];
}

/**
 * Brings the schemas up to date, creating what is missing. Any number of processes may do this at once: they take turns, and those
 * that come later find nothing to do. `client` must be a connection of its own, as it changes the search_path.
 *
 * Raises SchemaTooNew, UnsupportedServer.
 */
export async function migrateSchemas(client: ClientBase, names: SchemaNames): Promise<void> {
  await checkServer(client);
  await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [lockName]);
  try {
    await migrateSchema(client, names.catalog, 'catalog');
    for (const [index, bucket] of names.buckets.entries()) {
      await migrateSchema(client, bucket, 'bucket');
      await client.query(
        `insert into ${quoteIdentifier(names.catalog)}.bucket (number) values ($1) on conflict do nothing`,
        [index + 1],
      );
    }
  } finally {
    await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName]);
  }
}

/** Removes the schemas and everything in them. */
export async function dropSchemas(client: ClientBase, names: SchemaNames): Promise<void> {
  await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [lockName]);
  try {
    for (const schema of [...names.buckets, names.catalog]) {
      await client.query(`drop schema if exists ${quoteIdentifier(schema)} cascade`);
    }
  } finally {
    await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName]);
  }
}

async function migrateSchema(client: ClientBase, schema: string, set: MigrationSet): Promise<void> {
  const known = await knownMigrations(set);
  const applied = (await readApplied(client, schema)) ?? [];
  const unknown = applied.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new SchemaTooNewError(schema, unknown);
  if (applied.length === known.length) return;
  await runner({
    dbClient: client,
    dir: migrationDirectory(set),
    direction: 'up',
    schema,
    createSchema: true,
    migrationsTable,
    // The lock above is held for all the schemas together.
    noLock: true,
    log: () => undefined,
  });
}

async function checkServer(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ number: string; text: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as text",
  );
  if (Number(rows[0]?.number) < oldestServer) throw new UnsupportedServerError(String(rows[0]?.text));
}
