import { statement } from '../../database/index.js';
import { isWatched } from '../notify/is-watched.js';
import { listed, specsOfPlaced } from './end-placed.js';
import { deleteEmpty } from './lease-ranges.js';

/*
 * What endPlaced does, for attempts whose leases are in ranges (lease_range in the migrations): all there is to write are the rows of the units, which so
 * leave their ranges, and history. None is ended, and `are_all` is false, if any of the specs is gone, or has a next one for which there could be
 * output. If any of the units has left its range, or any of the ranges is not the one meant any more, the statement fails with PC003.
 *
 * Units are looked up by their ids, all in one scan, not by places: both cost as much, but places have to be told first.
 *
 * Lock order: units by id, for no longer than placedLockTimeout, then the ranges that nobody is left in.
 * Indexes: lease_range_number once a range; the primary key of work_unit.
 */

/** What both statements begin with. They name the history they write `history`. */
const endedUnits = (s: string, isLeftByAll = 'false'): string => `
    spec as materialized (${specsOfPlaced(s)}
    ),
    expected as materialized (
      select case
        when cardinality(ids) = cardinality($7::bigint[]) and (chained is null or not $5::boolean) then cardinality($2::bigint[])
        else 0
      end as count
      from spec
    ),
    unit as (
      update ${s}.work_unit u set
        ended = $1::text, active_attempt = ${listed('$3::bigint[]', 'u.id')}, attempts = coalesce(${listed('$9::integer[]', 'u.id')}, 1)
      where u.id = any($2::bigint[]) and (select count from expected) > 0
        and ${s}.is_in_range(u, ${listed('$3::bigint[]', 'u.id')})
      returning u.id
    ),
    empty as (
      -- The count has all units updated before the first range is touched.
      ${deleteEmpty(s, {
        among: `r.first_number = any($10::bigint[]) and (select count from expected) > 0 and (select count(*) from unit) = (select count from expected)`,
        butFor: `${listed('$2::bigint[]', 'u.id')} = u.id`,
        isLeftByAll,
      })}
    )`;

const answer = (s: string): string => `
    select
      expected.count > 0 as are_all, null::text as numbers,
      ${s}.require_undisturbed(
        (select count(*) from unit) = expected.count and (expected.count = 0 or (select count from written) = expected.count)
      )::text as undisturbed,
      ${isWatched(s, '$6')} as watched
    from expected`;

/** Whether one of the parts is all of a range `r`. */
const isOnePart = `
          (r.first_number, r.last_number) in (select first, last from unnest($11::bigint[], $12::bigint[]) as part (first, last))`;

/**
 * History is a row for each part of a range that is ended here (attempt_range). Parameters: as those of endPlaced before the places, but $5
 * says whether any could have output; then for each part the first number of its range, its own first and its last.
 */
export const endInRanges = statement(
  'attempt.end-in-ranges',
  (s) => `
    with ${endedUnits(s, isOnePart)},
    part as materialized (
      select r.spec_id, r.worker_id, r.started_at, r.expires_at, part.first, part.last, r.unit_ids
      from expected, unnest($10::bigint[], $11::bigint[], $12::bigint[]) as part (range, first, last)
      cross join lateral (
        select
          r.spec_id, r.worker_id, r.started_at, r.expires_at,
          r.unit_ids[(part.first - r.first_number)::integer + 1 : (part.last - r.first_number)::integer + 1] as unit_ids
        from ${s}.lease_range r
        where r.first_number = part.range and r.last_number >= part.last and r.data is null offset 0
      ) r
      -- A zero: the unit is in another that this one was split into.
      where expected.count > 0 and 0 <> all(r.unit_ids)
    ),
    written as materialized (
      select coalesce(sum(last - first + 1), 0) as count from part
    ),
    history as (
      insert into ${s}.attempt_range (
        first_number, last_number, spec_id, worker_id, status, started_at, ended_at, expires_at, unit_ids
      )
      select first, last, spec_id, worker_id, $1::text, started_at, coalesce($4::timestamptz, statement_timestamp()), expires_at, unit_ids from part
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select spec_id, $1::text, sum(last - first + 1) from part group by spec_id
    )${answer(s)}`,
);

/**
 * History is a row for each. Parameters: as those of endInRanges up to $9; for each attempt the first number of its range; all data behind each other,
 * where each begin, from 1, and how long they are, -1: they stay. These three are null if no report has data.
 */
export const endInRangesOneByOne = statement(
  'attempt.end-in-ranges-one-by-one',
  (s) => `
    with ${endedUnits(s)},
    history as (
      insert into ${s}.attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
      select
        r.spec_id, report.unit_id, report.number, r.worker_id, $1::text, r.started_at, coalesce($4::timestamptz, statement_timestamp()), r.expires_at,
        case when report.length >= 0 then substring($11::bytea from report.start for report.length) end
      from expected, unnest($2::bigint[], $3::bigint[], $10::bigint[], $12::integer[], $13::integer[]) as report (unit_id, number, range, start, length)
      cross join lateral (
        select r.spec_id, r.worker_id, r.started_at, r.expires_at from ${s}.lease_range r
        where r.first_number = report.range and r.data is null
          and r.unit_ids[(report.number - report.range)::integer + 1] = report.unit_id
        offset 0
      ) r
      where expected.count > 0
      returning spec_id
    ),
    written as materialized (
      select count(*) as count from history
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select spec_id, $1::text, count(*) from history group by spec_id
    )${answer(s)}`,
);
