/** Statements take a moment from reading the time to being seen by others; whatever they write lies no further back, in milliseconds. */
const marginMs = 200;

/** How much longer than a look at everything the next one is away: looking so costs a hundredth of the time at most. */
const patience = 100;

/** But not less than this, in milliseconds. */
const leastWaitMs = 1_000;

/** Nor more: it may have waited for others that long, rather than looked. */
const mostWaitMs = 10_000;

/**
 * How far this process has seen that nothing is due: neither a lease that should have expired, nor a unit whose delay has passed. The next
 * look begins there, instead of passing by all that was due, and has been dealt with, since the tables were last vacuumed.
 *
 * Something can still come to lie before it: by a transaction that stays open past the time it has written, or a database whose clock is set
 * back. So every now and then a look begins at the very beginning; such a thing is found a second late, mostly.
 */
export class DueHorizon {
  #since: Date | undefined;
  #fullLookAt = 0;

  /** Where to begin; null: at the very beginning. `now`: the time of a clock that is not the database's and may be set at will, or null. */
  since(now: string | null): string | null {
    if (now !== null || performance.now() >= this.#fullLookAt) return null;
    return this.#since?.toISOString() ?? null;
  }

  /** Says that a look which began at `since` found nothing due at `now`, by the database's clock, and took so many milliseconds. */
  clear(since: string | null, now: Date, tookMs: number): void {
    if (since === null) this.#fullLookAt = performance.now() + Math.min(mostWaitMs, Math.max(leastWaitMs, tookMs * patience));
    this.#since = new Date(now.getTime() - marginMs);
  }
}
