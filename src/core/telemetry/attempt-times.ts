import { int8Array, statement } from '../../database/index.js';
import type { Bucket } from '../backend.js';

/** How long an attempt's unit had waited, and how long the attempt ran. */
export interface AttemptTimes {
  readonly number: number;
  /** From when the unit could have been claimed; null: not known, as the unit had ended before and was made available again. */
  readonly waitedSeconds: number | null;
  /** Null while it runs. */
  readonly ranSeconds: number | null;
}

/**
 * What is known of given attempts' times; those of deleted units are left out. A unit could be claimed since it was added, since its last
 * attempt was given back or expired, or since its notBefore.
 * Indexes: work_unit (id), attempt (unit_id, number), lease (spec_id, unit_id), superseded (unit_id), one probe each.
 * Parameters: unit ids, numbers.
 */
export const readAttemptTimes = statement(
  'telemetry.attempt-times',
  (s) => `
    select
      asked.number,
      extract(epoch from case
        when before.status is null then a.started_at - greatest(u.added_at, due.at)
        when before.status in ('retryable', 'expired') then a.started_at - greatest(before.ended_at, due.at)
      end)::float8 as waited,
      extract(epoch from a.ended_at - a.started_at)::float8 as ran
    from unnest($1::bigint[], $2::bigint[]) as asked (unit_id, number)
    cross join lateral (select * from ${s}.work_unit u where u.id = asked.unit_id offset 0) u
    cross join lateral (
      select started_at, ended_at from ${s}.any_attempt a
      where a.spec_id = u.spec_id and a.unit_id = u.id and a.number = asked.number
      limit 1
    ) a
    -- A later one was set by the attempt's own retry.
    cross join lateral (select case when u.not_before <= a.started_at then u.not_before end as at) due
    left join lateral (
      select h.status, h.ended_at from ${s}.attempt h
      where h.unit_id = u.id and h.number < asked.number
      order by h.number desc limit 1
    ) before on true`,
);

/** Of the attempts of one bucket, in no particular order. */
export async function attemptTimes(
  bucket: Bucket,
  attempts: readonly { readonly unitId: number; readonly number: number }[],
): Promise<AttemptTimes[]> {
  const unitIds = int8Array(attempts.map(({ unitId }) => unitId));
  const rows = await bucket.run(readAttemptTimes, [unitIds, int8Array(attempts.map(({ number }) => number))]);
  return rows.map(({ number, waited, ran }) => ({
    number: Number(number),
    waitedSeconds: waited === null ? null : Math.max(0, Number(waited)),
    ranSeconds: ran === null ? null : Math.max(0, Number(ran)),
  }));
}
