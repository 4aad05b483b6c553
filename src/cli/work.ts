import type { Command } from 'commander';
import type { Namespace } from '../core/namespace/namespace.js';
import { createWorker, type WorkerLogger, type WorkerRuntime } from '../worker/index.js';
import { anyNumber, duration, listed, wholeNumber } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { hasWork, untilIdle } from './idle.js';
import { LiveLines } from './live-lines.js';
import { limitedHandlers } from './limited-handlers.js';
import { loadHandlers, type AnyHandlers } from './load-handlers.js';
import { openNamespace } from './open-namespace.js';
import { addNamespaceOptions, type CommonOptions } from './settings.js';
import { shownName } from './shown-name.js';
import { StatusArea } from './status-area.js';
import { isWorkProcess, superviseProcesses, untilParentIsGone } from './work-processes.js';
import { UsageError } from './usage-error.js';

export interface WorkOptions extends CommonOptions {
  readonly concurrency: number;
  readonly processes: number;
  readonly localQueue: number;
  readonly once: boolean;
  readonly units?: number;
  readonly lifetime?: number;
  readonly grace?: number;
  readonly runtime?: readonly string[];
  readonly memory?: number;
}

const help = `
MODULE exports handlers by work spec (or by the task of its definition): export const handlers = { thumbnails: async ({ name, data }) => {...} }.
TypeScript works with tsx in your project, or with Node 22.18 or later.
Ctrl-C: claims nothing any more, lets running handlers end (--grace), gives back what was not begun. A second one ends at once.`;

export function addWorkCommand(program: Command, io: CommandIo): void {
  const command = program.command('work').description('work on units with the handlers of a module, until Ctrl-C');
  addNamespaceOptions(command.argument('<module>', 'a module of handlers, such as ./handlers.ts'))
    .option('--concurrency <number>', 'how many handlers run at once in a process', wholeNumber(1, 10_000), 10)
    .option('--processes <number>', 'how many processes; one that crashes is replaced', wholeNumber(1, 1_000), 1)
    .option('--local-queue <number>', 'how many units a process claims ahead at most; for handlers that take milliseconds', wholeNumber(0, 100_000), 0)
    .option('--once', 'end when nothing is left that could be claimed', false)
    .option('--units <number>', 'end after so many units, or when nothing is left', wholeNumber(1))
    .option('--lifetime <time>', 'how long a lease holds: so long after a crash a unit runs elsewhere (default: 30s)', duration)
    .option('--grace <time>', 'how long running handlers may take to end (default: 30s)', duration)
    .option('--runtime <runtime>', 'only work specs of this runtime; may be given more than once', listed)
    .option('--memory <gigabytes>', 'only work specs that need no more', anyNumber)
    .addHelpText('after', help)
    .action((module: string, options: WorkOptions) => work(module, options, io));
}

async function work(module: string, options: WorkOptions, io: CommandIo): Promise<void> {
  if (options.processes > 1 && options.units !== undefined) throw new UsageError('--units counts those of one process: leave --processes out');
  const handlers = await loadHandlers(module, io.directory);
  const area = new StatusArea(io.stderr);
  const log = (line: string): Promise<void> => area.above(line.replaceAll(/\p{Cc}+/gu, ' '));
  const logger = loggerTo(log);
  const isMany = options.processes > 1;
  await using open = await openNamespace(options, io, { create: true, connections: isMany ? 1 : 6, logger });
  const { namespace, settings } = open;
  const run = (): Promise<void> =>
    isMany ? superviseProcesses({ module, options, settings, io, log }) : runWorker({ handlers, namespace, options, io, logger });
  if (isWorkProcess(io)) {
    await run();
    return;
  }
  const lines = new LiveLines(namespace, Object.keys(handlers), area);
  lines.start();
  try {
    await run();
  } finally {
    await lines.stop();
  }
  const result = await lines.result();
  for (const line of result) await io.stdout.line(line);
  if (result.length === 0) await io.stdout.line(`No work spec that ${shownName(module)} has a handler for has work units: it has one for ${Object.keys(handlers).map(shownName).join(', ')}.`);
}

/** What a worker is made of. */
interface Job {
  readonly handlers: AnyHandlers;
  readonly namespace: Namespace;
  readonly options: WorkOptions;
  readonly io: CommandIo;
  readonly logger: WorkerLogger;
}

/** Runs one worker after the other, until there is nothing left or it is told to end; without --once and --units that is one. */
async function runWorker(job: Job): Promise<void> {
  const { handlers, namespace, options, io } = job;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  io.signal.addEventListener('abort', end, { once: true });
  if (io.signal.aborted) end();
  const stopWatching = untilParentIsGone(io, end);
  const limited = options.units === undefined ? handlers : limitedHandlers(handlers, options.units, end);
  const names = Object.keys(handlers);
  try {
    do {
      await using worker = makeWorker({ ...job, handlers: limited });
      await worker.start();
      await Promise.race([worker.ended, untilEnding(worker, job, ending.signal)]);
      await worker.stop();
      await worker.ended;
      // A claim that was under way when the worker was told to stop has given back what nobody works on now.
    } while (!ending.signal.aborted && (await hasWork(namespace, names, requestOf(options))));
  } finally {
    end();
    stopWatching();
    io.signal.removeEventListener('abort', end);
  }
}

function makeWorker({ handlers, namespace, options, logger }: Job): WorkerRuntime {
  const { units, lifetime, grace } = options;
  return createWorker({
    coordinate: namespace.coordinate,
    namespace: namespace.name,
    handlers,
    concurrency: units === undefined ? options.concurrency : Math.min(units, options.concurrency),
    localQueue: units === undefined ? options.localQueue : 0,
    logger,
    ...(lifetime !== undefined && { lifetimeMs: lifetime }),
    ...(grace !== undefined && { graceMs: grace }),
    ...requestOf(options),
  });
}

/** Resolves when the worker is to stop. */
async function untilEnding(worker: WorkerRuntime, { namespace, handlers, options }: Job, signal: AbortSignal): Promise<void> {
  if (options.once || options.units !== undefined) {
    await untilIdle({ namespace, handlers: Object.keys(handlers), request: requestOf(options), load: () => worker.load, signal });
    return;
  }
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function requestOf({ runtime, memory }: WorkOptions): { readonly runtimes?: readonly string[]; readonly availableGb?: number } {
  return { ...(runtime !== undefined && { runtimes: runtime }), ...(memory !== undefined && { availableGb: memory }) };
}

/** Warnings and errors only. */
function loggerTo(log: (line: string) => Promise<void>): WorkerLogger {
  const line = (message: string): void => void log(message);
  return { debug: () => undefined, info: () => undefined, warn: line, error: line };
}
