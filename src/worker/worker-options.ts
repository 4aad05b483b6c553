import { constants } from 'node:os';
import type { Coordinate } from '../core/coordinate.js';
import { InvalidArgumentError } from '../errors/index.js';
import { checkDuration, checkInteger, checkList, checkName, checkNumber, checkOptions, kindOf } from '../options/index.js';
import type { Handlers } from './handler.js';
import { checkHandlers, type RegisteredHandler } from './registered-handler.js';
import { harmless, silentWorkerLogger, type WorkerLogger } from './worker-logger.js';

/** What a worker works on, and how. */
export interface WorkerOptions<Jobs> {
  /** The connection; the worker does not close it. Its pool should hold four connections or more. */
  readonly coordinate: Coordinate;
  /** The name of the namespace. */
  readonly namespace: string;
  /** What to do, by the name of the work spec, or by the `task` of its definition. */
  readonly handlers: Handlers<Jobs>;
  /** How many handlers run at once. @default 10 */
  readonly concurrency?: number;
  /**
   * How many units at most to claim ahead of the handlers' needs. How many it is adapts: few if handlers take long, many if they take
   * less than a claim does. What was claimed ahead is given back when the worker stops. @default 0 (none)
   */
  readonly localQueue?: number;
  /** Only work specs of these runtimes; "" is those that name none. @default any */
  readonly runtimes?: readonly string[];
  /** Only work specs that need no more memory. @default any */
  readonly availableGb?: number;
  /** How long a lease holds, in milliseconds: so long after a crash a unit runs elsewhere. Renewed well before. @default 30000 */
  readonly lifetimeMs?: number;
  /**
   * How often to look for work although no notification has come, in milliseconds; varied at random. Only a net: added work wakes the
   * worker. @default 2000
   */
  readonly pollMs?: number;
  /** How long running handlers are let go on when the worker stops, in milliseconds; then their signals fire. @default 30000 */
  readonly graceMs?: number;
  /** How long a handler may take to end once its signal has fired, in milliseconds; then its unit is given back. @default 5000 */
  readonly abortGraceMs?: number;
  /** How often the worker's row is updated, in milliseconds. @default 15000 */
  readonly heartbeatMs?: number;
  /** The name of the worker's row. @default host, process id and a random part */
  readonly name?: string;
  /** The name of the row above it. @default host and process id */
  readonly parent?: string;
  /** Signals of the process upon which the worker stops; the same a second time ends the process at once. @default [] */
  readonly stopOn?: readonly NodeJS.Signals[];
  /** @default tells nobody */
  readonly logger?: WorkerLogger;
  /** Numbers in [0, 1), for jitter. @default Math.random */
  readonly random?: () => number;
}

/** Options with their defaults, and the handlers by name. */
export interface CheckedWorkerOptions extends Required<
  Omit<WorkerOptions<never>, 'handlers' | 'runtimes' | 'availableGb' | 'name' | 'parent'>
> {
  readonly handlers: ReadonlyMap<string, RegisteredHandler>;
  readonly runtimes: readonly string[] | undefined;
  readonly availableGb: number | undefined;
  readonly name: string | undefined;
  readonly parent: string | undefined;
}

const defaults = Object.freeze({
  concurrency: 10,
  localQueue: 0,
  lifetimeMs: 30_000,
  pollMs: 2_000,
  graceMs: 30_000,
  abortGraceMs: 5_000,
  heartbeatMs: 15_000,
  stopOn: [],
  logger: silentWorkerLogger,
  random: Math.random,
});

const known = [
  'coordinate', 'namespace', 'handlers', 'concurrency', 'localQueue', 'runtimes', 'availableGb', 'lifetimeMs', 'pollMs', 'graceMs',
  'abortGraceMs', 'heartbeatMs', 'name', 'parent', 'stopOn', 'logger', 'random',
] as const;

/** A worker's row counts for a quarter of an hour after each heartbeat. */
const mostHeartbeatMs = 600_000;

/** A shorter lease could not be renewed in time on a busy machine. */
const shortestLifetimeMs = 500;

/** Raises InvalidArgument, naming the field. */
export function checkWorkerOptions<Jobs>(options: WorkerOptions<Jobs>): CheckedWorkerOptions {
  const given = checkOptions(options, 'options', known);
  const all = { ...defaults, ...given };
  if (typeof all.coordinate?.namespace !== 'function') {
    throw new InvalidArgumentError('options.coordinate', `must be a coordinate, as connect() gives, not ${kindOf(all.coordinate)}`);
  }
  checkLogger(all.logger);
  if (typeof all.random !== 'function') throw new InvalidArgumentError('options.random', `must be a function, not ${kindOf(all.random)}`);
  const lifetimeMs = checkDuration(all.lifetimeMs, 'options.lifetimeMs');
  if (lifetimeMs < shortestLifetimeMs) {
    throw new InvalidArgumentError('options.lifetimeMs', `must be at least ${shortestLifetimeMs}, not ${lifetimeMs}`);
  }
  for (const field of ['graceMs', 'abortGraceMs'] as const) checkDuration(all[field], `options.${field}`);
  return {
    ...all,
    namespace: checkName(all.namespace, 'options.namespace'),
    handlers: checkHandlers(all.handlers, 'options.handlers'),
    concurrency: checkInteger(all.concurrency, 'options.concurrency', { least: 1, most: 10_000 }),
    localQueue: checkInteger(all.localQueue, 'options.localQueue', { least: 0, most: 100_000 }),
    runtimes: all.runtimes === undefined ? undefined : checkList(all.runtimes, 'options.runtimes', (name, field) => checkName(name, field)),
    availableGb: all.availableGb === undefined ? undefined : checkNumber(all.availableGb, 'options.availableGb', { least: 0 }),
    lifetimeMs,
    pollMs: checkPeriod(all.pollMs, 'options.pollMs'),
    heartbeatMs: checkPeriod(all.heartbeatMs, 'options.heartbeatMs', mostHeartbeatMs),
    name: all.name === undefined ? undefined : checkName(all.name, 'options.name'),
    parent: all.parent === undefined ? undefined : checkName(all.parent, 'options.parent'),
    stopOn: [...new Set(checkList(all.stopOn, 'options.stopOn', checkSignal))],
    logger: harmless(all.logger),
  };
}

/** Something done again and again: not all the time, and not longer than a timer can wait. */
function checkPeriod(value: unknown, field: string, most = 2 ** 31 - 1): number {
  return checkInteger(value, field, { least: 10, most });
}

function checkSignal(value: unknown, field: string): NodeJS.Signals {
  const canBeCaught = typeof value === 'string' && value in constants.signals && value !== 'SIGKILL' && value !== 'SIGSTOP';
  if (!canBeCaught) throw new InvalidArgumentError(field, "must be a signal that can be caught, such as 'SIGTERM'");
  return value as NodeJS.Signals;
}

function checkLogger(logger: unknown): void {
  for (const method of ['debug', 'info', 'warn', 'error']) {
    if (typeof (logger as Record<string, unknown> | null)?.[method] !== 'function') {
      throw new InvalidArgumentError('options.logger', `must have a method ${method}(); console does`);
    }
  }
}
