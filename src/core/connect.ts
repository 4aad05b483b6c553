import pg from 'pg';
import { databaseClock } from '../clock/index.js';
import {
  clientConfigOf,
  Database,
  defaultRetryOptions,
  silentLogger,
} from '../database/index.js';
import { borrow, giveBack } from '../database/lent-client.js';
import { checkSchemas, dropSchemas, migrateSchemas, type SchemaNames } from '../database/migrate/index.js';
import { describeTarget, parseTarget } from '../database/target/index.js';
import { translateConnectError } from '../database/translate-error.js';
import { InvalidArgumentError } from '../errors/index.js';
import { Backend, bucketSchema } from './backend.js';
import { checkConnectOptions, type CheckedConnectOptions, type ConnectOptions } from './connect-options.js';
import { checkSession, startUpOptions, usualPlanning } from './session-settings.js';
import { PostgresCoordinate } from './postgres-coordinate.js';

/**
 * Where the database is: `postgres://user:password@host:port/database`, the same without the scheme (`//…`), libpq's key-value text
 * (`host=… dbname=…`), or a pool of yours. Left out: DATABASE_URL, else PGHOST and its like, of the environment.
 */
export type ConnectTarget = string | pg.Pool;

/**
 * Connects to a queue on PostgreSQL.
 *
 * The tables must be there and of this version: call `migrate()` first, or give the option `migrate: true`. Raises CannotConnect,
 * SchemaMissing, SchemaTooOld, SchemaTooNew, UnsupportedServer, InvalidArgument.
 *
 * @example
 * await using coordinate = await connect('postgres://localhost/app', { migrate: true });
 * const spec = await (await coordinate.namespace('')).setWorkSpec({ name: 'thumbnails' });
 * await spec.addWorkUnits([{ name: 'cat.jpg', data: { width: 120 } }]);
 */
export async function connect(target?: ConnectTarget, options?: ConnectOptions): Promise<PostgresCoordinate> {
  const settings = checkConnectOptions(options);
  const config = isPool(target) ? null : configOf(target, settings);
  const names = schemaNames(settings);
  if (settings.migrate) await migrateTarget(isPool(target) ? target : config, names);

  const given = [config?.options, settings.pool?.options];
  const isSetUp = config !== null && settings.sessionSettings;
  const pool = isPool(target)
    ? target
    : new pg.Pool({
        ...config,
        ...settings.pool,
        pipeline: true,
        options: isSetUp ? startUpOptions(given) : given.filter(Boolean).join(' '),
      });
  const description = config === null ? 'the given pool' : describeTarget(config);
  const database = new Database({
    pool,
    ownsPool: config !== null,
    pipeline: config !== null || pool.options.pipeline === true,
    prepare: settings.preparedStatements,
    target: description,
    schema: settings.schema,
    retry: { ...defaultRetryOptions, ...settings.retry },
    logger: settings.logger ?? silentLogger,
  });
  try {
    await database.withClient(async (client) => {
      await checkSession(client, description);
      await checkSchemas(client, names);
    });
  } catch (error) {
    await database.close();
    throw error;
  }
  return new PostgresCoordinate(
    new Backend(database, {
      clock: settings.clock ?? databaseClock,
      random: settings.random ?? Math.random,
      schema: settings.schema,
      bucketCount: settings.buckets,
      isSetUp,
      userPlanning: isSetUp ? usualPlanning(given) : '',
      clientConfig: clientConfigOf(pool.options),
      telemetry: settings.telemetry,
      pool,
    }),
  );
}

/** Creates the tables, or brings them up to date. Safe when many processes do it at once; quick when there is nothing to do. */
export async function migrate(target?: ConnectTarget, options?: ConnectOptions): Promise<void> {
  const settings = checkConnectOptions(options);
  await migrateTarget(isPool(target) ? target : configOf(target, settings), schemaNames(settings));
}

/** Removes the tables and everything in them, of all buckets. */
export async function drop(target?: ConnectTarget, options?: ConnectOptions): Promise<void> {
  const settings = checkConnectOptions(options);
  await withOwnClient(isPool(target) ? target : configOf(target, settings), async (client) => {
    const { catalog } = schemaNames(settings);
    const numbers = await readBuckets(client, catalog, settings.buckets);
    await dropSchemas(client, { catalog, buckets: numbers.map((number) => bucketSchema(catalog, number)) });
  });
}

async function migrateTarget(target: pg.Pool | pg.ClientConfig | null, names: SchemaNames): Promise<void> {
  await withOwnClient(target, (client) => migrateSchemas(client, names));
}

/** Migrations have backslashes in their strings that mean themselves. */
const sqlAsWritten = 'set standard_conforming_strings = on';

/** A connection that breaks while it waits its turn rejects what is under way; it must not end the process as well. */
const ignore = (): void => undefined;

/** A connection that is thrown away afterwards: migrating leaves its mark on a session. */
async function withOwnClient(
  target: pg.Pool | pg.ClientConfig | null,
  use: (client: pg.ClientBase) => Promise<void>,
): Promise<void> {
  if (isPool(target)) {
    const client = await borrow(target, ignore).catch((error: unknown) => {
      throw translateConnectError(error, 'the given pool');
    });
    try {
      await client.query(sqlAsWritten);
      await use(client);
    } finally {
      giveBack(client, ignore, true);
    }
    return;
  }
  const client = new pg.Client(target ?? {});
  client.on('error', ignore);
  try {
    await client.connect().catch((error: unknown) => {
      throw translateConnectError(error, describeTarget(target ?? {}));
    });
    await client.query(sqlAsWritten);
    await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function readBuckets(client: pg.ClientBase, catalog: string, configured: number): Promise<number[]> {
  const { rows } = await client.query<{ table: string | null }>('select to_regclass($1) as table', [
    `${pg.escapeIdentifier(catalog)}.bucket`,
  ]);
  if (rows[0]?.table === null) return Array.from({ length: configured }, (_, index) => index + 1);
  const buckets = await client.query<{ number: number }>(
    `select number from ${pg.escapeIdentifier(catalog)}.bucket order by number`,
  );
  return buckets.rows.map(({ number }) => number);
}

function schemaNames({ schema, buckets }: CheckedConnectOptions): SchemaNames {
  return { catalog: schema, buckets: Array.from({ length: buckets }, (_, index) => bucketSchema(schema, index + 1)) };
}

function configOf(target: string | undefined, { environment }: CheckedConnectOptions): pg.ClientConfig {
  if (target !== undefined && typeof target !== 'string') {
    throw new InvalidArgumentError('target', 'must be a connection string or a pg.Pool');
  }
  const config = parseTarget(target, environment);
  if (config === null) {
    throw new InvalidArgumentError(
      'target',
      'says no database, and neither do DATABASE_URL and PGHOST; give one, such as postgres://localhost/app',
    );
  }
  return config;
}

function isPool(target: unknown): target is pg.Pool {
  return typeof target === 'object' && target !== null && 'connect' in target && 'totalCount' in target;
}
