import { leastInRanges } from '../attempt/claim.js';

/** How many specs are remembered at most. */
const mostRemembered = 1_000;

/** Of which specs this process found few units the last time that it asked for many. */
export class LastClaims {
  readonly #few = new Set<number>();

  expectsMany(specId: number): boolean {
    return !this.#few.has(specId);
  }

  note(specId: number, { asked, count }: { readonly asked: number; readonly count: number }): void {
    if (count >= leastInRanges - 1) this.#few.delete(specId);
    else if (asked >= leastInRanges - 1 && this.#few.size < mostRemembered) this.#few.add(specId);
  }
}
