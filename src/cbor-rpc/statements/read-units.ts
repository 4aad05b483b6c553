import { decodeData, type DataDictionary } from '../../codec/index.js';
import { instantOrNull, bytes, nameFromBytes } from '../../core/instant.js';
import type { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';
import type { WorkUnitStatus } from '../../core/work-unit/work-unit-status.js';
import { int8Array, statement } from '../../database/index.js';
import { tooLarge } from '../refusal.js';

/** A work unit as clients are told of it. */
export interface UnitRecord {
  readonly key: Uint8Array;
  readonly status: WorkUnitStatus;
  /** The active attempt's, else the unit's own; null if they were not asked for. */
  readonly data: DataDictionary | null;
  /** The bytes of the data of this unit and of those before it in the same answer. */
  readonly sizeSoFar: number;
  /** Whoever has the active attempt. */
  readonly worker: string | null;
  /** When the active attempt's lease ends, while it is pending. */
  readonly expiration: Date | null;
}

/**
 * Many units in one round trip, ordered by name, with what their active attempts add. Data are read up to so many bytes in all: of a payload
 * that is stored apart the size is known without reading it. Indexes: the primary keys, and attempt_unit. Parameters: unit ids, now, whether to
 * read the data of failed units only, most bytes.
 */
const readUnits = statement(
  'rpc.read-units',
  (s) => `
    select
      p.name, p.status, p.worker_name, p.expires_at, p.size_so_far,
      case when p.size_so_far <= $4::bigint then p.data end as data
    from (
      select q.*, sum(octet_length(q.data)) over (order by q.name rows unbounded preceding) as size_so_far
      from (
        select
          u.name, l.expires_at,
          ${s}.unit_status(
            u.ended, l.unit_id is not null, u.not_before, coalesce($2::timestamptz, statement_timestamp())
          ) as status,
          case when u.ended = 'failed' or not $3::boolean then coalesce(l.data, a.data, u.data) end as data,
          (select w.name from ${s}.worker w where w.id = coalesce(l.worker_id, a.worker_id)) as worker_name
        from unnest($1::bigint[]) as i (id)
        join ${s}.work_unit u on u.id = i.id
        left join lateral (select * from ${s}.lease_of_unit l where l.unit_id = u.id offset 0) l on true
        left join lateral (
          select * from ${s}.any_attempt a where a.spec_id = u.spec_id and a.unit_id = u.id and a.number = u.active_attempt offset 0
        ) a on true
      ) q
    ) p
    order by p.name`,
);

export interface ReadUnitsOptions {
  readonly ofFailedOnly?: boolean;
  /** Most bytes of data. */
  readonly maxBytes: number;
}

/** Reads units by their ids; those that are gone are left out. Refuses what would be too large. */
export async function unitRecords(
  { bucket }: PostgresNamespace,
  ids: readonly number[],
  { ofFailedOnly = false, maxBytes }: ReadUnitsOptions,
): Promise<UnitRecord[]> {
  if (ids.length === 0) return [];
  const rows = await bucket.look(readUnits, [int8Array(ids), bucket.backend.now(), ofFailedOnly, maxBytes]);
  return rows.map((row) => {
    if (Number(row.size_so_far) > maxBytes) throw tooLarge(maxBytes);
    return {
      key: bytes(row.name),
      status: row.status as WorkUnitStatus,
      data: row.data === null ? null : decodeData(bytes(row.data)),
      sizeSoFar: Number(row.size_so_far),
      worker: row.worker_name === null ? null : nameFromBytes(row.worker_name),
      expiration: instantOrNull(row.expires_at),
    };
  });
}
