import type { PoolConfig } from 'pg';
import type { Clock } from '../clock/index.js';
import type { Logger, RetryOptions } from '../database/index.js';
import { InvalidArgumentError } from '../errors/index.js';
import { checkBoolean, checkDuration, checkInteger, checkOptions, kindOf } from '../options/index.js';
import type { Telemetry } from './telemetry/telemetry.js';

/** How to connect. Everything has a default. */
export interface ConnectOptions {
  /** Where the time comes from. @default the database server's clock */
  readonly clock?: Clock;
  /** The schema of the catalog; those of the buckets are named after it. @default 'coordinate' */
  readonly schema?: string;
  /** Over how many buckets (schemas) new namespaces are spread. @default 1 */
  readonly buckets?: number;
  /** Settings of the connection pool, such as `{ max: 20 }`; not for a pool of yours. @default {} (max 10) */
  readonly pool?: PoolConfig;
  /** Numbers in [0, 1), for the scheduler's choice. @default Math.random */
  readonly random?: () => number;
  /** Told about broken idle connections and the like. @default tells nobody */
  readonly logger?: Logger;
  /** Is told what the connection does, for metrics and traces; see `pg-coordinate/telemetry`. @default nobody is told, at no cost */
  readonly telemetry?: Telemetry;
  /** Whether to create or update the tables first. @default false */
  readonly migrate?: boolean;
  /** How transactions that collide are tried again. @default 20 retries, 2 ms to 250 ms apart */
  readonly retry?: Partial<RetryOptions>;
  /** Whether to prepare statements by name; a pooler in transaction mode may not let you. @default true */
  readonly preparedStatements?: boolean;
  /** Whether to send start-up options to the server; a pooler may refuse them. @default true */
  readonly sessionSettings?: boolean;
  /** What is looked at when no target is given. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Options with their defaults. */
export type CheckedConnectOptions = ConnectOptions &
  Required<Pick<ConnectOptions, 'schema' | 'buckets' | 'migrate' | 'preparedStatements' | 'sessionSettings' | 'environment'>>;

/** Each is a schema of two dozen tables. */
const mostBuckets = 10_000;

/** PostgreSQL cuts identifiers at 63 bytes; the buckets' schemas add a dozen. */
const longestSchema = 48;

export function checkConnectOptions(options: ConnectOptions | undefined): CheckedConnectOptions {
  const given = checkOptions(options, 'options', [
    'clock',
    'schema',
    'buckets',
    'pool',
    'random',
    'logger',
    'telemetry',
    'migrate',
    'retry',
    'preparedStatements',
    'sessionSettings',
    'environment',
  ]);
  const { schema = 'coordinate', buckets = 1, migrate = false, preparedStatements = true, sessionSettings = true } = given;
  checkMethods(given.clock, 'options.clock', ['now']);
  checkMethods(given.logger, 'options.logger', ['warn', 'error']);
  checkFunction(given.random, 'options.random');
  checkRetry(given.retry);
  checkObject(given.pool, 'options.pool');
  checkObject(given.telemetry, 'options.telemetry');
  checkObject(given.environment, 'options.environment');
  return {
    ...given,
    schema: checkSchema(schema),
    buckets: checkInteger(buckets, 'options.buckets', { least: 1, most: mostBuckets }),
    migrate: checkBoolean(migrate, 'options.migrate'),
    preparedStatements: checkBoolean(preparedStatements, 'options.preparedStatements'),
    sessionSettings: checkBoolean(sessionSettings, 'options.sessionSettings'),
    // The documented exception to "nothing but the command line reads the environment": connect() without a target means it.
    environment: given.environment ?? process.env,
  };
}

function checkSchema(value: unknown): string {
  if (typeof value !== 'string') throw new InvalidArgumentError('options.schema', `must be a string, not ${kindOf(value)}`);
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(value) || value.length > longestSchema || value.startsWith('pg_')) {
    throw new InvalidArgumentError(
      'options.schema',
      `must be at most ${longestSchema} letters, digits and underscores, not beginning with a digit or pg_`,
    );
  }
  return value;
}

function checkRetry(value: Partial<RetryOptions> | undefined): void {
  const retry = checkOptions(value, 'options.retry', ['retries', 'minDelayMs', 'maxDelayMs']);
  if (retry.retries !== undefined) checkInteger(retry.retries, 'options.retry.retries', { least: 0 });
  if (retry.minDelayMs !== undefined) checkDuration(retry.minDelayMs, 'options.retry.minDelayMs');
  if (retry.maxDelayMs !== undefined) checkDuration(retry.maxDelayMs, 'options.retry.maxDelayMs');
}

function checkObject(value: unknown, field: string): void {
  if (value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))) return;
  throw new InvalidArgumentError(field, `must be an object, not ${kindOf(value)}`);
}

function checkMethods(value: unknown, field: string, methods: readonly string[]): void {
  if (value === undefined) return;
  for (const method of methods) {
    const member: unknown = (value as Record<string, unknown> | null)?.[method];
    if (typeof member !== 'function') throw new InvalidArgumentError(field, `must have a method ${method}()`);
  }
}

function checkFunction(value: unknown, field: string): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new InvalidArgumentError(field, `must be a function, not ${kindOf(value)}`);
  }
}
