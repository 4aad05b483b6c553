import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { silentLogger, type Logger } from '../../../src/database/index.js';
import { IsolatedRunner, type IsolatedHandler, type IsolatedJob, type IsolatedRunOptions } from '../../../src/worker/isolated/index.js';
import { beforeNextLook } from '../../database/until.js';

/** The handlers of the tests, in TypeScript. */
export const handlers = new URL('handlers.ts', import.meta.url);
/** No loader of vitest's reaches a thread or process. */
export const execArgv = ['--import', new URL('typescript.mjs', import.meta.url).href];

export const kinds = ['thread', 'process'] as const;

/** A runner that is stopped when the test has ended. */
export function runner(
  handler: Partial<IsolatedHandler> & Pick<IsolatedHandler, 'kind'>,
  { concurrency = 1, logger = silentLogger }: { concurrency?: number; logger?: Logger } = {},
): IsolatedRunner {
  const made = new IsolatedRunner({ module: handlers, execArgv, ...handler }, { concurrency, logger });
  onTestFinished(() => made.stop());
  return made;
}

export function job(data: IsolatedJob['data'] = {}): IsolatedJob {
  return { workSpec: 'spec', name: 'unit', key: Buffer.from('unit'), number: 12, data };
}

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** What the handler has told, and a way to wait for it. */
export class Told {
  readonly lines: Line[] = [];
  readonly #listeners = new Set<() => void>();

  readonly onLog: IsolatedRunOptions['onLog'] = (level, message, details) => {
    this.lines.push({ level, message, details });
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  };

  async until(message: string): Promise<Line> {
    for (;;) {
      const found = this.lines.find((line) => line.message === message);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }
}

/** With a grace that does not run out unless something is wrong: a host that is slow to hear of its signal is not to be killed for it. */
export function options(more: Partial<IsolatedRunOptions> = {}): IsolatedRunOptions {
  return {
    signal: new AbortController().signal,
    runMs: Number.POSITIVE_INFINITY,
    graceMs: 60_000,
    onProgress: async () => undefined,
    onLog: () => undefined,
    ...more,
  };
}

/** Resolves once there is no process of this number any more. */
export async function untilGone(pid: number): Promise<void> {
  while (isRunning(pid)) await beforeNextLook();
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

/** Ended, but whoever started it has not taken notice; an orphan's, in a container without an init, never will be. */
function isZombie(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.startsWith('Z');
  } catch {
    return false;
  }
}
