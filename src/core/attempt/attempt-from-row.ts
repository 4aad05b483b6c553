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
  return { ...timesFromRow(row), data: decodeData(bytes(row.data)) as Data };
}

function timesFromRow(row: Row): Omit<AttemptState, 'data'> {
  return {
    status: row.status as AttemptStatus,
    startTime: instant(row.started_at),
    endTime: instantOrNull(row.ended_at),
    expirationTime: instant(row.expires_at),
  };
}

/** Data as they are stored, decoded when somebody asks for them: one unit's that cannot be are not to keep others from being read. */
class StoredData<Data extends DataDictionary> {
  readonly #encoded: Uint8Array;

  constructor(encoded: Uint8Array) {
    this.#encoded = encoded;
  }

  /** Raises BadCborError. */
  get data(): Data {
    return decodeData(this.#encoded) as Data;
  }
}

/** The attempt of a known unit. */
export function attemptFromRow<Data extends DataDictionary>(
  unit: PostgresWorkUnit<Data>,
  row: Row,
): PostgresAttempt<Data> {
  const worker = new PostgresWorker(unit.workSpec.namespace, Number(row.worker_id), nameFromBytes(row.worker_name));
  return new PostgresAttempt<Data>(unit, worker, {
    number: Number(row.number),
    ...timesFromRow(row),
    source: new StoredData<Data>(bytes(row.data)),
  });
}

/** The attempt of whatever unit the row names. */
export function attemptOfNamespaceFromRow(namespace: PostgresNamespace, row: Row): PostgresAttempt {
  const spec = new PostgresWorkSpec(namespace, Number(row.spec_id), nameFromBytes(row.spec_name));
  return attemptFromRow(new PostgresWorkUnit(spec, Number(row.unit_id), bytes(row.unit_name)), row);
}
