import { setTimeout as pause } from 'node:timers/promises';
import type { Row, StatementStep, Unsubscribe } from '../../database/index.js';
import type { Namespace } from '../namespace/namespace.js';
import { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { workPayload } from './payload.js';
import { WaiterRegistration } from './waiter-registration.js';

/** How far apart two registrations of one WorkSignal are at least, in milliseconds. Each may cost the database one NOTIFY. */
export const leastWakeIntervalMs = 10;

/** How often one that waits says so again, in milliseconds. After 30 s without a word it is taken for dead. */
const confirmEveryMs = 10_000;

/** After so long without a word, in milliseconds, it may have been taken for dead: a process can be frozen. */
const mayBeForgottenMs = 20_000;

/** What `setTimeout` can hold. */
const longestTimeoutMs = 2 ** 31 - 1;

/** What is known once a signal is armed. */
export interface Armed {
  /** As `arm()` resolves to. */
  readonly dueMs: number | null;
  /** What was found right behind the word that somebody waits; undefined: nobody has looked. */
  readonly rows: readonly Row[] | undefined;
}

/** Why a wait has ended. */
export type WaitResult = 'notified' | 'timeout' | 'aborted';

/**
 * Says when there may be work in a namespace. Of an implementation without notifications it only waits, and its user polls, unless its
 * workers can wait themselves (`canWait`).
 */
export function workSignal(namespace: Namespace): WorkSignal {
  return new WorkSignal(namespace instanceof PostgresNamespace ? namespace : undefined);
}

/**
 * Wakes an idle worker: `arm()`, then look for work (`armAndRun()` does both), then, if there is none, `wait()`. In this order nothing is missed that an operation of
 * this package makes available in a transaction of its own. For one user at a time.
 */
export class WorkSignal {
  readonly #namespace: PostgresNamespace | undefined;
  readonly #registration: WaiterRegistration | undefined;
  #subscription: Promise<Unsubscribe> | undefined;
  #armedAt = Number.NEGATIVE_INFINITY;
  #isNotified = false;
  #isClosed = false;
  #endWait: ((result: WaitResult) => void) | undefined;

  constructor(namespace: PostgresNamespace | undefined) {
    this.#namespace = namespace;
    this.#registration = namespace && new WaiterRegistration(namespace);
  }

  /** Whether notifications arrive. When they do not, only polling finds work. */
  get connected(): boolean {
    return this.#namespace?.bucket.backend.listener.connected ?? false;
  }

  /** Whether `arm()` need not wait before it says anything. */
  get canArm(): boolean {
    return performance.now() >= this.#armedAt + leastWakeIntervalMs;
  }

  /**
   * Says that somebody is about to wait for work, at most every 10 ms (it waits for that). Look for work afterwards. Resolves to
   * the milliseconds until a delayed unit or a lease of the bucket falls due, be it another namespace's; null: nothing is to.
   * Raises what statements raise, such as ConnectionLost and Closed.
   */
  async arm(): Promise<number | null> {
    return (await this.#arm()).dueMs;
  }

  /** The same, and looks in the same trip, by a statement that runs once this is said; not if nobody could tell us. */
  async armAndRun(step: () => StatementStep): Promise<Armed> {
    return this.#arm(step);
  }

  async #arm(step?: () => StatementStep): Promise<Armed> {
    if (this.#namespace === undefined || this.#registration === undefined || this.#isClosed) return { dueMs: null, rows: undefined };
    const early = this.#armedAt + leastWakeIntervalMs - performance.now();
    if (early > 0) await pause(Math.ceil(early));
    await this.#subscribe(this.#namespace);
    this.#armedAt = performance.now();
    this.#isNotified = false;
    // Nobody could tell us: let nobody try.
    if (!this.connected) return { dueMs: await this.#registration.readNextDue(), rows: undefined };
    return this.#registration.register(step?.());
  }

  /**
   * Waits until there may be work: 'notified'; until so many milliseconds have passed; or until the signal fires or this is closed:
   * 'aborted'. A notification since the last `arm()` counts. Never rejects.
   */
  wait(timeoutMs: number, signal?: AbortSignal): Promise<WaitResult> {
    if (this.#isClosed || signal?.aborted === true) return Promise.resolve('aborted');
    if (this.#isNotified || this.#mayBeForgotten()) {
      this.#isNotified = false;
      return Promise.resolve('notified');
    }
    return new Promise((resolve) => {
      const end = (result: WaitResult): void => {
        clearTimeout(timer);
        clearInterval(confirming);
        signal?.removeEventListener('abort', onAbort);
        this.#endWait = undefined;
        this.#isNotified = false;
        resolve(result);
      };
      const onAbort = (): void => end('aborted');
      const timer = setTimeout(() => end('timeout'), Math.min(Math.max(timeoutMs, 0), longestTimeoutMs));
      const confirming = setInterval(() => void this.#confirm(), confirmEveryMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#endWait = end;
    });
  }

  /** Ends a wait under way, and takes the registration back. Idempotent; never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#endWait?.('aborted');
    const unsubscribe = await this.#subscription?.catch(() => undefined);
    unsubscribe?.();
    // What cannot be removed is taken for dead before long.
    await this.#registration?.remove().catch(() => undefined);
  }

  async #subscribe({ bucket, id }: PostgresNamespace): Promise<void> {
    const expected = workPayload(id);
    this.#subscription ??= bucket.backend.listener.subscribe(
      bucket.schema,
      (payload) => {
        if (payload === expected) this.#notify();
      },
      (connected) => {
        // Something may have been missed.
        if (connected) this.#notify();
      },
    );
    await this.#subscription;
  }

  #notify(): void {
    // Every add of this connection says so: once is enough until the next look.
    if (this.#isNotified) return;
    this.#namespace?.bucket.directClaims.woken(this.#namespace.id);
    this.#isNotified = true;
    this.#endWait?.('notified');
  }

  #mayBeForgotten(): boolean {
    const age = this.#registration?.ageMs;
    return this.connected && age !== undefined && age > mayBeForgottenMs;
  }

  async #confirm(): Promise<void> {
    if (!this.connected || this.#registration?.ageMs === undefined) return;
    if (this.#mayBeForgotten()) {
      this.#notify();
      return;
    }
    // Whoever looks for work then meets the same trouble, and knows what to do about it.
    await this.#registration.confirm().catch(() => this.#notify());
  }
}
