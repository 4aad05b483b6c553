import { decodeData, encodeData, type DataDictionary } from '../../codec/index.js';
import { HandlerCrashedError, InvalidArgumentError, RunTimeExceededError, ShuttingDownError } from '../../errors/index.js';
import { decodeAnswer } from './answer.js';
import { decodeThrown, encodeThrown } from './carried-error.js';
import type { HostChannel } from './host-channel.js';
import { logLevels, type FromHost, type LogLevel } from './host-messages.js';
import type { CheckedIsolatedHandler } from './isolated-handler.js';
import type { IsolatedJob } from './isolated-job.js';
import { ProcessChannel } from './process-channel.js';
import { runAfter } from './run-after.js';
import { ThreadChannel } from './thread-channel.js';

/** What a host is told about a run, with what is left of its time. */
export interface HostRunOptions {
  readonly signal: AbortSignal;
  readonly runMs: number;
  /** How much of `runMs` has passed. */
  readonly passedMs: number;
  readonly graceMs: number;
  readonly onProgress: (data: DataDictionary) => Promise<void>;
  readonly onLog: (level: LogLevel, message: string, details?: DataDictionary) => void;
}

interface CurrentRun {
  readonly run: number;
  readonly options: HostRunOptions;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** How long a host is waited for once it was killed, or was asked to end before it is killed; in milliseconds. */
const killPatienceMs = 5_000;
const terminatePatienceMs = 1_000;

/** A thread or process for one handler, as the worker sees it. It runs one job at a time. */
export class RunningHost {
  readonly #kind: 'thread' | 'process';
  readonly #channel: HostChannel;
  #current: CurrentRun | undefined;
  #runs = 0;
  #hasEnded = false;
  /** Why it is being killed: what its run rejects with. */
  #killedFor: { readonly error: unknown } | undefined;

  constructor(handler: CheckedIsolatedHandler) {
    this.#kind = handler.kind;
    this.#channel = handler.kind === 'thread' ? new ThreadChannel(handler) : new ProcessChannel(handler);
    this.#channel.onMessage = (message) => this.#take(message);
    void this.#channel.ended.then(({ problem, cause }) => {
      this.#hasEnded = true;
      this.#current?.reject(this.#endError(problem, cause));
    });
    this.#channel.unref();
    this.#channel.send({ type: 'load', module: handler.module, exportName: handler.exportName });
  }

  /** Whether it can be given another job. */
  get isUsable(): boolean {
    return !this.#hasEnded && this.#killedFor === undefined;
  }

  /** Runs the handler; resolves to its answer. Afterwards the host can be used again if `isUsable`. */
  async run(job: IsolatedJob, options: HostRunOptions): Promise<unknown> {
    const { workSpec, name, key, number, data } = job;
    const { signal, runMs, passedMs, graceMs } = options;
    const run = ++this.#runs;
    const bytes = encodeData(data);
    let stopGrace: (() => void) | undefined;
    const onAbort = (): void => {
      this.#channel.send({ type: 'abort', run, reason: encodeThrown(signal.reason) });
      stopGrace = runAfter(graceMs, () => void this.#killFor(signal.reason));
    };
    const stopDeadline = runAfter(runMs - passedMs, () => void this.#killFor(new RunTimeExceededError(runMs)));
    signal.addEventListener('abort', onAbort, { once: true });
    this.#channel.ref();
    try {
      return await new Promise((resolve, reject) => {
        this.#current = { run, options, resolve, reject };
        this.#channel.send({ type: 'run', run, workSpec, name, key, number, data: bytes });
      });
    } finally {
      this.#current = undefined;
      this.#channel.unref();
      signal.removeEventListener('abort', onAbort);
      stopDeadline();
      stopGrace?.();
    }
  }

  /** Ends it: asks it to, then kills it. A job under way rejects with ShuttingDown. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return;
    this.#killedFor ??= { error: new ShuttingDownError() };
    this.#channel.ref();
    this.#channel.terminate();
    const stopTerminating = runAfter(terminatePatienceMs, () => this.#channel.kill());
    await this.#untilEnded();
    stopTerminating();
    this.#current?.reject(this.#killedFor.error);
  }

  async #killFor(error: unknown): Promise<void> {
    this.#killedFor ??= { error };
    this.#channel.kill();
    await this.#untilEnded();
    // Killed, but in a call of the system that cannot be interrupted: nobody can wait for that.
    this.#current?.reject(this.#killedFor.error);
  }

  async #untilEnded(): Promise<void> {
    let stopWaiting: (() => void) | undefined;
    const enough = new Promise<void>((resolve) => (stopWaiting = runAfter(killPatienceMs, resolve)));
    await Promise.race([this.#channel.ended, enough]);
    stopWaiting?.();
  }

  #endError(problem: string, cause: unknown): unknown {
    if (this.#killedFor !== undefined) return this.#killedFor.error;
    const { signal } = this.#current?.options ?? {};
    // A handler may well end its process because it was told to end.
    if (signal?.aborted === true) return signal.reason;
    return new HandlerCrashedError(this.#kind, problem, cause === undefined ? {} : { cause });
  }

  #take(message: unknown): void {
    const current = this.#current;
    // What comes after the answer, such as a line of the log, is about a run that nobody knows any more.
    if (current === undefined || this.#killedFor !== undefined) return;
    try {
      const told = message as FromHost;
      if (told.run === current.run) this.#takeFrom(told, current);
    } catch (error) {
      // A process could send anything.
      const problem = `it sent something that is not understood: ${error instanceof Error ? error.message : String(error)}`;
      void this.#killFor(new HandlerCrashedError(this.#kind, problem, { cause: error }));
    }
  }

  #takeFrom(told: FromHost, { run, options, resolve, reject }: CurrentRun): void {
    switch (told.type) {
      case 'answered':
        resolve(decodeAnswer(told.answer));
        return;
      case 'threw':
        reject(decodeThrown(told.error));
        return;
      case 'unloadable':
        void this.#killFor(new InvalidArgumentError('handler.module', told.problem));
        return;
      case 'progress':
        void this.#progress(told.call, decodeData(told.data), run, options);
        return;
      case 'log':
        if (!logLevels.includes(told.level) || typeof told.message !== 'string') throw new TypeError('a line of the log that is none');
        options.onLog(told.level, told.message, ...(told.details === null ? [] : [decodeData(told.details)]));
        return;
      default:
        throw new TypeError('a message of an unknown type');
    }
  }

  async #progress(call: number, data: DataDictionary, run: number, { onProgress }: HostRunOptions): Promise<void> {
    let error: Uint8Array | null = null;
    try {
      await onProgress(data);
    } catch (thrown) {
      error = encodeThrown(thrown);
    }
    if (this.isUsable) this.#channel.send({ type: 'progressed', run, call, error });
  }
}
