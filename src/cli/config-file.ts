import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { InvalidArgumentError } from '../errors/index.js';
import { checkOptions } from '../options/index.js';
import type { CommandIo } from './command-io.js';
import { UsageError } from './usage-error.js';

/** What a configuration file may say. */
export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Partial<Record<ConfigKey, string | number>>>;
}

type ConfigKey = 'database' | 'namespace' | 'token' | 'schema' | 'buckets';

const known: readonly ConfigKey[] = ['database', 'namespace', 'token', 'schema', 'buckets'];

/** The name looked for where the command was started. */
const localName = 'pg-coordinate.yaml';

/**
 * Reads the YAML file named by --config or PG_COORDINATE_CONFIG; else pg-coordinate.yaml here; else
 * ~/.config/pg-coordinate/config.yaml; null if there is none.
 */
export async function readConfigFile(named: string | undefined, io: CommandIo): Promise<ConfigFile | null> {
  const { environment, directory } = io;
  const given = named ?? setIn(environment.PG_COORDINATE_CONFIG);
  if (given !== undefined) {
    const path = resolve(directory, given);
    const text = await readIfThere(path);
    if (text === null) throw new UsageError(`there is no configuration file ${path}`);
    return { path, values: await valuesOf(text, path) };
  }
  const home = setIn(environment.XDG_CONFIG_HOME) ?? join(setIn(environment.HOME) ?? homedir(), '.config');
  for (const path of [join(directory, localName), join(home, 'pg-coordinate', 'config.yaml')]) {
    const text = await readIfThere(path);
    if (text !== null) return { path, values: await valuesOf(text, path) };
  }
  return null;
}

/** An empty variable is one that is not set. */
function setIn(value: string | undefined): string | undefined {
  const text = value?.trim();
  return text === '' ? undefined : text;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new UsageError(`the configuration file ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function valuesOf(text: string, path: string): Promise<ConfigFile['values']> {
  // Most commands have no file to read.
  const { parse } = await import('yaml');
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (error) {
    const [firstLine] = (error as Error).message.split('\n');
    throw new UsageError(`the configuration file ${path} is not YAML: ${firstLine}`, { cause: error });
  }
  try {
    const values = checkOptions(withoutSections(parsed ?? {}) as Record<ConfigKey, unknown>, 'it', known);
    for (const [key, value] of Object.entries(values)) checkValue(key as ConfigKey, value);
    return values as ConfigFile['values'];
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    const field = String(error.details.field).replace(/^it\./, '');
    throw new UsageError(`the configuration file ${path}: ${field} ${error.details.problem}`, { cause: error });
  }
}

/** Without what is for `serve` and for the clients that it hands the file to: keys that have keys or a list of their own. */
function withoutSections(parsed: unknown): unknown {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return parsed;
  return Object.fromEntries(
    Object.entries(parsed).filter(([key, value]) => (known as readonly string[]).includes(key) || typeof value !== 'object' || value === null),
  );
}

function checkValue(key: ConfigKey, value: unknown): void {
  const fits = key === 'buckets' ? Number.isInteger(value) && Number(value) >= 1 : typeof value === 'string';
  if (!fits) throw new InvalidArgumentError(key, key === 'buckets' ? 'must be a whole number from 1 on' : 'must be text');
}
