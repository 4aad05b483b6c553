import { decodeData } from '../../codec/index.js';
import type { Executor } from '../../database/index.js';
import { GoneError, LostLeaseError, NotPendingError, type CoordinateError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { outputUnits } from '../chaining/output-units.js';
import { bytes, instant } from '../instant.js';
import { addUnitsToSpec } from '../work-unit/add-units.js';
import type { Report } from './batch-reports.js';
import { settleAttempt } from './report-attempts.js';

/** What a worker can report. */
export type Action = 'finished' | 'failed' | 'retryable' | 'expired' | 'renewed';

/** What became of a report, and whether the attempt's output has yet to be passed on. */
export interface Settlement {
  readonly error: CoordinateError | null;
}

/**
 * Reports on one attempt, whatever has become of it. When a finished unit has output for an existing next spec, the units are added
 * by the same executor: hand in a transaction for `finished`, or a crash could separate the two.
 */
export async function settle(
  bucket: Bucket,
  action: Action,
  { specId, unitId, number, data }: Report,
  durationMs: number,
  on: Executor,
): Promise<Settlement> {
  const [row] = await bucket.run(settleAttempt, [action, unitId, number, data, bucket.backend.now(), durationMs], on);
  bucket.counts.count();
  if (action === 'retryable' || action === 'expired') bucket.candidates.added(specId);
  if (row !== undefined && row.next_spec_id !== null) {
    const units = outputUnits(decodeData(bytes(row.output_data)).output);
    const now = instant(row.now).getTime();
    const toAdd = units.map(({ name, data: unitData, priority, delayMs }) => ({
      name,
      data: unitData,
      priority,
      notBefore: delayMs > 0 ? new Date(now + delayMs) : null,
    }));
    if (toAdd.length > 0) {
      await addUnitsToSpec(bucket, Number(row.next_spec_id), toAdd, on, () => 'output');
      bucket.candidates.added(Number(row.next_spec_id));
    }
  }
  return { error: errorOf(row?.outcome) };
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
