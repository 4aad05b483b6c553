import { int8Array, statement, type Row } from '../../database/index.js';
import { ConnectionLostError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import type { Confirmation } from '../notify/wake.js';
import { answerOfNewUnits, specOfNewUnits } from './add-statements.js';

/**
 * As addNewUnits, for units that a worker in another process is likely to be woken for: it commits without waiting for the disk, so that the worker begins
 * while that is being written. `flushAndReserve` has to follow, and who adds them is told only after that.
 *
 * If the server crashes in between, there never was such a unit, though its worker may have begun with it: what that worker reports is refused. But whatever else it does with what it knows
 * as the unit must not meet another one, so the ids are reserved ones, which the server does not give out again after a crash. Nothing is added if it has crashed since they were
 * reserved, or if the tables are those of an older copy.
 *
 * Parameters: as of addNewUnits; ids, in the order of the names; the epoch in which they were reserved.
 */
export const addNewUnitsEarly = statement(
  'work-unit.add-early',
  (s) => `
    with ${specOfNewUnits(s)},
    early as materialized (
      select set_config('synchronous_commit', 'off', true)
      from spec
      where (select epoch from ${s}.no_crash_since) = $9::uuid
        and (select last_value from ${s}.work_unit_id_seq) >= ($8::bigint[])[cardinality($8::bigint[])]
    ),
    added as (
      insert into ${s}.work_unit (id, spec_id, name, data, priority)
      overriding system value
      select unit.id, $1::bigint, unit.name, unit.data, coalesce(unit.priority, 0)
      from early, unnest($2::bytea[], $3::bytea[], $4::float8[], $8::bigint[]) as unit (name, data, priority, id)
      returning id, name, priority
    ),
    available as (
      insert into ${s}.ready (generation, spec_id, rank, name, unit_id, attempts)
      select (select last_value from ${s}.ready_open), $1::bigint, -priority, name, id, 0 from added
    ),
    ${answerOfNewUnits(s, 'early')}`,
);

/**
 * Waits for the disk, for all that was committed before, as a commit does that has written something itself: here a sequence (of pg_logical_emit_message
 * whoever decodes the WAL would hear). And reserves ids for units to come. Parameters: how many.
 */
const flushAndReserve = statement(
  'work-unit.flush-and-reserve',
  (s) => `
    select
      setval('${s.replaceAll("'", "''")}.flush_mark', 1),
      (select epoch from ${s}.no_crash_since) as epoch,
      (select array_agg(nextval('${s.replaceAll("'", "''")}.work_unit_id_seq')) from generate_series(1, $1::integer)) as ids`,
);

/** More are not what one of them waits for. */
const mostAddedEarly = 50;

/** How to add units so that others, who are likely to be woken for them, begin while the disk is being written. */
export interface EarlyAdd {
  /** The last two parameters of addNewUnitsEarly. */
  readonly values: readonly [ids: Uint8Array, epoch: string];
  readonly confirmation: Confirmation;
}

/** Undefined: not to be done so. */
export function planEarlyAdd(bucket: Bucket, namespaceId: number, count: number): EarlyAdd | undefined {
  const { backend, wakes, reservedIds } = bucket;
  // Where clients do not pipeline, whoever adds would wait for each of three trips.
  if (count > mostAddedEarly || !backend.database.pipelines || !wakes.isLikely(namespaceId)) return undefined;
  const taken = reservedIds.take(count);
  if (taken === undefined) {
    if (reservedIds.mayReserve) bucket.reservations.count();
    return undefined;
  }
  const { ids, epoch } = taken;
  const step = [flushAndReserve, [reservedIds.missing(count)]] as const;
  return { values: [int8Array(ids), epoch], confirmation: { step, confirm: (added, rows) => confirmFlushed(bucket, epoch, added, rows) } };
}

/** Reserves ids, without anything to be flushed. */
export async function reserveUnitIds(bucket: Bucket): Promise<void> {
  const { reservedIds } = bucket;
  const [row] = await bucket.run(flushAndReserve, [reservedIds.missing(mostAddedEarly)]).catch((error: unknown) => {
    reservedIds.failed();
    throw error;
  });
  if (row !== undefined) reservedIds.add(row);
}

/**
 * What was added is on the disk once flushAndReserve has been run by anybody, if the server has not crashed in between: which the epoch tells, even if
 * a proxy has kept the connection meanwhile. Raises ConnectionLost if that cannot be known.
 */
async function confirmFlushed(bucket: Bucket, epoch: string, [added]: readonly Row[], rows: readonly Row[] | undefined): Promise<void> {
  if (rows?.[0] !== undefined) bucket.reservedIds.add(rows[0]);
  // Nothing was added: names exist, or the ids were of another epoch.
  if (Number(added?.specs) === 0) return;
  const [row] = rows ?? (await bucket.run(flushAndReserve, [0]).catch((cause: unknown) => {
    bucket.reservedIds.failed();
    throw new ConnectionLostError(cause instanceof Error ? cause.message : String(cause), { cause });
  }));
  if (row?.epoch !== epoch) throw new ConnectionLostError('the server has crashed meanwhile');
}
