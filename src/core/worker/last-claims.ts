import { leastInLeaseRanges } from '../attempt/claim-parts.js';

/** How many specs are remembered at most. */
const mostRemembered = 1_000;

/** For how long, in milliseconds: after a pause there may be many. */
const rememberedMs = 1_000;

/** How a claim came out. */
interface Outcome {
  readonly asked: number;
  readonly count: number;
  /** Whether they were claimed from rows of `ready_range`. */
  readonly wereInRanges: boolean;
  /** Whether that was all, as far as is known. */
  readonly wereAll: boolean;
}

/** What this process found of specs the last time that it claimed: what it is to try first the next time. */
export class LastClaims {
  /** Of which it found few when it asked for many, a moment ago: until when that counts, by performance.now(). */
  readonly #few = new Map<number, number>();
  readonly #inRanges = new Set<number>();
  /** Of which ranges were asked for that were not all to be had whole: until when that counts. */
  readonly #notWhole = new Map<number, number>();

  expectsMany(specId: number): boolean {
    return performance.now() >= (this.#few.get(specId) ?? 0);
  }

  expectsRanges(specId: number): boolean {
    return this.#inRanges.has(specId);
  }

  expectsWholeRanges(specId: number): boolean {
    return performance.now() >= (this.#notWhole.get(specId) ?? 0);
  }

  noteNotWhole(specId: number): void {
    if (this.#notWhole.size >= mostRemembered) this.#notWhole.clear();
    this.#notWhole.set(specId, performance.now() + rememberedMs);
  }

  note(specId: number, { asked, count, wereInRanges, wereAll }: Outcome): void {
    if (!wereInRanges) this.#inRanges.delete(specId);
    else if (this.#inRanges.size < mostRemembered) this.#inRanges.add(specId);
    if (count >= leastInLeaseRanges - 1 || !wereAll) this.#few.delete(specId);
    else if (asked >= leastInLeaseRanges - 1 && (this.#few.has(specId) || this.#few.size < mostRemembered)) this.#few.set(specId, performance.now() + rememberedMs);
  }
}
