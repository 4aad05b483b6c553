import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CommandIo } from './command-io.js';
import { linesOf } from './lines.js';
import type { Settings } from './settings.js';
import type { WorkOptions } from './work.js';

/** Marks the processes that another one has started, and watches. */
const mark = 'PG_COORDINATE_WORK_PROCESS';

/** How long to wait before a process that has crashed is replaced. */
const replacementMs = 1_000;

/** Whether this process is one of several. */
export function isWorkProcess({ environment }: CommandIo): boolean {
  return environment[mark] === '1';
}

/** In one of several processes: calls back when the one that has started it is gone, even if it was killed. Returns what stops that. */
export function untilParentIsGone(io: CommandIo, onGone: () => void): () => void {
  if (!isWorkProcess(io)) return () => undefined;
  process.once('disconnect', onGone);
  return () => {
    process.off('disconnect', onGone);
    if (process.connected) process.disconnect();
  };
}

interface Supervision {
  readonly module: string;
  readonly options: WorkOptions;
  readonly settings: Settings;
  readonly io: CommandIo;
  /** Is told the lines of the processes' standard error. */
  readonly log: (line: string) => Promise<void>;
}

/**
 * Runs as many processes of `work` as asked for, until all have ended by themselves (--once) or they were told to. One that crashes is replaced; one
 * that ends with an error of its own ends all, and this rejects.
 */
export async function superviseProcesses(supervision: Supervision): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, supervision.io.signal]);
  const runs = Array.from({ length: supervision.options.processes }, () =>
    keepRunning(supervision, signal).catch((error: unknown) => {
      ending.abort();
      throw error;
    }),
  );
  const results = await Promise.allSettled(runs);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function keepRunning(supervision: Supervision, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const child = start(supervision);
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    const logged = relay(child, supervision.log);
    const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    signal.removeEventListener('abort', stop);
    await logged;
    if (code === 0 || signal.aborted) return;
    if (code === 1 || code === 2) throw new Error(`a process ended with exit code ${code}, so all have ended`);
    await supervision.log(`a process ended by ${killedBy ?? `exit code ${code}`}; another one takes its place`);
    await pause(replacementMs, undefined, { signal }).catch(() => undefined);
  }
}

/** In a process group of its own: Ctrl-C goes to the one that has a terminal, which tells the others. */
function start({ module, options, settings, io }: Supervision): ChildProcess {
  const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'main.ts' : 'main.js', import.meta.url));
  return spawn(process.execPath, [...process.execArgv, program, 'work', module, ...argumentsOf(options)], {
    cwd: io.directory,
    env: { ...io.environment, ...environmentOf(settings), [mark]: '1' },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    detached: true,
  });
}

/** Not as arguments: everybody on the machine sees those, and there may be a password among them. */
function environmentOf({ database, namespace, token, schema, buckets }: Settings): Record<string, string> {
  return {
    ...(database !== undefined && { PG_COORDINATE_DATABASE: database }),
    ...(token !== undefined && { PG_COORDINATE_TOKEN: token }),
    PG_COORDINATE_NAMESPACE: namespace ?? '',
    PG_COORDINATE_SCHEMA: schema,
    PG_COORDINATE_BUCKETS: String(buckets),
  };
}

function argumentsOf(options: WorkOptions): string[] {
  const { concurrency, localQueue, once: isOnce, lifetime, grace, runtime = [], memory } = options;
  return [
    ...['--concurrency', String(concurrency), '--local-queue', String(localQueue)],
    ...(isOnce ? ['--once'] : []),
    ...(lifetime === undefined ? [] : ['--lifetime', `${lifetime}ms`]),
    ...(grace === undefined ? [] : ['--grace', `${grace}ms`]),
    ...runtime.flatMap((name) => ['--runtime', name]),
    ...(memory === undefined ? [] : ['--memory', String(memory)]),
  ];
}

async function relay({ stderr }: ChildProcess, log: (line: string) => Promise<void>): Promise<void> {
  if (stderr === null) return;
  for await (const line of linesOf(stderr)) await log(line.toString());
}
