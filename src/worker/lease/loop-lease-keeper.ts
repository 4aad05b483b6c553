import type { Attempt } from '../../core/attempt/attempt.js';
import type { LeaseKeeper, LeaseKeeperOptions } from './lease-keeper.js';
import { dueAfterMs, lookPauseMs, mostTogether } from './renewal-times.js';
import { renewTogether } from './renew-together.js';
import { reportLost } from './report-lost.js';

interface Held {
  readonly attempt: Attempt;
  dueAt: number;
  readonly endsAt: number;
}

/**
 * Renews from the main thread, through the namespace: for a coordinate with a clock of its own, one that is not PostgreSQL, and
 * settings that no thread can be given. A handler that blocks the event loop for longer than the lifetime loses its lease.
 */
export class LoopLeaseKeeper implements LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  /** By number: it is unique in a namespace. */
  readonly #held = new Map<number, Held>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#lookLater();
  }

  hold(attempt: Attempt, runMs: number): void {
    if (this.#isStopped) return;
    const now = performance.now();
    this.#held.set(attempt.number, {
      attempt,
      dueAt: now + dueAfterMs(this.#options.lifetimeMs),
      endsAt: now + runMs,
    });
  }

  release(attempt: Attempt): void {
    this.#held.delete(attempt.number);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#held.clear();
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #lookLater(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => this.#lookLater());
    }, lookPauseMs(this.#options.lifetimeMs)).unref();
  }

  async #look(): Promise<void> {
    const now = performance.now();
    const due = [...this.#held.values()].filter(({ dueAt, endsAt }) => dueAt <= now && now < endsAt);
    for (let first = 0; first < due.length; first += mostTogether) {
      // Some may have been released while those before them were renewed.
      const together = due.slice(first, first + mostTogether).filter((held) => this.#isHeld(held));
      try {
        await this.#renew(together);
      } catch (error) {
        // They stay due: the next look is soon enough.
        this.#options.logger.warn(`leases could not be renewed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  async #renew(together: readonly Held[]): Promise<void> {
    const { namespace, lifetimeMs } = this.#options;
    const sentAt = performance.now();
    const attempts = together.map(({ attempt }) => attempt);
    const verdicts = attempts.length === 0 ? [] : await renewTogether(namespace, attempts, lifetimeMs);
    for (const [index, held] of together.entries()) {
      const error = verdicts[index]?.error ?? null;
      if (!this.#isHeld(held)) continue;
      if (error === null) held.dueAt = sentAt + dueAfterMs(lifetimeMs);
      else {
        this.release(held.attempt);
        reportLost(this.#options, held.attempt, error);
      }
    }
  }

  /** Not if it was released, or held anew. */
  #isHeld(held: Held): boolean {
    return this.#held.get(held.attempt.number) === held;
  }
}
