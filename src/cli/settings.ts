import type { Command } from 'commander';
import { describeTarget, parseTarget } from '../database/target/index.js';
import { wholeNumber } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { readConfigFile, type ConfigFile } from './config-file.js';
import { shownName } from './shown-name.js';
import { UsageError } from './usage-error.js';

/** The options that every command has, as commander gives them. */
export interface CommonOptions {
  readonly database?: string;
  readonly schema?: string;
  readonly buckets?: number;
  readonly config?: string;
  readonly verbose?: boolean;
  readonly namespace?: string;
  readonly token?: string;
}

/** Which queue is meant. */
export interface Settings {
  /** Left out: DATABASE_URL, or PGHOST and its like. */
  readonly database: string | undefined;
  /** Left out: none was named. */
  readonly namespace: string | undefined;
  readonly token: string | undefined;
  readonly schema: string;
  readonly buckets: number;
}

/** A value and who has said so, for `--verbose`. */
interface Origin<Value> {
  readonly value: Value;
  readonly from: string;
}

/** The options that say which queue is meant. Those that were not given come from the environment or a file: see `readSettings`. */
export function addDatabaseOptions(command: Command): Command {
  return command
    .option('--database <url>', 'such as postgres://localhost/app (default: DATABASE_URL, or PGHOST and its like)')
    .option('--schema <name>', "the schema of the queue's catalog (default: coordinate)")
    .option('--buckets <number>', 'over how many buckets namespaces are spread (default: 1)', wholeNumber(1, 999_999))
    .option('--config <file>', 'a YAML file with any of database, namespace, token, schema, buckets')
    .option('--verbose', 'say where the settings come from');
}

/** The same, for what works inside a namespace. */
export function addNamespaceOptions(command: Command): Command {
  return addDatabaseOptions(command)
    .option('--namespace <name>', 'the namespace (default: the one with the empty name)')
    .option('--token <token>', 'what the server at an http:// address asks for');
}

/** What the flags say; else the environment; else the configuration file; else the default. With --verbose says which it was. */
export async function readSettings(options: CommonOptions, io: CommandIo): Promise<Settings> {
  const file = await readConfigFile(options.config, io);
  const database = textSetting('database', options.database, file, io, 'DATABASE_URL');
  const namespace = textSetting('namespace', options.namespace, file, io);
  const token = textSetting('token', options.token, file, io);
  const schema = textSetting('schema', options.schema, file, io);
  const buckets = numberSetting('buckets', options.buckets, file, io);
  if (options.verbose === true) {
    await io.stderr.line(`database: ${shownDatabase(database, io)}`);
    await io.stderr.line(`namespace: ${shown(namespace, shownName)}`);
    await io.stderr.line(`token: ${shown(token, () => 'hidden')}`);
    await io.stderr.line(`schema: ${shown(schema, String, 'coordinate')}`);
    await io.stderr.line(`buckets: ${shown(buckets, String, '1')}`);
  }
  return {
    database: database?.value,
    namespace: namespace?.value,
    token: token?.value,
    schema: schema?.value ?? 'coordinate',
    buckets: buckets?.value ?? 1,
  };
}

type TextKey = 'database' | 'namespace' | 'token' | 'schema';

function textSetting(
  key: TextKey,
  flag: string | undefined,
  file: ConfigFile | null,
  { environment }: CommandIo,
  ...otherNames: string[]
): Origin<string> | undefined {
  if (flag !== undefined) return { value: flag, from: `the flag --${key}` };
  for (const name of [variableOf(key), ...otherNames]) {
    const value = environment[name];
    // The name of a namespace may be empty; any other empty variable is one that is not set.
    if (value !== undefined && (value !== '' || key === 'namespace')) return { value, from: `the environment's ${name}` };
  }
  const value = file?.values[key];
  return value === undefined ? undefined : { value: String(value), from: file?.path ?? '' };
}

function numberSetting(key: 'buckets', flag: number | undefined, file: ConfigFile | null, { environment }: CommandIo): Origin<number> | undefined {
  if (flag !== undefined) return { value: flag, from: `the flag --${key}` };
  const name = variableOf(key);
  const text = environment[name] ?? '';
  if (text !== '') {
    if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`the environment's ${name} must be a whole number from 1 on`);
    return { value: Number(text), from: `the environment's ${name}` };
  }
  const value = file?.values[key];
  return value === undefined ? undefined : { value: Number(value), from: file?.path ?? '' };
}

function variableOf(key: string): string {
  return `PG_COORDINATE_${key.toUpperCase()}`;
}

function shown<Value>(setting: Origin<Value> | undefined, text: (value: Value) => string, otherwise = 'none'): string {
  return setting === undefined ? `${otherwise} (by default)` : `${text(setting.value)} (${setting.from})`;
}

/** Without its password. */
function shownDatabase(database: Origin<string> | undefined, { environment }: CommandIo): string {
  if (database !== undefined && /^https?:/i.test(database.value)) return `${withoutPassword(database.value)} (${database.from})`;
  const config = parseTarget(database?.value, environment);
  if (config === null) return 'none';
  return `${describeTarget(config)} (${database?.from ?? "the environment's PGHOST and its like"})`;
}

function withoutPassword(address: string): string {
  if (!URL.canParse(address)) return 'an address that cannot be read';
  const url = new URL(address);
  return `${url.protocol}//${url.host}${url.pathname}`;
}
