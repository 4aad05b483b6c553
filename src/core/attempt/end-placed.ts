import { statement } from '../../database/index.js';
import { isWatched } from '../notify/is-watched.js';

/*
 * What endUndisturbed does, for attempts whose claim told where the rows of unit and lease lie and how many attempts the unit has had: no search in
 * an index, and all places gone through in one scan. These are hints. A row that is not the one meant, as it has moved or gone, is not
 * found; then the whole statement fails with PC003 and leaves no trace, and endAttempts is asked. (One that moves while this waits for it may be
 * found, depending on the server's version: history is written from what the lease says then.)
 *
 * No row is made of a report. What it says about a unit is found by a binary search for the unit's id, and by the same position in the other lists, whose
 * elements are of one length, so that each is reached at once.
 *
 * Lock order: the one in which the rows lie, work_unit before lease. Therefore these wait for no lock longer than placedLockTimeout, and
 * then fail with 55P03, which leaves no trace either. Indexes: none but those of work_spec.
 */

/** They have to give way long before PostgreSQL looks for deadlocks, which it does after a second. */
const placedLockTimeout = '20ms';

/** What one of the lists has of the unit with this id. */
export const listed = (list: string, id: string): string => `(${list})[width_bucket(${id}, $2::bigint[])]`;

/** Of the specs of the reports ($7) those that exist, and those that have a next one. A lock timeout ($8) holds from here, before there is any lock. */
export const specsOfPlaced = (s: string): string => `
      select
        array_agg(w.id) as ids,
        array_agg(w.id) filter (where (
          select true from ${s}.work_spec n where n.namespace_id = w.namespace_id and n.name = w.next_work_spec_name
        )) as chained
      from unnest($7::bigint[]) given (id)
      cross join lateral (select * from ${s}.work_spec w where w.id = given.id offset 0) w
      where set_config('lock_timeout', coalesce($8::text, '${placedLockTimeout}'), true) is not null`;

/**
 * Parameters: status, unit ids (ascending, each once), numbers, now, whether each could have output, namespace id, the different spec ids, a lock timeout or null, attempts (null: each has had one), places of the units, places of the leases; for each attempt which of the specs is its own, from 1; all data behind each
 * other, where each begin, from 1, and how long they are, -1: they stay. These three are null if no report has data.
 */
export const endPlaced = statement(
  'attempt.end-placed',
  (s) => `
    with spec as materialized (${specsOfPlaced(s)}
    ),
    expected as materialized (
      select case
        when chained is null and cardinality(ids) = cardinality($7::bigint[]) then cardinality($2::bigint[])
        else (
          select count(*) from unnest($5::boolean[], $12::integer[]) r (has_output, spec)
          where ($7::bigint[])[spec] = any(ids) and (has_output and ($7::bigint[])[spec] = any(chained)) is not true
        )
      end as count
      from spec
    ),
    unit as (
      update ${s}.work_unit u set
        ended = $1::text, active_attempt = ${listed('$3::bigint[]', 'u.id')}, attempts = coalesce(${listed('$9::integer[]', 'u.id')}, 1)
      where u.ctid = any($10::tid[]) and u.id = ${listed('$2::bigint[]', 'u.id')}
        -- No index is to be used for this, not even if the plan is made while the table is empty.
        and u.spec_id + 0 = any((select ids from spec)::bigint[])
        and (u.spec_id = any((select chained from spec)::bigint[]) and ${listed('$5::boolean[]', 'u.id')}) is not true
      returning u.id
    ),
    gone as (
      -- The count has all units updated before the first lease is touched.
      delete from ${s}.lease l
      where l.ctid = any($11::tid[]) and l.number = ${listed('$3::bigint[]', 'l.unit_id')}
        and (select count(*) from unit) = (select count from expected)
        -- Only of those expected, so that equal counts mean the same attempts.
        and l.spec_id + 0 = any((select ids from spec)::bigint[])
        and (l.spec_id = any((select chained from spec)::bigint[]) and ${listed('$5::boolean[]', 'l.unit_id')}) is not true
      returning
        l.spec_id, l.unit_id, l.number, l.worker_id, l.started_at, l.expires_at,
        case
          when ${listed('$15::integer[]', 'l.unit_id')} >= 0
          then substring($13::bytea from ${listed('$14::integer[]', 'l.unit_id')} for ${listed('$15::integer[]', 'l.unit_id')})
          else l.data
        end as data
    ),
    history as (
      insert into ${s}.attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
      select spec_id, unit_id, number, worker_id, $1::text, started_at, coalesce($4::timestamptz, statement_timestamp()), expires_at, data
      from gone
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select spec_id, $1::text, count(*) from gone group by spec_id
    )
    select
      expected.count = cardinality($2::bigint[]) as are_all,
      case when expected.count < cardinality($2::bigint[]) then (select string_agg(number::text, ',') from gone) end as numbers,
      ${s}.require_undisturbed((select count(*) from gone) = expected.count)::text as undisturbed,
      ${isWatched(s, '$6')} as watched
    from expected`,
);
