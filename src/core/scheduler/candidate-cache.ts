import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import type { SpecCandidate } from './candidates.js';

/**
 * Below so many candidates every request looks afresh. Above, a look costs more than the claim, and one serves several claims: what
 * is chosen from is then a moment old, but what is claimed is always checked behind the gate.
 */
const manyCandidates = 100;

/** A look may be used again for so many times as long as it took: looking then costs a twentieth of the time at most. */
const reuseFactor = 20;

/** But for no longer than this, or a slow moment would be followed by a long time of choosing from old candidates. */
const longestReuseMs = 250;

/** A look that has begun. */
export interface BegunLook {
  readonly namespaceId: number;
  /** By performance.now(), which has nothing to do with the clock of the leases. */
  readonly beganAt: number;
  readonly generation: number;
}

interface Look {
  readonly candidates: SpecCandidate[];
  readonly usableUntil: number;
}

/** What this process last saw of namespaces with many specs that have work. */
export class CandidateCache {
  readonly #looks = new Map<number, Look>();
  /** Counts what this process does that a look under way may not have seen. */
  #generation = 0;

  /** The candidates of a namespace, ordered by name, if they were seen a moment ago; undefined: look. */
  get(namespaceId: number): SpecCandidate[] | undefined {
    const look = this.#looks.get(namespaceId);
    if (look === undefined || performance.now() < look.usableUntil) return look?.candidates;
    this.#looks.delete(namespaceId);
    return undefined;
  }

  beginLook(namespaceId: number): BegunLook {
    return { namespaceId, beganAt: performance.now(), generation: this.#generation };
  }

  /** Remembers what was seen, unless this process has changed something since. */
  endLook({ namespaceId, beganAt, generation }: BegunLook, candidates: readonly SpecCandidate[]): void {
    if (candidates.length < manyCandidates || generation !== this.#generation) return;
    const now = performance.now();
    const reuseMs = Math.min((now - beganAt) * reuseFactor, longestReuseMs);
    this.#looks.set(namespaceId, { candidates: [...candidates], usableUntil: now + reuseMs });
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
    const candidates = this.#looks.get(namespaceId)?.candidates;
    const isKnown = candidates?.some(({ id, available }) => id === specId && available) ?? false;
    if (!isKnown) this.forget(namespaceId);
  }

  /** Says that work specs were changed. */
  forget(namespaceId: number): void {
    this.#generation++;
    this.#looks.delete(namespaceId);
  }

  /** Says that units of any spec may have become available. */
  forgetAll(): void {
    this.#generation++;
    this.#looks.clear();
  }
}
