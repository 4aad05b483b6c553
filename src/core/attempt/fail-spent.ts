import { encodeData } from '../../codec/index.js';
import { statement, type Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';

/** What a unit's last, failed attempt says when its retries are spent. */
const tooManyRetries = encodeData({ traceback: 'too many retries' });

/**
 * Fails units whose retries are spent, with an attempt that nobody is handed: what a claim does with those that it comes upon, right behind it,
 * and like it through the gate. The claim tells where they lie in `ready`; what lies there now is looked at again. Those that somebody else holds stay
 * where they are, for the next claim.
 *
 * Lock order: ready, then work_unit, which is against the order of locks and so never waits: who changes such a unit may be waiting for its row in ready.
 * Index: the primary keys of work_spec and work_unit. Parameters: spec id, places, worker id, lifetime in ms, data, now.
 */
const failSpentUnits = statement(
  'attempt.fail-spent',
  (s) => `
    with picked as materialized (
      select r.ctid as place, r.unit_id, r.attempts
      from ${s}.work_spec w, ${s}.ready r
      where w.id = $1::bigint and r.ctid = any($2::text::tid[]) and r.spec_id = w.id
        and w.max_retries > 0 and r.attempts >= w.max_retries and exists (select from ${s}.no_crash_since)
      for update of r skip locked
    ),
    endable as materialized (
      select u.id from ${s}.work_unit u
      where u.id = any(array(select unit_id from picked))
      for no key update skip locked
    ),
    spent as materialized (
      select * from picked where unit_id in (select id from endable)
    ),
    taken as (delete from ${s}.ready where ctid = any(array(select place from spent))),
    numbered as materialized (
      select
        unit_id, attempts + 1 as attempts, nextval('${s.replaceAll("'", "''")}.attempt_number') as number,
        coalesce($6::timestamptz, statement_timestamp()) as now
      from spent
    ),
    failed as (
      insert into ${s}.attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
      select $1::bigint, unit_id, number, $3::bigint, 'failed', now, now, now + $4::float8 * interval '1 millisecond', $5::bytea
      from numbered
    ),
    ended as (
      update ${s}.work_unit u set ended = 'failed', active_attempt = n.number, attempts = n.attempts
      from numbered n where u.id = any(array[n.unit_id])
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select $1::bigint, 'failed', count(*) from numbered having count(*) > 0
    )
    select unit_id, number from numbered`,
);

/** What failSpent() is told. */
export interface SpentUnits {
  readonly specId: number;
  readonly workerId: number;
  readonly lifetimeMs: number;
  /** Where their rows of `ready` lie, as the claim has it. */
  readonly places: string;
}

/** Fails them; resolves to those that were. */
export async function failSpent(
  bucket: Bucket,
  { specId, workerId, lifetimeMs, places }: SpentUnits,
): Promise<{ readonly unitId: number; readonly number: number }[]> {
  const rows = await bucket.runThroughGate(failSpentUnits, [specId, places, workerId, lifetimeMs, tooManyRetries, bucket.backend.now()]);
  return rows.map(referenceFromRow);
}

function referenceFromRow({ unit_id: unitId, number }: Row): { readonly unitId: number; readonly number: number } {
  return { unitId: Number(unitId), number: Number(number) };
}
