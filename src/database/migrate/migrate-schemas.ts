import type { ClientBase } from 'pg';
import { SchemaTooNewError, UnsupportedServerError } from '../../errors/index.js';
import { quoteIdentifier } from '../statement.js';
import { sqlState } from '../translate-error.js';
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
  await holdingLock(client, async () => {
    await migrateSchema(client, names.catalog, 'catalog');
    for (const [index, bucket] of names.buckets.entries()) {
      await migrateSchema(client, bucket, 'bucket');
      await client.query(
        `insert into ${quoteIdentifier(names.catalog)}.bucket (number) values ($1) on conflict do nothing`,
        [index + 1],
      );
    }
  });
}

/** Removes what the migrations have made, and the schemas, unless they hold anything of somebody else's. */
export async function dropSchemas(client: ClientBase, names: SchemaNames): Promise<void> {
  await holdingLock(client, async () => {
    for (const schema of names.buckets) await dropSchema(client, schema, 'bucket');
    await dropSchema(client, names.catalog, 'catalog');
  });
}

async function dropSchema(client: ClientBase, schema: string, set: MigrationSet): Promise<void> {
  const applied = await readApplied(client, schema);
  if (applied === null) return;
  await checkKnown(schema, applied, set);
  if (applied.length > 0) await run(client, schema, set, 'down');
  const quoted = quoteIdentifier(schema);
  await client.query(`drop table ${quoted}.${quoteIdentifier(migrationsTable)}`);
  await client.query(`drop schema ${quoted}`).catch((error: unknown) => {
    // 2BP01: there is something in it that is not ours.
    if (sqlState(error) !== '2BP01') throw error;
  });
}

async function migrateSchema(client: ClientBase, schema: string, set: MigrationSet): Promise<void> {
  const applied = (await readApplied(client, schema)) ?? [];
  const known = await checkKnown(schema, applied, set);
  if (applied.length < known.length) await run(client, schema, set, 'up');
}

/** Raises SchemaTooNew for a migration of a later version; resolves to those of this one. */
async function checkKnown(schema: string, applied: readonly string[], set: MigrationSet): Promise<string[]> {
  const known = await knownMigrations(set);
  const unknown = applied.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new SchemaTooNewError(schema, unknown);
  return known;
}

async function run(client: ClientBase, schema: string, set: MigrationSet, direction: 'up' | 'down'): Promise<void> {
  // Loaded only now: it takes as long as all the rest of a short command, and most processes find nothing to migrate.
  const { runner } = await import('node-pg-migrate');
  await runner({
    dbClient: client,
    dir: migrationDirectory(set),
    direction,
    count: Number.POSITIVE_INFINITY,
    schema,
    createSchema: direction === 'up',
    migrationsTable,
    // The lock above is held for all the schemas together.
    noLock: true,
    log: () => undefined,
  });
}

async function holdingLock(client: ClientBase, work: () => Promise<void>): Promise<void> {
  await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [lockName]);
  try {
    await work();
  } finally {
    // After a failure inside a transaction this fails as well, and must not hide why; the connection is thrown away then.
    await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName]).catch(() => undefined);
  }
}

async function checkServer(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ number: string; text: string }>(
    "select current_setting('server_version_num') as number, current_setting('server_version') as text",
  );
  if (Number(rows[0]?.number) < oldestServer) throw new UnsupportedServerError(String(rows[0]?.text));
}
