import { mayPass, type Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import type { Message } from './payload.js';
import { OutcomeReader } from './read-outcomes.js';

/** The first pause between two looks at a unit, in milliseconds; each further one is twice as long. */
const firstPollMs = 50;
const longestPollMs = 1_000;

/** While notifications arrive, so many units a millisecond are polled at most: 10,000 that are waited for, every 5 s. */
const polledPerMs = 2;

/** What is due within so many milliseconds is looked at together. */
const togetherMs = 10;

interface Waiting {
  readonly unitId: number;
  readonly resolve: (row: Row) => void;
  readonly reject: (error: unknown) => void;
  pollMs: number;
  /** When to look next, by performance.now(). */
  nextAt: number;
}

/** How soon what could not be watched is tried to be again, in milliseconds. Polling finds what ends meanwhile. */
const watchAgainMs = 1_000;

interface WatchedNamespace {
  count: number;
  stop?: () => void;
  again?: NodeJS.Timeout;
}

/** Waits for units to end: all of a bucket together, told by notifications, with a poll as the net beneath. */
export class OutcomeAwaiter {
  readonly #bucket: Bucket;
  readonly #reader: OutcomeReader;
  readonly #waiting = new Map<number, Set<Waiting>>();
  readonly #namespaces = new Map<number, WatchedNamespace>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #count = 0;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
    this.#reader = new OutcomeReader(bucket);
  }

  /** The row of an ended unit, null while it can still run. Raises Gone, and what statements raise. */
  read(unitId: number): Promise<Row | null> {
    return this.#reader.read(unitId);
  }

  /** The row of the unit once it has ended. Raises Gone, the signal's reason; rides out a database that cannot be reached. */
  async wait(namespaceId: number, unitId: number, signal: AbortSignal): Promise<Row> {
    const stopWatching = this.#watch(namespaceId);
    try {
      return await this.#waitFor(unitId, signal);
    } finally {
      stopWatching();
    }
  }

  #waitFor(unitId: number, signal: AbortSignal): Promise<Row> {
    const { promise, resolve, reject } = deferred<Row>();
    const waiting = { unitId, resolve, reject, pollMs: firstPollMs, nextAt: performance.now() + firstPollMs };
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#waiting.set(unitId, (this.#waiting.get(unitId) ?? new Set()).add(waiting));
    this.#count++;
    this.#schedule(waiting.nextAt);
    return promise.finally(() => {
      signal.removeEventListener('abort', onAbort);
      this.#forget(waiting);
    });
  }

  #forget(waiting: Waiting): void {
    const ofUnit = this.#waiting.get(waiting.unitId);
    if (ofUnit?.delete(waiting) === true) this.#count--;
    if (ofUnit?.size === 0) this.#waiting.delete(waiting.unitId);
    if (this.#count === 0) this.#stopTimer();
  }

  /** Has all look again: by now they are refused. */
  close(): void {
    this.#lookAtAll();
  }

  /** All that wait in a namespace are one watcher of it. */
  #watch(namespaceId: number): () => void {
    let watched = this.#namespaces.get(namespaceId);
    if (watched === undefined) {
      watched = { count: 0 };
      this.#namespaces.set(namespaceId, watched);
      void this.#startWatching(namespaceId, watched);
    }
    watched.count++;
    return () => {
      watched.count--;
      if (watched.count > 0) return;
      this.#namespaces.delete(namespaceId);
      clearTimeout(watched.again);
      watched.stop?.();
    };
  }

  /** Until it has succeeded, or nobody waits any more. Never rejects. */
  async #startWatching(namespaceId: number, watched: WatchedNamespace): Promise<void> {
    const { watching, backend } = this.#bucket;
    try {
      const stop = await watching.add(namespaceId, {
        onMessage: (message) => this.#onMessage(message),
        onMissed: () => this.#lookAtAll(),
        outcomesOnly: true,
      });
      if (watched.count === 0) {
        stop();
        return;
      }
      watched.stop = stop;
      // What ended before others knew that somebody watches was not told.
      this.#lookAtAll();
    } catch {
      if (watched.count === 0 || backend.closing.aborted) return;
      watched.again = setTimeout(() => void this.#startWatching(namespaceId, watched), watchAgainMs);
    }
  }

  #onMessage(message: Message): void {
    if (message.kind !== 'finished' && message.kind !== 'failed' && message.kind !== 'cancelled') return;
    for (const { unitId } of message.attempts) this.#lookAt(this.#waiting.get(unitId));
  }

  #lookAtAll(): void {
    for (const ofUnit of this.#waiting.values()) this.#lookAt(ofUnit);
  }

  #lookAt(ofUnit: ReadonlySet<Waiting> | undefined): void {
    const now = performance.now();
    for (const waiting of ofUnit ?? []) waiting.nextAt = now;
    if (ofUnit !== undefined) this.#schedule(now);
  }

  #schedule(at: number): void {
    if (at >= this.#timerAt) return;
    this.#stopTimer();
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#poll(), Math.max(0, at - performance.now()));
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #poll(): void {
    this.#stopTimer();
    const until = performance.now() + togetherMs;
    let next = Number.POSITIVE_INFINITY;
    for (const ofUnit of this.#waiting.values()) {
      for (const waiting of ofUnit) {
        if (waiting.nextAt > until) {
          next = Math.min(next, waiting.nextAt);
          continue;
        }
        // Not again before the answer; a notification that comes before it asks again, as the answer may be older.
        waiting.nextAt = Number.POSITIVE_INFINITY;
        void this.#pollOne(waiting);
      }
    }
    if (next < Number.POSITIVE_INFINITY) this.#schedule(next);
  }

  async #pollOne(waiting: Waiting): Promise<void> {
    try {
      const row = await this.#reader.read(waiting.unitId);
      if (row !== null) {
        waiting.resolve(row);
        return;
      }
    } catch (error) {
      if (!mayPass(error)) {
        waiting.reject(error);
        return;
      }
    }
    const longest = this.#bucket.watching.connected ? Math.max(longestPollMs, this.#count / polledPerMs) : longestPollMs;
    waiting.nextAt = Math.min(waiting.nextAt, performance.now() + waiting.pollMs);
    waiting.pollMs = Math.min(2 * waiting.pollMs, longest);
    if (this.#waiting.get(waiting.unitId)?.has(waiting) === true) this.#schedule(waiting.nextAt);
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  let resolve: ((value: T) => void) | undefined;
  let reject: ((reason: unknown) => void) | undefined;
  const promise = new Promise<T>((...both) => ([resolve, reject] = both));
  return { promise, resolve: (value) => resolve?.(value), reject: (reason) => reject?.(reason) };
}
