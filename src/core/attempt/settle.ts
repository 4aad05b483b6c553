import type { Executor } from '../../database/index.js';
import { GoneError, LostLeaseError, NotPendingError, type CoordinateError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { attemptPayloads, type AttemptChange } from '../notify/payload.js';
import { send } from '../notify/send.js';
import { runAndWake, wakeForEnds } from '../notify/wake.js';
import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import { addOutput } from './add-output.js';
import { isInRange, type Report } from './report.js';
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
  report: Report,
  durationMs: number,
  on: Executor,
): Promise<CoordinateError | null> {
  const { specId, unitId, number, data, place } = report;
  const namespaceId = namespaceOfSpec(specId);
  const values = [action, unitId, number, data, bucket.backend.now(), durationMs, namespaceId];
  const givesBack = action === 'retryable' || action === 'expired';
  const [row] = await (givesBack
    ? runAndWake(bucket, namespaceId, [settleAttempt, values], { on })
    : bucket.run(settleAttempt, values, on));
  bucket.counts.count();
  if (action !== 'renewed' && (place === undefined || isInRange(report))) bucket.leftRanges.left(report, place?.range);
  if (givesBack) bucket.candidates.added(specId);
  else if (action !== 'renewed') wakeForEnds(bucket, namespaceId, [specId], on);
  if (row !== undefined) await addOutput(bucket, [row], on);
  const change = changeOf(action, row?.outcome);
  if (row?.watched === true && change !== null) {
    await send(bucket, attemptPayloads(change, namespaceId, [{ unitId, number }]), on);
  }
  return errorOf(row?.outcome);
}

/** What has become of the attempt; null: nothing new. */
function changeOf(action: Action, outcome: unknown): AttemptChange | null {
  if (outcome === 'lost-lease') return 'expired';
  if (outcome !== 'done' || action === 'renewed') return null;
  return action === 'retryable' ? 'retried' : action;
}

function errorOf(outcome: unknown): CoordinateError | null {
  switch (outcome) {
    case 'done':
    case 'unchanged':
      return null;
    case 'gone':
      return new GoneError();
    case 'lost-lease':
      return new LostLeaseError();
    default:
      return new NotPendingError();
  }
}
