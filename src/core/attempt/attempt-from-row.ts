import { decodeData, type DataDictionary } from '../../codec/index.js';
import type { Row } from '../../database/index.js';
import { bytes, instant, instantOrNull, nameFromBytes } from '../instant.js';
import type { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { PostgresWorkSpec } from '../work-spec/postgres-work-spec.js';
import { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import { PostgresWorker } from '../worker/postgres-worker.js';
import type { AttemptStatus } from './attempt-status.js';
import type { AttemptState } from './attempt.js';
import { PostgresAttempt } from './postgres-attempt.js';

/** The state in a row of list-attempts. */
export function attemptStateFromRow<Data extends DataDictionary>(row: Row): AttemptState<Data> {
  return {
    status: row.status as AttemptStatus,
    data: decodeData(bytes(row.data)) as Data,
    startTime: instant(row.started_at),
    endTime: instantOrNull(row.ended_at),
    expirationTime: instant(row.expires_at),
  };
}

/** The attempt of a known unit. */
export function attemptFromRow<Data extends DataDictionary>(
  unit: PostgresWorkUnit<Data>,
  row: Row,
): PostgresAttempt<Data> {
  const worker = new PostgresWorker(unit.workSpec.namespace, Number(row.worker_id), nameFromBytes(row.worker_name));
  return new PostgresAttempt<Data>(unit, worker, { ...attemptStateFromRow<Data>(row), number: Number(row.number) });
}

/** The attempt of whatever unit the row names. */
export function attemptOfNamespaceFromRow(namespace: PostgresNamespace, row: Row): PostgresAttempt {
  const spec = new PostgresWorkSpec(namespace, Number(row.spec_id), nameFromBytes(row.spec_name));
  return attemptFromRow(new PostgresWorkUnit(spec, Number(row.unit_id), bytes(row.unit_name)), row);
}
