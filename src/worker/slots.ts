import type { Attempt } from '../core/attempt/attempt.js';
import { RunTimeExceededError, ShuttingDownError, type CoordinateError } from '../errors/index.js';
import type { BatchAnswer } from './handler.js';
import type { IsolatedRunners } from './isolated-runners.js';
import type { LeaseKeeper } from './lease/index.js';
import { outcomeOf, type Ending, type Outcome } from './outcome.js';
import type { RegisteredHandler } from './registered-handler.js';
import type { Reporter } from './reporter.js';
import { RunningAttempt, RunningWork, type RunSettings } from './running-work.js';
import type { WorkerLogger } from './worker-logger.js';

export interface SlotsOptions extends RunSettings {
  readonly keeper: LeaseKeeper;
  readonly reporter: Reporter;
  readonly isolated: IsolatedRunners;
  readonly logger: WorkerLogger;
  readonly abortGraceMs: number;
  /** Told when slots have become free: what was in them, all of which is on its way to be reported; the list is valid only during the call. */
  readonly onFree: (ended: readonly RunningWork[]) => void;
}

/** How often maximum run times are looked at, in milliseconds. */
const sweepMs = 100;

/** A thread or process is killed at its maximum run time by whoever runs it; only if that fails is the work taken away here. */
const killingMs = 10_000;

/** There are always as many endings as attempts. */
const unanswered: Ending = { kind: 'threw', error: new Error('the handler has not answered') };

const resolved = Promise.resolve();

/** What most handlers answer; made once. */
const answeredNothing: readonly Ending[] = [{ kind: 'answered', answer: undefined }];

/**
 * Work and how it has ended, in two lists that are kept and emptied. V8 has compiled code for arrays of their elements kind, and deoptimizes it when it meets
 * another: a new array has another, and one that map() has made.
 */
class Answered {
  readonly works: RunningWork[] = [];
  readonly endings: (readonly Ending[])[] = [];

  empty(): void {
    this.works.length = 0;
    this.endings.length = 0;
  }
}

/** The handlers that are running, and the reports on their way. */
export class Slots {
  readonly #options: SlotsOptions;
  /** By the numbers of their attempts. */
  readonly #running = new Map<number, RunningWork>();
  #busy = 0;
  /** Work whose handler has answered at once: it ends in a moment, all of it together, as a microtask for each would cost more than the rest. */
  #answered = new Answered();
  /** What was in it the last time, empty. */
  #answeredBefore = new Answered();
  #unreported = 0;
  #sweep: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;
  #allReported: (() => void) | undefined;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  /** How many slots are busy. */
  get busy(): number {
    return this.#busy;
  }

  /** How many attempts have been worked on but not reported yet. */
  get unreported(): number {
    return this.#unreported;
  }

