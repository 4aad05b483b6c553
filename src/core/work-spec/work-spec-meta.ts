/** What the scheduler reads of a work spec. Derived from the definition's data, and adjustable by `setMeta`. */
export interface WorkSpecMeta {
  /** Specs of higher priority are served first. */
  readonly priority: number;
  /** The share among specs of equal priority; a spec of weight 0 or less is never chosen. */
  readonly weight: number;
  /** Hands out nothing while true. */
  readonly paused: boolean;
  /** Makes a unit of its own when there is nothing to do. */
  readonly continuous: boolean;
  /** Whether `continuous` may be switched on; fixed by the definition. */
  readonly canBeContinuous: boolean;
  /** Milliseconds between continuous units; 0: none. */
  readonly intervalMs: number;
  /** The next continuous unit starts no sooner; null: at once. */
  readonly nextContinuous: Date | null;
  /** At most so many pending units; 0: no limit. */
  readonly maxRunning: number;
  /** At most so many attempts per request; 0: no limit. */
  readonly maxAttemptsReturned: number;
  /** A unit fails when claimed after so many attempts; 0: no limit. */
  readonly maxRetries: number;
  /** Gigabytes a worker must have, if it says how many it has. */
  readonly minMemoryGb: number;
  /** Where the output of finished units goes; "": nowhere. Fixed by the definition. */
  readonly nextWorkSpecName: string;
  /** What a worker must offer, if it says what it offers. Fixed by the definition. */
  readonly runtime: string;
  /** Units available now; 0 unless counts were asked for. */
  readonly availableCount: number;
  /** Units pending now; 0 unless counts were asked for. */
  readonly pendingCount: number;
}
