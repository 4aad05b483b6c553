import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import type { SpecCandidate } from './candidates.js';

/**
 * Below so many candidates every request looks afresh. Above, a look costs more than the claim, and one serves several claims: what
 * is chosen from is then a moment old, but what is claimed is always checked behind the gate.
 */
const manyCandidates = 100;

/** A look may be used again for so many times as long as it took: looking then costs a twentieth of the time at most. */
const reuseFactor = 20;

interface Look {
  readonly candidates: SpecCandidate[];
  /** In milliseconds of performance.now(), which has nothing to do with the clock of the leases. */
  readonly usableUntil: number;
}

/** What this process last saw of namespaces with many specs that have work. */
export class CandidateCache {
  readonly #looks = new Map<number, Look>();

  /** The candidates of a namespace, ordered by name, if they were seen a moment ago; undefined: look. */
  get(namespaceId: number): SpecCandidate[] | undefined {
    const look = this.#looks.get(namespaceId);
    if (look === undefined || performance.now() < look.usableUntil) return look?.candidates;
    this.#looks.delete(namespaceId);
    return undefined;
  }

  /** Remembers a look that began at the given performance.now(). */
  set(namespaceId: number, candidates: readonly SpecCandidate[], beganAt: number): void {
    if (candidates.length < manyCandidates) return;
    const now = performance.now();
    this.#looks.set(namespaceId, { candidates: [...candidates], usableUntil: now + (now - beganAt) * reuseFactor });
  }

  /** Counts what was claimed; a spec that gave nothing is left out until the next look. */
  claimed(namespaceId: number, specId: number, count: number): void {
    const candidates = this.#looks.get(namespaceId)?.candidates;
    const index = candidates?.findIndex(({ id }) => id === specId) ?? -1;
    const candidate = candidates?.[index];
    if (candidates === undefined || candidate === undefined) return;
    if (count === 0) candidates.splice(index, 1);
    else candidates[index] = { ...candidate, pending: candidate.pending + count };
  }

  /** Says that units of a spec may have become available: this process must not overlook what it did itself. */
  added(specId: number): void {
    const namespaceId = namespaceOfSpec(specId);
    const known = this.#looks.get(namespaceId)?.candidates.some(({ id, available }) => id === specId && available);
    if (known === false) this.forget(namespaceId);
  }

  /** Says that units of any spec may have become available. */
  forgetAll(): void {
    this.#looks.clear();
  }

  /** Says that work specs were changed. */
  forget(namespaceId: number): void {
    this.#looks.delete(namespaceId);
  }
}
