import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import type { Candidate } from './candidate.js';

/** How many specs a process keeps in mind. */
const mostRemembered = 10_000;

/** Whether units of a spec wait for one of those that run to end. */
export function isFull({ available, maxRunning, pending }: Pick<Candidate, 'available' | 'maxRunning' | 'pending'>): boolean {
  return available && maxRunning > 0 && pending >= maxRunning;
}

/**
 * Specs of which units waited for one of those that run to end when this process last looked. Whether there is such a limit is not known to what ends
 * attempts: it is told here for which specs somebody may wait who sleeps.
 */
export class FullSpecs {
  readonly #ids = new Set<number>();

  /**
   * Says what a look has found; whether any is full that was not known to be: what has ended since the look has told nobody.
   * `wholeNamespace`: these are all of that namespace that have work.
   */
  looked(candidates: readonly (Candidate & { readonly id: number })[], { wholeNamespace }: { readonly wholeNamespace?: number } = {}): boolean {
    let isNews = false;
    if (wholeNamespace !== undefined && this.#ids.size > 0) {
      const found = new Set(candidates.map(({ id }) => id));
      for (const id of this.#ids) if (namespaceOfSpec(id) === wholeNamespace && !found.has(id)) this.#ids.delete(id);
    }
    for (const candidate of candidates) {
      const { id } = candidate;
      if (!isFull(candidate)) this.#ids.delete(id);
      else if (!this.#ids.has(id)) {
        if (this.#ids.size >= mostRemembered) this.#ids.clear();
        this.#ids.add(id);
        isNews = true;
      }
    }
    return isNews;
  }

  /** Whether attempts that have ended are of one of those. */
  hasAnyOf(ended: readonly { readonly specId: number }[]): boolean {
    return this.#ids.size > 0 && ended.some(({ specId }) => this.#ids.has(specId));
  }
}
