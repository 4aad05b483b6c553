import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { InvalidArgumentError } from '../../errors/index.js';
import { checkList, checkOptions, kindOf } from '../../options/index.js';

/**
 * A handler that runs in threads or processes of its own, for work that computes for long or may have to be killed: neither blocks the
 * worker, and both are killed at the maximum run time.
 *
 * The module's function is called with the same context as a handler in the worker's process, except for `attempt`: `data`, `name`, `key`,
 * `number`, `workSpec`, `signal`, `progress()`, `log`. It answers the same: data, nothing, `retry()`, `fail()`.
 *
 * A process keeps a crash, or a module's globals, away from the worker. It is no sandbox: it runs as the same user of the system, with
 * the same files and network. Code that may be malicious needs more, such as a container.
 *
 * @example
 * { module: new URL('./transcode.js', import.meta.url), kind: 'process', maxRunMs: 60_000 }
 */
export interface IsolatedHandler {
  /** Where the function is: a URL such as `new URL('./transcode.js', import.meta.url)`, or an absolute path. */
  readonly module: string | URL;
  /** Under what name the module exports it. @default 'default' */
  readonly exportName?: string;
  /** What it runs in. A thread starts sooner and takes less memory; a process can end in any way without harm to the worker. */
  readonly kind: 'thread' | 'process';
  /** Flags for Node, such as `['--import', 'tsx']`. @default process.execArgv */
  readonly execArgv?: readonly string[];
  /** Environment variables. @default the worker's, without DATABASE_URL and those that begin with PG */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Limits of memory, in MiB; of a process only maxOldGenerationSizeMb counts. @default Node's own */
  readonly resourceLimits?: ResourceLimits;
}

/** With everything a host needs to know. */
export interface CheckedIsolatedHandler extends Omit<IsolatedHandler, 'module'> {
  /** A URL. */
  readonly module: string;
  readonly exportName: string;
}

/** Throws InvalidArgument, naming the field. */
export function checkIsolatedHandler(handler: IsolatedHandler, field: string): CheckedIsolatedHandler {
  const given = checkOptions(handler, field, ['module', 'exportName', 'kind', 'execArgv', 'env', 'resourceLimits']);
  const { exportName = 'default', kind, execArgv, env, resourceLimits } = given;
  if (typeof exportName !== 'string') throw new InvalidArgumentError(`${field}.exportName`, `must be a string, not ${kindOf(exportName)}`);
  if (kind !== 'thread' && kind !== 'process') throw new InvalidArgumentError(`${field}.kind`, "must be 'thread' or 'process'");
  if (execArgv !== undefined) checkList(execArgv, `${field}.execArgv`, checkString);
  checkObject(env, `${field}.env`);
  checkObject(resourceLimits, `${field}.resourceLimits`);
  return { ...given, module: moduleUrl(given.module, `${field}.module`), exportName };
}

function moduleUrl(module: unknown, field: string): string {
  if (module instanceof URL) return module.href;
  if (typeof module !== 'string') throw new InvalidArgumentError(field, `must be a URL or an absolute path, not ${kindOf(module)}`);
  if (isAbsolute(module)) return pathToFileURL(module).href;
  // "./x.js" would be looked for beside this file, and a package among the packages of this one.
  if (!URL.canParse(module)) {
    throw new InvalidArgumentError(field, `must be a URL or an absolute path, such as new URL('./x.js', import.meta.url), not "${module}"`);
  }
  return module;
}

function checkString(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw new InvalidArgumentError(field, `must be a string, not ${kindOf(value)}`);
}

function checkObject(value: unknown, field: string): void {
  if (value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))) return;
  throw new InvalidArgumentError(field, `must be an object, not ${kindOf(value)}`);
}
