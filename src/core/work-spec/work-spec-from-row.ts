import type { Row } from '../../database/index.js';
import { instantOrNull, nameFromBytes } from '../instant.js';
import type { WorkSpecMeta } from './work-spec-meta.js';

/** The meta of a row of work_spec; the counts are 0. */
export function metaFromRow(row: Row): WorkSpecMeta {
  return {
    priority: Number(row.priority),
    weight: Number(row.weight),
    paused: row.paused === true,
    continuous: row.continuous === true,
    canBeContinuous: row.can_be_continuous === true,
    intervalMs: Number(row.interval_ms),
    nextContinuous: instantOrNull(row.next_continuous),
    maxRunning: Number(row.max_running),
    maxAttemptsReturned: Number(row.max_attempts_returned),
    maxRetries: Number(row.max_retries),
    minMemoryGb: Number(row.min_memory_gb),
    nextWorkSpecName: nameFromBytes(row.next_work_spec_name),
    runtime: nameFromBytes(row.runtime),
    availableCount: 0,
    pendingCount: 0,
  };
}
