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

/** The state in a row of list-attempts. Raises BadCborError. */
export function attemptStateFromRow<Data extends DataDictionary>(row: Row): AttemptState<Data> {
  return { ...stateWithoutData(row), data: decodeData(bytes(row.data)) as Data };
}

function stateWithoutData(row: Row): Omit<AttemptState, 'data'> {
  return {
    status: row.status as AttemptStatus,
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
  const encoded = bytes(row.data);
  return new PostgresAttempt<Data>(unit, worker, {
    number: Number(row.number),
    ...stateWithoutData(row),
    source: {
      // When somebody asks for them: those of one unit that cannot be decoded are not to keep others from being read.
      get data(): Data {
        return decodeData(encoded) as Data;
      },
    },
  });
}

/** The attempt of whatever unit the row names. */
export function attemptOfNamespaceFromRow(namespace: PostgresNamespace, row: Row): PostgresAttempt {
  const spec = new PostgresWorkSpec(namespace, Number(row.spec_id), nameFromBytes(row.spec_name));
  return attemptFromRow(new PostgresWorkUnit(spec, Number(row.unit_id), bytes(row.unit_name)), row);
}
