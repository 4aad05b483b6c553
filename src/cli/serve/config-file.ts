import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { InvalidArgumentError } from '../../errors/index.js';
import { checkOptions } from '../../options/index.js';
import { UsageError } from '../usage-error.js';
import { settingsTable, type Setting, type SettingName } from './settings-table.js';

type Values = Readonly<Record<string, unknown>>;

/** What a configuration file says. */
export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Partial<Record<SettingName, unknown>>>;
  /** All that is not about this program: the clients of CBOR-RPC ask for it. */
  readonly forClients: Values;
}

const table: Readonly<Record<string, Setting>> = settingsTable;
const commonNames = Object.keys(table).filter((name) => table[name]?.isCommon === true);
const serveNames = Object.keys(table).filter((name) => !commonNames.includes(name));
/** Keys of other commands, which may be as secret as the database. */
const otherNames = ['namespace', 'token'];

/**
 * Reads the YAML file that is named; else pg-coordinate.yaml in the directory; else that of the user's configuration; null if there is
 * none. What this command can be told is under the key `serve`. Raises UsageError.
 */
export async function readConfigFile(named: string | undefined, environment: NodeJS.ProcessEnv, directory: string): Promise<ConfigFile | null> {
  if (named !== undefined) {
    const path = resolve(directory, named);
    const text = await readIfThere(path);
    if (text === null) throw new UsageError(`there is no configuration file ${path}`);
    return configOf(text, path);
  }
  const { XDG_CONFIG_HOME = '', HOME = '' } = environment;
  const home = XDG_CONFIG_HOME || join(HOME || homedir(), '.config');
  for (const path of [join(directory, 'pg-coordinate.yaml'), join(home, 'pg-coordinate', 'config.yaml')]) {
    const text = await readIfThere(path);
    if (text !== null) return configOf(text, path);
  }
  return null;
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw new UsageError(`the configuration file ${path} cannot be read: ${message}`, { cause: error });
  }
}

function configOf(text: string, path: string): ConfigFile {
  const all = mapOf(parsed(text, path), `the configuration file ${path}`);
  const serve = mapOf(all.serve ?? {}, `the configuration file ${path}: serve`);
  try {
    checkOptions(serve, 'serve', serveNames);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(`the configuration file ${path}: ${error.details.field} ${error.details.problem}`, { cause: error });
  }
  const entries = Object.entries(all);
  return {
    path,
    values: { ...Object.fromEntries(entries.filter(([name]) => commonNames.includes(name))), ...serve },
    forClients: Object.fromEntries(entries.filter(([name]) => ![...commonNames, ...otherNames, 'serve'].includes(name))),
  };
}

function parsed(text: string, path: string): unknown {
  try {
    return parse(text) ?? {};
  } catch (error) {
    const [firstLine] = (error as Error).message.split('\n');
    throw new UsageError(`the configuration file ${path} is not YAML: ${firstLine}`, { cause: error });
  }
}

function mapOf(value: unknown, what: string): Values {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UsageError(`${what} must be a map`);
  return value as Values;
}
