import type { DataDictionary } from '../../codec/index.js';
import type { Logger } from '../../database/index.js';
import { RunTimeExceededError, ShuttingDownError } from '../../errors/index.js';
import type { LogLevel } from './host-messages.js';
import { checkIsolatedHandler, type CheckedIsolatedHandler, type IsolatedHandler } from './isolated-handler.js';
import type { IsolatedJob } from './isolated-job.js';
import { runAfter } from './run-after.js';
import { RunningHost } from './running-host.js';

/** How a job is run. */
export interface IsolatedRunOptions {
  /** Fires in the host as well, with a reason of the same class and code. */
  readonly signal: AbortSignal;
  /** The longest the job may take from now on, in milliseconds; Infinity: any time. Then its host is killed. */
  readonly runMs: number;
  /** How long after the signal the host is killed, in milliseconds. @default 5000 */
  readonly graceMs?: number;
  /** The handler calls `progress()`; what this rejects with is thrown there. */
  readonly onProgress: (data: DataDictionary) => Promise<void>;
  /** The handler writes to its log. */
  readonly onLog: (level: LogLevel, message: string, details?: DataDictionary) => void;
}

const defaultGraceMs = 5_000;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs one isolated handler in at most so many hosts (threads or processes), which are started when needed, used again and again, and
 * replaced when they crash. Hosts without a job do not keep the process alive.
 */
export class IsolatedRunner {
  readonly #handler: CheckedIsolatedHandler;
  readonly #logger: Logger;
  readonly #hosts = new Set<RunningHost>();
  readonly #idle: RunningHost[] = [];
  readonly #waiting = new Set<Waiting>();
  #free: number;
  #stopping: Promise<void> | undefined;

  /** Throws InvalidArgument if the handler is not one; whether its module can be loaded is seen at the first run. */
  constructor(handler: IsolatedHandler, { concurrency, logger }: { readonly concurrency: number; readonly logger: Logger }) {
    this.#handler = checkIsolatedHandler(handler, 'handler');
    this.#logger = logger;
    this.#free = concurrency;
  }

  /**
   * Runs the handler on a job; resolves to what it answers: data, undefined, or a verdict. Rejects with an error like the one it throws,
   * with RunTimeExceeded, with the reason of the signal if it had to be killed for it, with HandlerCrashed if its host ended
   * before it had answered, with InvalidArgument if there is no such handler, and with ShuttingDown once the runner was stopped.
   */
  async run(job: IsolatedJob, options: IsolatedRunOptions): Promise<unknown> {
    const { signal, runMs, graceMs = defaultGraceMs, onProgress, onLog } = options;
    const startedAt = performance.now();
    signal.throwIfAborted();
    await this.#takeSlot(signal, runMs);
    try {
      // It may have waited.
      if (this.#stopping !== undefined) throw new ShuttingDownError();
      signal.throwIfAborted();
      const host = this.#takeHost();
      try {
        return await host.run(job, { signal, runMs, passedMs: performance.now() - startedAt, graceMs, onProgress, onLog: this.#guarded(onLog) });
      } finally {
        this.#giveBack(host);
      }
    } finally {
      this.#giveSlot();
    }
  }

  /** Ends all hosts; what runs in them rejects with ShuttingDown. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    for (const { reject } of this.#waiting) reject(new ShuttingDownError());
    this.#waiting.clear();
    await Promise.all([...this.#hosts].map((host) => host.stop()));
  }

  async #takeSlot(signal: AbortSignal, runMs: number): Promise<void> {
    if (this.#stopping !== undefined) throw new ShuttingDownError();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    let giveUp: (error: Error) => void = () => undefined;
    const onAbort = (): void => giveUp(signal.reason as Error);
    const stopDeadline = runAfter(runMs, () => giveUp(new RunTimeExceededError(runMs)));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        const waiting = { resolve, reject };
        this.#waiting.add(waiting);
        giveUp = (error) => {
          // At once: it must not be given a slot any more.
          if (this.#waiting.delete(waiting)) reject(error);
        };
      });
    } finally {
      stopDeadline();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** To the one that has waited longest. */
  #giveSlot(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#waiting.delete(next);
    next.resolve();
  }

  #takeHost(): RunningHost {
    let host: RunningHost | undefined;
    while ((host = this.#idle.pop()) !== undefined) {
      if (host.isUsable) return host;
      this.#hosts.delete(host);
    }
    host = new RunningHost(this.#handler);
    this.#hosts.add(host);
    return host;
  }

  #giveBack(host: RunningHost): void {
    if (host.isUsable) this.#idle.push(host);
    else this.#hosts.delete(host);
  }

  /** A logger that throws is no reason to kill a handler. */
  #guarded(onLog: IsolatedRunOptions['onLog']): IsolatedRunOptions['onLog'] {
    return (...line) => {
      try {
        onLog(...line);
      } catch (error) {
        this.#logger.error(`onLog() threw: ${error instanceof Error ? error.message : String(error)}`);
      }
    };
  }
}
