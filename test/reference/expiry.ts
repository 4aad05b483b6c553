import { attemptsByNumber, type AttemptRecord, type NamespaceRecord } from './state.js';

/**
 * Ends every attempt of the namespace that is pending past its expirationTime, also those whose unit has moved on. Runs before
 * anything that looks at units, statuses, counts or attempts, or that schedules; but not before a report on an attempt: a
 * worker that is late, but not yet found to be, still wins.
 */
export function expireOverdue(namespace: NamespaceRecord): void {
  const now = namespace.store.clock.now();
  for (const attempt of attemptsByNumber(namespace)) {
    if (attempt.status === 'pending' && attempt.expirationTime < now) endAttempt(attempt, 'expired', now);
  }
}

/** Ends an attempt; a unit whose active attempt it is keeps it only when finished or failed. */
export function endAttempt(attempt: AttemptRecord, status: Exclude<AttemptRecord['status'], 'pending'>, now: Date): void {
  attempt.status = status;
  attempt.endTime = now;
  const freesUnit = status === 'expired' || status === 'retryable';
  if (freesUnit && attempt.unit.active === attempt) attempt.unit.active = null;
}
