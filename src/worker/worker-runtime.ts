import { setMaxListeners } from 'node:events';
import type { Attempt } from '../core/attempt/attempt.js';
import type { Namespace } from '../core/namespace/namespace.js';
import { onCancelled } from '../core/notify/on-cancelled.js';
import { workSignal, type WorkSignal } from '../core/notify/work-signal.js';
import { CancelledError, type CoordinateError } from '../errors/index.js';
import { Claimer } from './claimer.js';
import { Heartbeat, workerRows } from './heartbeat.js';
import { IsolatedRunners } from './isolated-runners.js';
import { keepLeases, type LeaseKeeper } from './lease/index.js';
import { logOf } from './log-of.js';
import { Reporter } from './reporter.js';
import type { RunningAttempt } from './running-work.js';
import { Slots } from './slots.js';
import { StopSignals } from './stop-signals.js';
import { within } from './within.js';
import { WorkSpecCache } from './work-spec-cache.js';
import type { CheckedWorkerOptions } from './worker-options.js';

/** So much may wait to be reported before no more is claimed. */
const mostUnreported = 4_000;

/** How many units are given back at once when the worker stops. */
const givenBackAtOnce = 4;

/** How long a worker that stops waits for each of its last steps, in milliseconds. */
const lastWaitMs = 10_000;

/** What a running worker is made of. */
interface Parts {
  readonly keeper: LeaseKeeper;
  readonly isolated: IsolatedRunners;
  readonly reporter: Reporter;
  readonly slots: Slots;
  readonly claimer: Claimer;
  readonly heartbeat: Heartbeat;
  readonly wakeUp: WorkSignal;
  readonly unsubscribe: () => Promise<void>;
}

