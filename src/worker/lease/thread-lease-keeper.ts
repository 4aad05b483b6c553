import { Worker } from 'node:worker_threads';
import type { ClientConfig } from 'pg';
import type { Attempt } from '../../core/attempt/attempt.js';
import { PostgresAttempt } from '../../core/attempt/postgres-attempt.js';
import type { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';
import { StatementSet } from '../../database/index.js';
import { WrongBackendError } from '../../errors/index.js';
import type { LeaseKeeper, LeaseKeeperOptions } from './lease-keeper.js';
import { LeaseTable } from './lease-table.js';
import { renewHeld } from './renew-held.js';
import { renewTogether } from './renew-together.js';
import { reportLost } from './report-lost.js';
import { clock } from './table-layout.js';
import type { FromThread, ThreadData, ToThread } from './thread-messages.js';

/** How long the thread is given to end by itself, in milliseconds. */
const stopPatienceMs = 5_000;
/** The longest pause before a thread that has crashed is started again, in milliseconds. */
const longestRestartMs = 5_000;

type Ask = Extract<FromThread, { type: 'ask' }>;

/** Renews leases on a thread, see lease-thread.js; what the thread cannot settle comes back here. */
export class ThreadLeaseKeeper implements LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #settings: ClientConfig;
  readonly #statement: string;
  readonly #table = new LeaseTable((buffer) => this.#tell({ type: 'grown', buffer }));
  readonly #asks = new Set<Promise<void>>();
  #thread: Worker | undefined;
  #exited: Promise<unknown> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;

  /** Rejects if the thread cannot be started. */
  static async start(options: LeaseKeeperOptions, namespace: PostgresNamespace, settings: ClientConfig): Promise<ThreadLeaseKeeper> {
    const keeper = new ThreadLeaseKeeper(options, namespace, settings);
    const thread = keeper.#startThread();
    try {
      await untilReady(thread);
    } catch (error) {
      await keeper.stop();
      throw error;
    }
    keeper.#supervise(thread);
    return keeper;
  }

  private constructor(options: LeaseKeeperOptions, { bucket }: PostgresNamespace, settings: ClientConfig) {
    this.#options = options;
    this.#settings = settings;
    this.#statement = new StatementSet(bucket.schema, bucket.backend.schema).prepare(renewHeld).text;
  }

  hold(attempt: Attempt, runMs: number): void {
    if (!(attempt instanceof PostgresAttempt)) throw new WrongBackendError();
    if (this.#stopping !== undefined) return;
    const now = clock();
    this.#table.hold(attempt as PostgresAttempt, now, now + runMs);
  }

  release(attempt: Attempt): void {
    if (attempt instanceof PostgresAttempt) this.#table.release(attempt as PostgresAttempt);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#restart);
    this.#table.releaseAll();
    const thread = this.#thread;
    if (thread !== undefined) {
      thread.ref();
      this.#tell({ type: 'stop' });
      const limit = setTimeout(() => void thread.terminate(), stopPatienceMs);
      await this.#exited;
      clearTimeout(limit);
    }
    await Promise.all(this.#asks);
  }

  #startThread(): Worker {
    const workerData: ThreadData = {
      settings: this.#settings,
      statement: this.#statement,
      lifetimeMs: this.#options.lifetimeMs,
      buffers: this.#table.buffers,
    };
    // Without the loaders and flags of this process: it needs none.
    const thread = new Worker(new URL('./lease-thread.js', import.meta.url), { workerData, execArgv: [], name: 'pg-coordinate leases' });
    this.#thread = thread;
    this.#exited = new Promise((resolve) => thread.once('exit', resolve));
    return thread;
  }

  /** Listens to a thread that has started, and starts another should it crash: the table still knows what is held. */
  #supervise(thread: Worker): void {
    const { logger, lifetimeMs } = this.#options;
    thread.on('message', (message: FromThread) => {
      if (message.type === 'ask') this.#take(message);
    });
    thread.on('error', (error) => logger.error(`the thread that renews leases has crashed: ${error.message}`));
    thread.once('exit', () => {
      this.#thread = undefined;
      if (this.#stopping !== undefined) return;
      this.#restart = setTimeout(() => this.#supervise(this.#startThread()), Math.min(lifetimeMs / 24, longestRestartMs)).unref();
    });
    // It must not keep the process alive.
    thread.unref();
  }

  #tell(message: ToThread): void {
    this.#thread?.postMessage(message);
  }

  #take(ask: Ask): void {
    if (this.#stopping !== undefined) return;
    const answering = this.#answer(ask).finally(() => {
      this.#asks.delete(answering);
      if (ask.problem !== null) this.#tell({ type: 'answered' });
    });
    this.#asks.add(answering);
  }

  async #answer({ problem, slots }: Ask): Promise<void> {
    const { namespace, lifetimeMs, logger } = this.#options;
    if (problem !== null) logger.warn(`the thread that renews leases cannot do so and tries again: ${problem}`);
    const asked: { readonly slot: number; readonly generation: number; readonly attempt: PostgresAttempt }[] = [];
    const now = clock();
    for (let first = 0; first < slots.length; first += 2) {
      const [slot = 0, generation = 0] = slots.subarray(first);
      // The thread may have asked long ago, if a handler was blocking this one.
      const attempt = this.#table.attemptAt(slot, generation, now);
      if (attempt !== undefined) asked.push({ slot, generation, attempt });
    }
    if (asked.length === 0) return;

    const attempts = asked.map(({ attempt }) => attempt);
    const verdicts = await renewTogether(namespace, attempts, lifetimeMs).catch((error: unknown) => {
      logger.warn(`leases could not be renewed: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    });
    for (const [index, { slot, generation, attempt }] of asked.entries()) {
      if (this.#table.attemptAt(slot, generation, now) === undefined) continue;
      const error = verdicts?.[index]?.error ?? null;
      if (error !== null) {
        this.#table.release(attempt);
        reportLost(this.#options, attempt, error);
        // Without a verdict it is due at once: the thread asks the database, or this thread, again.
      } else this.#table.holdSince(slot, verdicts === null ? Number.NEGATIVE_INFINITY : now);
    }
  }
}

function untilReady(thread: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const onMessage = ({ type }: FromThread): void => {
      if (type !== 'ready') return;
      thread.off('error', reject).off('exit', onExit).off('message', onMessage);
      resolve();
    };
    const onExit = (code: number): void => reject(new Error(`it has ended with exit code ${code}`));
    thread.on('message', onMessage).once('error', reject).once('exit', onExit);
  });
}
