import type { Candidate } from './candidate.js';
import { isAsked, type ScheduleRequest } from './choose-work-spec.js';

/** How many specs a process keeps in mind of each kind; more than that, and who sleeps finds some of it by polling. */
const mostRemembered = 100_000;

/** Whether a spec has nothing to hand out until one of its attempts ends: as no more may run, or as it makes its next unit only then. */
export function awaitsEnd({ available, maxRunning, pending, continuous }: Candidate): boolean {
  return available ? maxRunning > 0 && pending >= maxRunning : continuous && pending > 0;
}

/**
 * The specs that had nothing to hand out until one of their attempts ends when this connection last looked. What ends attempts does not know of such
 * limits: here it is told whether somebody may sleep who waits for that.
 */
export class AwaitedEnds {
  readonly #awaited = new Set<number>();
  /** Which of all ends was the last of a spec; those that ended last come last. */
  readonly #lastEnd = new Map<number, number>();
  #ends = 0;

  /** How often attempts have ended. */
  get ends(): number {
    return this.#ends;
  }

  /** Says what a look has found that began when there had been so many ends; whether what a request waits for has ended since. */
  looked(candidates: readonly (Candidate & { readonly id: number })[], request: ScheduleRequest, ends: number): boolean {
    let hasEnded = false;
    for (const candidate of candidates) {
      if (!awaitsEnd(candidate) || !isAsked(candidate, request)) continue;
      this.#awaited.add(candidate.id);
      hasEnded ||= (this.#lastEnd.get(candidate.id) ?? 0) > ends;
    }
    forgetOldest(this.#awaited);
    return hasEnded;
  }

  /** Says that attempts of specs have ended; whether somebody may wait for that, who is to look again then. */
  ended(specIds: Iterable<number>): boolean {
    this.#ends++;
    let isAwaited = false;
    for (const id of new Set(specIds)) {
      this.#lastEnd.delete(id);
      this.#lastEnd.set(id, this.#ends);
      if (this.#awaited.delete(id)) isAwaited = true;
    }
    forgetOldest(this.#lastEnd);
    return isAwaited;
  }
}

function forgetOldest(specs: Set<number> | Map<number, unknown>): void {
  for (const id of specs.keys()) {
    if (specs.size <= mostRemembered) return;
    specs.delete(id);
  }
}
