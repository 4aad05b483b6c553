import type { DataDictionary } from '../../codec/index.js';
import type { Attempt } from '../attempt/attempt.js';
import type { WorkSpec } from '../work-spec/work-spec.js';
import type { Explanation } from './explanation.js';
import type { WorkUnitStatus } from './work-unit-status.js';

/** What the scheduler reads of a work unit. */
export interface WorkUnitMeta {
  /** Units of higher priority are handed out first. Any finite number; 0 by default. */
  readonly priority: number;
  /** The unit is `delayed` until then; null: available at once. */
  readonly notBefore: Date | null;
}

/** One named input of a work spec. All methods raise Gone once the unit, its spec or its namespace was deleted. */
export interface WorkUnit<Data extends DataDictionary = DataDictionary> {
  /** The name as text; bytes that are not UTF-8 show as U+FFFD. */
  readonly name: string;
  /** The name's exact bytes. */
  readonly key: Uint8Array;
  readonly workSpec: WorkSpec<Data>;

  /** The active attempt's data while there is one, else the unit's own. */
  data(): Promise<Data>;
  /** The unit's own data, as they were added, whatever attempts have made of them: what `data()` tells when no attempt is active. */
  ownData(): Promise<Data>;
  status(): Promise<WorkUnitStatus>;
  meta(): Promise<WorkUnitMeta>;
  /** Replaces priority and notBefore; what is left out counts as 0 and null. A running attempt goes on undisturbed. */
  setMeta(meta: Partial<WorkUnitMeta>): Promise<void>;
  priority(): Promise<number>;
  setPriority(priority: number): Promise<void>;

  /** The attempt that decides the unit's status, or null. */
  activeAttempt(): Promise<Attempt<Data> | null>;
  /** Makes the unit available again, whatever it was. The attempt itself stays as it is, on its worker's list. */
  clearActiveAttempt(): Promise<void>;
  /**
   * Stops the running attempt: it fails, with its data and `error: { name: 'CancelledError', code: 'Cancelled', message: reason }`, its worker is
   * told, and the unit is `failed`. Resolves to true; to false when no attempt is running. A unit that only waits is
   * stopped by deleting it. The handler's own report is refused with NotPending from then on.
   */
  cancel(reason?: string): Promise<boolean>;
  /** Every attempt ever made, oldest first. */
  attempts(): Promise<Attempt<Data>[]>;
  numAttempts(): Promise<number>;

  /** Why the unit is, or is not, running. */
  explain(): Promise<Explanation>;
}
