/** How many leases a range has at most, also of a claim of before. Its table relies upon it. */
export const mostOfLeaseRange = 250;

/** How many leases a claim puts into a range: the row of history that they become stays below 2 kB, from which on PostgreSQL would compress it. */
export const leaseRangeSize = 200;

/**
 * Where the rows of an attempt lay when it was claimed. A hint for who reports on it soon: whoever uses it has the database compare
 * whether these are still the rows that are meant.
 */
export interface AttemptPlace {
  /** Of the unit's row, as tidArray() takes it; 0, or of no use, if its lease is in a range. */
  readonly unitPlace: number;
  /** Of the lease's row; 0: it is in a range. */
  readonly leasePlace: number;
  /** The first number of the range of leases that it is in; undefined: it has a lease of its own. */
  readonly range: number | undefined;
  /** How many attempts the unit has had, this one included. */
  readonly attempts: number;
  /** Until when no worker renews the lease of its own accord, which moves its row. By performance.now(). */
  readonly freshUntil: number;
}

/** No worker renews a lease before this share of its lifetime has passed, see worker/lease. Who renews by hand, PostgresAttempt.renew(), forgets the place. */
const freshShare = 0.25;

/** Until when the places of attempts that were claimed at a moment, of performance.now(), are worth trying. */
export function freshUntil(claimedAt: number, lifetimeMs: number): number {
  return claimedAt + lifetimeMs * freshShare;
}

export function isFresh(place: AttemptPlace, now: number): boolean {
  return now < place.freshUntil;
}