  /** Has a handler work on units: one, or for a batch handler many. Their leases are held already. */
  start(handler: RegisteredHandler, units: readonly { readonly attempt: Attempt }[]): void {
    const running = units.map(({ attempt }) => new RunningAttempt(attempt, this.#options));
    const extraMs = handler.work.kind === 'isolated' ? killingMs : 0;
    const work = new RunningWork(handler, running, { now: performance.now(), extraMs, onEnd: this.#onEnd });
    this.#busy++;
    this.#run(work);
  }

  /** Says that attempts have been reported. */
  reported(all: readonly RunningAttempt[]): void {
    const { keeper } = this.#options;
    for (const { attempt } of all) keeper.release(attempt);
    this.#unreported -= all.length;
    if (this.#unreported === 0) this.#allReported?.();
  }

  /** Tells the handler of an attempt that its work is in vain. */
  abort(number: number, reason: CoordinateError): void {
    const work = this.#running.get(number);
    if (work === undefined) return;
    work.attempts.find((attempt) => attempt.number === number)?.abort(reason);
    if (work.attempts.every((attempt) => attempt.reason !== undefined)) work.abort(reason);
  }

  /** Tells all handlers to end. */
  shutDown(): void {
    for (const work of this.#works()) work.abort(new ShuttingDownError());
  }

  /** Gives back what handlers still have; they are not waited for any longer. */
  giveBack(): void {
    for (const work of this.#works()) work.giveBack();
  }

  /** Resolves when all slots are free. */
  async untilIdle(): Promise<void> {
    while (this.#busy > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /** Resolves when everything has been reported. */
  async untilReported(): Promise<void> {
    while (this.#unreported > 0) await new Promise<void>((resolve) => (this.#allReported = resolve));
  }

  /** Has the handler begin. A promise is made for nothing that needs none: most of what short work costs is this. */
  #run(work: RunningWork): void {
    let answers: readonly Ending[] | PromiseLike<readonly Ending[]>;
    try {
      answers = this.#begin(work);
    } catch (error) {
      answers = threw(work, error);
    }
    if (Array.isArray(answers)) {
      this.#endSoon(work, answers as readonly Ending[]);
      return;
    }
    // Nothing can happen to work that ends in a moment: only what goes on has to be found.
    for (const { number } of work.attempts) this.#running.set(number, work);
    this.#sweep ??= setInterval(() => this.#checkTimes(), sweepMs);
    void (answers as PromiseLike<readonly Ending[]>).then(
      (endings) => work.end(endings),
      (error: unknown) => work.end(threw(work, error)),
    );
  }

  /** Not at once: who starts it is not to hear of its end before the start is over. */
  #endSoon(work: RunningWork, endings: readonly Ending[]): void {
    // Not queueMicrotask(), for which Node makes a resource each time, to run it in.
    if (this.#answered.works.length === 0) void resolved.then(this.#endAnswered);
    this.#answered.works.push(work);
    this.#answered.endings.push(endings);
  }

  /**
   * What ends makes room for other work, which may have ended by then, too: its turn comes with the next microtask. Room is made once for all, not for each
   * as it ends: otherwise what runs for every unit would be one long chain of calls, which V8 compiles over again for each of its links. Nobody else can end
   * it, as it is in no list of what is running.
   */
  readonly #endAnswered = (): void => {
    const answered = this.#answered;
    this.#answered = this.#answeredBefore;
    try {
      let index = 0;
      for (const work of answered.works) this.#report(work, answered.endings[index++] ?? []);
      this.#free(answered.works);
    } finally {
      answered.empty();
      this.#answeredBefore = answered;
    }
  };

  /** Each once, however many attempts it is of. */
  #works(): ReadonlySet<RunningWork> {
    return new Set(this.#running.values());
  }

  /** How each attempt has ended, now or later. */
  #begin(work: RunningWork): readonly Ending[] | PromiseLike<readonly Ending[]> {
    const { handler, attempts } = work;
    const [first] = attempts;
    if (first === undefined) return [];
    switch (handler.work.kind) {
      case 'single': {
        const answer: unknown = handler.work.run(first);
        return isThenable(answer) ? Promise.resolve(answer).then(answered) : answered(answer);
      }
      case 'isolated':
        return this.#options.isolated.run(handler, first, this.#options.abortGraceMs).then(answered);
      case 'batch':
        return Promise.resolve(handler.work.runBatch(attempts, work.signal)).then((answers: unknown) => endingsOfBatch(answers, attempts.length));
    }
  }

  readonly #onEnd = (work: RunningWork, endings: readonly Ending[]): void => {
    for (const { number } of work.attempts) this.#running.delete(number);
    this.#report(work, endings);
    this.#free([work]);
  };

  #report({ attempts, handler }: RunningWork, endings: readonly Ending[]): void {
    const { reporter } = this.#options;
    let index = 0;
    for (const running of attempts) {
      const ending = endings[index++] ?? unanswered;
      if (ending.kind === 'taken-away') {
        // The handler goes on: it has to learn that nobody waits for it.
        running.abort(ending.why === 'given-back' ? new ShuttingDownError() : new RunTimeExceededError(handler.maxRunMs));
      }
      const outcome = outcomeSafely(ending, running.reason, handler.maxRunMs);
      this.#unreported++;
      reporter.report(running, outcome, handler);
    }
  }

  #free(ended: readonly RunningWork[]): void {
    this.#busy -= ended.length;
    if (this.#busy === 0) {
      clearInterval(this.#sweep);
      this.#sweep = undefined;
      this.#idle?.();
    }
    this.#options.onFree(ended);
  }

  #checkTimes(): void {
    const now = performance.now();
    for (const work of this.#works()) work.checkTime(now);
  }
}

/** What a handler has answered may throw when it is looked at. */
function outcomeSafely(ending: Ending, reason: CoordinateError | undefined, maxRunMs: number): Outcome {
  try {
    return outcomeOf(ending, reason, maxRunMs);
  } catch (error) {
    return outcomeOf({ kind: 'threw', error }, reason, maxRunMs);
  }
}

function answered(answer: unknown): readonly Ending[] {
  if (answer === undefined) return answeredNothing;
  return [{ kind: 'answered', answer }];
}

function threw(work: RunningWork, error: unknown): readonly Ending[] {
  return work.attempts.map(() => ({ kind: 'threw', error }));
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && typeof (value as { readonly then?: unknown }).then === 'function';
}

function endingsOfBatch(answers: unknown, expected: number): readonly Ending[] {
  if (!Array.isArray(answers) || answers.length !== expected) {
    const got = Array.isArray(answers) ? `${answers.length} answers` : `no list of answers`;
    throw new TypeError(`the batch handler gave ${got} for ${expected} units`);
  }
  return (answers as BatchAnswer[]).map((answer) => ({ kind: 'answered', answer }));
}
