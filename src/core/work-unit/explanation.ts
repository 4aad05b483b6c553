import type { WorkUnitStatus } from './work-unit-status.js';

/** One thing that keeps a unit from being handed out, or says what became of it. */
export type Reason =
  | { readonly kind: 'finished'; readonly attempt: number; readonly endTime: Date }
  | { readonly kind: 'failed'; readonly attempt: number; readonly endTime: Date }
  /** A worker holds it. */
  | { readonly kind: 'held'; readonly attempt: number; readonly worker: string; readonly until: Date }
  | { readonly kind: 'delayed'; readonly until: Date }
  | { readonly kind: 'paused' }
  /** The work spec's weight is zero or less. */
  | { readonly kind: 'weightless'; readonly weight: number }
  /** As many units of the spec are pending as it allows. */
  | { readonly kind: 'limit-reached'; readonly maxRunning: number; readonly pending: number }
  /** Another work spec of higher priority has units available. */
  | { readonly kind: 'outranked-by-spec'; readonly workSpec: string; readonly priority: number }
  /** So many units of the same spec come before it. */
  | { readonly kind: 'outranked-by-units'; readonly ahead: number; readonly atLeast: boolean }
  /** No worker has asked for this runtime lately. */
  | { readonly kind: 'no-worker'; readonly runtime: string }
  /** The next claim will fail it: it had as many attempts as its spec allows. */
  | { readonly kind: 'retries-spent'; readonly attempts: number; readonly maxRetries: number };

/** The answer of `workUnit.explain()`. */
export interface Explanation {
  readonly status: WorkUnitStatus;
  /** Most telling first; empty when the unit would be the very next one handed out. */
  readonly reasons: readonly Reason[];
  /** The same in one English sentence for people. */
  readonly text: string;
}
