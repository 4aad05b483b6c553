import type { Executor } from '../../database/index.js';
import { GoneError, LostLeaseError, NotPendingError, type CoordinateError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { addOutput } from './add-output.js';
import type { Report } from './batch-reports.js';
import { settleAttempt } from './report-attempts.js';

/** What a worker can report. */
export type Action = 'finished' | 'failed' | 'retryable' | 'expired' | 'renewed';

/**
 * Reports on one attempt, whatever has become of it; resolves to the error, or null. When a finished unit has output for an existing next spec, the units are added
 * by the same executor: hand in a transaction for `finished`, or a crash could separate the two.
 */
export async function settle(
  bucket: Bucket,
  action: Action,
  { specId, unitId, number, data }: Report,
  durationMs: number,
  on: Executor,
): Promise<CoordinateError | null> {
  const [row] = await bucket.run(settleAttempt, [action, unitId, number, data, bucket.backend.now(), durationMs], on);
  bucket.counts.count();
  if (action === 'retryable' || action === 'expired') bucket.candidates.added(specId);
  if (row !== undefined) await addOutput(bucket, [row], on);
  return errorOf(row?.outcome);
}

function errorOf(outcome: unknown): CoordinateError | null {
  switch (outcome) {
    case 'done':
      return null;
    case 'gone':
      return new GoneError();
    case 'lost-lease':
      return new LostLeaseError();
    default:
      return new NotPendingError();
  }
}
