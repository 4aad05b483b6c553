import type { DataDictionary } from '../codec/index.js';
import type { Attempt } from '../core/attempt/attempt.js';
import { RunTimeExceededError, type CoordinateError } from '../errors/index.js';
import type { HandlerContext } from './handler.js';
import type { Ending, TakenAway } from './outcome.js';
import type { RegisteredHandler } from './registered-handler.js';
import type { WorkerLogger } from './worker-logger.js';

/** The signal fires this share of the maximum run time before its end. */
const warningShare = 0.1;
/** But not longer before, in milliseconds. */
const longestWarningMs = 5_000;

/** One attempt that a handler has in its hands. */
export class RunningAttempt implements HandlerContext {
  readonly attempt: Attempt;
  readonly #settings: RunSettings;
  #controller: AbortController | undefined;
  #reason: CoordinateError | undefined;
  #log: WorkerLogger | undefined;

  constructor(attempt: Attempt, settings: RunSettings) {
    this.attempt = attempt;
    this.#settings = settings;
  }

  get data(): DataDictionary {
    return this.attempt.data;
  }

  get name(): string {
    return this.attempt.workUnit.name;
  }

  get key(): Uint8Array {
    return this.attempt.workUnit.key;
  }

  get number(): number {
    return this.attempt.number;
  }

  get workSpec(): string {
    return this.attempt.workUnit.workSpec.name;
  }

  /** Made when somebody asks for it: most handlers of short work never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  get log(): WorkerLogger {
    this.#log ??= this.#settings.logOf(this.attempt);
    return this.#log;
  }

  /** Why the signal has fired; undefined: it has not. */
  get reason(): CoordinateError | undefined {
    return this.#reason;
  }

  /** Bound, as handlers take it out of its object; made when one does. */
  get progress(): (data: DataDictionary) => Promise<void> {
    return (data) => this.attempt.renew(this.#settings.lifetimeMs, data);
  }

  /** Fires the signal, once. */
  abort(reason: CoordinateError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

export interface RunSettings {
  readonly lifetimeMs: number;
  readonly logOf: (attempt: Attempt) => WorkerLogger;
}

/** What one slot of the worker is busy with: an attempt, or a batch of them. */
export class RunningWork {
  readonly handler: RegisteredHandler;
  readonly attempts: readonly RunningAttempt[];
  readonly startedAt: number;
  #controller: AbortController | undefined;
  #reason: CoordinateError | undefined;
  readonly #extraMs: number;
  readonly #onEnd: (work: RunningWork, endings: readonly Ending[]) => void;
  #hasEnded = false;

  /** Times are those of performance.now(). `onEnd` is told once how each attempt has ended. */
  constructor(
    handler: RegisteredHandler,
    attempts: readonly RunningAttempt[],
    { now, extraMs, onEnd }: { now: number; extraMs: number; onEnd: (work: RunningWork, endings: readonly Ending[]) => void },
  ) {
    this.handler = handler;
    this.attempts = attempts;
    this.#onEnd = onEnd;
    this.startedAt = now;
    this.#extraMs = extraMs;
  }

  /** Fires with whatever concerns all attempts of a batch. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** Fires all signals, once. */
  abort(reason: CoordinateError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const attempt of this.attempts) attempt.abort(reason);
    this.#controller?.abort(reason);
  }

  /** Warns a handler whose time is nearly over, and takes the work from one whose time is. */
  checkTime(now: number): void {
    const { maxRunMs } = this.handler;
    const ranMs = now - this.startedAt;
    if (ranMs < maxRunMs - Math.min(maxRunMs * warningShare, longestWarningMs)) return;
    // A handler that has only just been warned is given until the next look.
    if (this.#reason !== undefined && ranMs >= maxRunMs + this.#extraMs) this.#takeAway('run-time-exceeded');
    this.abort(new RunTimeExceededError(maxRunMs));
  }

  giveBack(): void {
    this.#takeAway('given-back');
  }

  /** Says how each attempt has ended; only the first call counts. */
  end(endings: readonly Ending[]): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd(this, endings);
  }

  /** Takes the work from the handler, which may never end. */
  #takeAway(why: TakenAway): void {
    this.end(this.attempts.map(() => ({ kind: 'taken-away', why })));
  }
}
