import { leastInRanges } from '../attempt/claim.js';

/** How many specs are remembered at most. */
const mostRemembered = 1_000;

/** For how long, in milliseconds: after a pause there may be many. */
const rememberedMs = 1_000;

/** Of which specs this process found few units the last time that it asked for many, a moment ago. */
export class LastClaims {
  /** Until when, by performance.now(). */
  readonly #few = new Map<number, number>();

  expectsMany(specId: number): boolean {
    return performance.now() >= (this.#few.get(specId) ?? 0);
  }

  note(specId: number, { asked, count }: { readonly asked: number; readonly count: number }): void {
    if (count >= leastInRanges - 1) this.#few.delete(specId);
    else if (asked >= leastInRanges - 1 && (this.#few.has(specId) || this.#few.size < mostRemembered)) this.#few.set(specId, performance.now() + rememberedMs);
  }
}
