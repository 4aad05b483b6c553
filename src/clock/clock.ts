/**
 * Where the time comes from. `null` means the database server's own clock, read by each statement as it runs: workers whose
 * clocks are wrong can then neither steal nor lose a lease.
 */
export interface Clock {
  /** The time every statement is to use, or null for the database's own. */
  now(): Date | null;
}

/** The default: the database server's clock. */
export const databaseClock: Clock = Object.freeze({ now: () => null });