/** Claims work and has handlers do it, from `start()` to `stop()`. Made by `createWorker()`. */
export class WorkerRuntime implements AsyncDisposable {
  readonly #settings: CheckedWorkerOptions;
  readonly #signals: StopSignals;
  /** There is no time left to wait for a database that cannot be reached. */
  readonly #hurry = new AbortController();
  readonly #ended: Promise<void>;
  #end: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  #name: string | undefined;
  #parts: Parts | undefined;
  #starting: Promise<Parts> | undefined;
  #stopping: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(settings: CheckedWorkerOptions) {
    this.#settings = settings;
    this.#signals = new StopSignals(settings.stopOn, () => void this.stop().catch(() => undefined));
    this.#ended = new Promise((resolve, reject) => (this.#end = { resolve, reject }));
    // Whoever does not ask does not want to know; an unhandled rejection would end the process.
    this.#ended.catch(() => undefined);
  }

  /** The name of its row; undefined until it was started. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Resolves when the worker has stopped. Rejects if it had to stop by itself, such as when its namespace is gone. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** How many units are in handlers' hands, claimed ahead, and worked off but not yet reported. */
  get load(): { readonly running: number; readonly queued: number; readonly unreported: number } {
    const { slots, claimer } = this.#parts ?? {};
    return { running: slots?.busy ?? 0, queued: claimer?.queued ?? 0, unreported: slots?.unreported ?? 0 };
  }

  /** Begins to work. Resolves once the worker's row is there and it has begun to ask; raises what connecting raises. */
  async start(): Promise<void> {
    if (this.#stopping !== undefined) return;
    this.#starting ??= this.#start();
    try {
      await this.#starting;
    } catch (error) {
      // To be tried again.
      this.#starting = undefined;
      throw error;
    }
  }

  /**
   * Claims nothing any more, gives back what was not begun, lets running handlers end within `graceMs`, then fires their signals, and
   * after `abortGraceMs` gives back what they still have. Resolves when all is reported. Idempotent.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(): Promise<Parts> {
    const namespace = await this.#settings.coordinate.namespace(this.#settings.namespace);
    const parts = await this.#build(namespace);
    this.#parts = parts;
    try {
      this.#signals.listen();
      await parts.heartbeat.start();
    } catch (error) {
      await this.#stopParts(parts);
      this.#signals.close();
      throw error;
    }
    this.#settings.logger.info(`worker ${this.#name} has started`);
    parts.claimer.run().then(undefined, (error: unknown) => {
      this.#settings.logger.error(`the worker stops: ${error instanceof Error ? error.message : String(error)}`);
      this.#failure = { error };
      void this.stop();
    });
    return parts;
  }

  async #build(namespace: Namespace): Promise<Parts> {
    const settings = this.#settings;
    // Every report that waits listens to it.
    setMaxListeners(0, this.#hurry.signal);
    const { logger, lifetimeMs, abortGraceMs, random, concurrency, handlers } = settings;
    const { worker, parent } = await workerRows(namespace, settings, random);
    this.#name = worker.name;
    const specs = new WorkSpecCache(namespace, handlers);
    const isolated = new IsolatedRunners(handlers.values(), { concurrency, logger });
    const onReported = (all: readonly RunningAttempt[]): void => {
      slots.reported(all);
      claimer.reported();
    };
    const reporter = new Reporter({ namespace, specs, logger, random, hurry: this.#hurry.signal, onReported });
    const keeper = await keepLeases({
      namespace,
      lifetimeMs,
      logger,
      onLost: (attempt, error) => lose(attempt.number, error),
    });
    const slots: Slots = new Slots({
      keeper,
      reporter,
      isolated,
      logger,
      lifetimeMs,
      abortGraceMs,
      logOf: (attempt) => logOf(logger, attempt),
      onFree: (ended) => claimer.worked(ended),
    });
    const wakeUp = workSignal(namespace);
    const claimer: Claimer = new Claimer({
      worker,
      specs,
      signal: wakeUp,
      settings,
      freeSlots: () => concurrency - slots.busy,
      isCongested: () => slots.unreported > mostUnreported,
      hold: (attempt, { maxRunMs }) => keeper.hold(attempt, maxRunMs),
      start: (handler, units) => slots.start(handler, units),
    });
    const heartbeat = new Heartbeat({
      worker,
      parent,
      everyMs: settings.heartbeatMs,
      logger,
      load: () => ({ ...this.load, concurrency, handlers: [...handlers.keys()], mode: this.#stopping ? 'stopping' : 'running' }),
    });
    /** What waits for a handler is dropped; a handler that has it is told. */
    const lose = (number: number, error: CoordinateError): void => {
      const dropped = claimer.drop(number);
      if (dropped === undefined) slots.abort(number, error);
      else keeper.release(dropped);
    };
    const unsubscribe = await onCancelled(namespace, (number) => lose(number, new CancelledError('by unit.cancel()'))).catch(
      async (error: unknown) => {
        await keeper.stop();
        throw error;
      },
    );
    return { keeper, isolated, reporter, slots, claimer, heartbeat, wakeUp, unsubscribe };
  }

  async #stop(): Promise<void> {
    const parts = await this.#starting?.catch(() => undefined);
    if (parts !== undefined) await this.#stopParts(parts);
    this.#signals.close();
    if (this.#failure === undefined) this.#end?.resolve();
    else this.#end?.reject(this.#failure.error);
  }

  async #stopParts({ keeper, isolated, reporter, slots, claimer, heartbeat, wakeUp, unsubscribe }: Parts): Promise<void> {
    const { logger, graceMs, abortGraceMs } = this.#settings;
    logger.info(`worker ${this.#name} is stopping: ${slots.busy} handlers are running`);
    heartbeat.beat();
    const unstarted = claimer.stop().then((attempts) => giveBackAll(reporter, keeper, attempts));
    const idle = Promise.all([unstarted, slots.untilIdle()]);
    // Awaited below, in time or not.
    idle.catch(() => undefined);
    if (!(await within(idle, graceMs))) {
      slots.shutDown();
      this.#hurry.abort();
      if (!(await within(idle, abortGraceMs))) slots.giveBack();
    }
    const reported = unstarted.then(() => slots.untilReported());
    if (!(await within(reported, graceMs + abortGraceMs))) this.#hurry.abort();
    await this.#finally('what was done could not all be reported', reported);
    const ends = [keeper.stop(), isolated.stop(), unsubscribe(), wakeUp.close()];
    await this.#finally('not everything could be closed', Promise.allSettled(ends));
    await this.#finally("the worker's row could not be deactivated", heartbeat.stop());
    logger.info(`worker ${this.#name} has stopped`);
  }

  /** A step of stopping: neither an error nor a database that does not answer keeps the others from being taken. */
  async #finally(failure: string, step: Promise<unknown>): Promise<void> {
    const { logger } = this.#settings;
    try {
      if (!(await within(step, lastWaitMs))) logger.error(`${failure}: the database does not answer; leases end by themselves`);
    } catch (error) {
      logger.warn(`${failure}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function giveBackAll(reporter: Reporter, keeper: LeaseKeeper, attempts: readonly Attempt[]): Promise<void> {
  const left = [...attempts];
  const next = async (): Promise<void> => {
    for (let attempt = left.pop(); attempt !== undefined; attempt = left.pop()) {
      await reporter.giveBack(attempt);
      keeper.release(attempt);
    }
  };
  await Promise.all(Array.from({ length: givenBackAtOnce }, next));
}
