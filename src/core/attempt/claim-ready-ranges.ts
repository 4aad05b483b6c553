import { statement } from '../../database/index.js';
import { answer, firstRanges, firstUnit, leases, specWithRoom } from './claim-parts.js';

/**
 * Claims units of one spec that are in rows of `ready_range`: whole ranges, and of the last one as many from the front as there is room for. As claimUnits, but only
 * as far as ranges come one behind the other. `stopped_by` says what comes next if there was room for more: 'units' of `ready`; a range (its id) that overlaps
 * with the next, or has units of `ready` in between, and is to be broken up; or 'ranges' as well, more than were looked at.
 *
 * The first ranges of each generation are looked up without locks, then locked (NO KEY UPDATE: whoever is changing a unit of one, and so has a KEY SHARE lock, is not in the way); then the
 * units themselves (a change after this statement's snapshot is a serialization failure); then ranges are shortened to what is left of them, or deleted if nothing is. If units could not be
 * locked, fewer come back: `held_ranges` are those of which only such are left, for another try that passes them by; in the last one `passed_by` says how
 * many they were, for another that looks so much further.
 *
 * Lock order: ready_range, work_unit, both by skipping. Indexes: ready_range_order, up to the limit in each generation; ready_order, one probe of each; the primary key of
 * work_unit.
 * Parameters: as those of claimUnits; then rank and name before which units of `ready` are passed by, as somebody has locked them, or null.
 */
export const claimReadyRanges = statement(
  'attempt.claim-ready-ranges',
  (s) => `
    with ${specWithRoom(s)},
    ${firstRanges(s)},
    start as materialized (
      select coalesce($16::float8, '-infinity') as rank, coalesce($17::bytea, '') as name
    ),
    ${firstUnit(s, { hasStart: true })},
    judged as materialized (
      select
        found.*,
        case
          when (unit.rank, unit.name) < (found.rank, found.first_name) then 'units'
          -- What comes behind it in its generation is not known.
          when found.nth = found.most then 'ranges'
          when (unit.rank, unit.name) <= (found.rank, found.last_name) or (
            lead(found.rank) over in_order, lead(found.first_name) over in_order
          ) <= (found.rank, found.last_name) then found.id::text
        end as obstacle
      from found left join unit on true
      window in_order as (order by found.rank, found.first_name, found.id)
    ),
    wanted as materialized (
      select id, place from (
        select
          id, place, bool_and(obstacle is null) over in_order as is_clear, sum(units) over in_order - units as before
        from judged
        window in_order as (order by rank, first_name, id)
      ) r
      where is_clear and before < (select room + $6::bigint from spec)
    ),
    picked as materialized (
      select r.ctid as place, r.id, r.rank, r.first_name, r.unit_ids, cardinality(r.unit_ids) as units
      from ${s}.ready_range r
      where r.ctid = any(array(select place from wanted))
      for no key update skip locked
    ),
    used as materialized (
      select picked.*, least(picked.units, spec.room + $6::bigint - picked.before) as looked_at
      from spec, (select *, sum(units) over (order by rank, first_name, id) - units as before from picked) picked
      where picked.before < spec.room + $6::bigint
      order by picked.rank, picked.first_name, picked.id
    ),
    member as materialized (
      select used.id, m.unit_id from used cross join lateral unnest(used.unit_ids[:used.looked_at]) as m (unit_id)
    ),
    locked as materialized (
      select u.id from ${s}.work_unit u
      where u.id = any(array(select unit_id from member)) and u.waits_in = any(array(select id from used)) and u.ended is null
      for no key update skip locked
    ),
    numbered as materialized (
      select id, unit_id, 1 as attempts, false as spent, nextval('${s.replaceAll("'", "''")}.attempt_number') as number
      -- As a condition of each row: a join of lists of a thousand would be one of nested loops.
      from member where (unit_id in (select id from locked)) is true
      limit (select room from spec)
    ),
    -- Those looked at that are not claimed, as somebody has locked them or there is no room. In the order of their ids, which is that of their names.
    left_over as materialized (
      select m.id, array_agg(m.unit_id order by m.unit_id) as unit_ids
      from (select * from member where (unit_id in (select unit_id from numbered)) is not true offset 0) m
      cross join lateral (
        select from ${s}.work_unit u where u.id = m.unit_id and u.waits_in = m.id and u.ended is null offset 0
      ) u
      group by m.id
    ),
    -- What stays in each range.
    rest as materialized (
      select used.id, used.place, used.looked_at = used.units as is_looked_through, (select unit_ids from left_over l where l.id = used.id) || used.unit_ids[used.looked_at + 1 :] as unit_ids from used
    ),
    emptied as (delete from ${s}.ready_range where ctid = any(array(select place from rest where unit_ids = '{}'))),
    shortened as (
      update ${s}.ready_range r set
        unit_ids = rest.unit_ids, first_name = coalesce((select u.name from ${s}.work_unit u where u.id = rest.unit_ids[1]), r.first_name)
      from rest where rest.unit_ids <> '{}' and r.id = any(array[rest.id])
    ),
    claim as materialized (
      select count(*) as taken, min(number) as least, max(number) as greatest from numbered
    ),
    ${leases(s, { inRanges: true })}
    select
      ${answer()},
      null as spent_units, null as spent_numbers, false as spent,
      case
        when claim.taken < (select room from spec)
        then (select coalesce(sum(cardinality(l.unit_ids)), 0) from left_over l where l.id not in (select id from rest where is_looked_through))
        else 0
      end as passed_by,
      case when claim.taken < (select room from spec) then array(
        select id from wanted where id not in (select id from picked)
        union all
        select id from rest where unit_ids <> '{}' and is_looked_through
      ) end as held_ranges,
      generation.sealed, generation.epoch, null as sealed_rank, null as sealed_name,
      case when claim.taken < (select room from spec) then coalesce(
        -- Some of those looked at were none of the range any more: there are more behind them. If others were locked, passed_by says how far to look.
        (select case when exists (select from left_over l where l.id = rest.id) then 'none' else 'ranges' end from rest where not is_looked_through limit 1),
        (select obstacle from judged where obstacle is not null order by rank, first_name, id limit 1), (select 'units' from unit)
      ) end as stopped_by
    from due, generation, claim`,
);

/** Gives the units of a range rows in `ready`, but for those that somebody has locked; whether only such are left. Behind the claim gate. Parameters: the id of the range. */
export const breakUpReadyRange = statement('attempt.break-up-ready-range', (s) => `select ${s}.break_up_ready_range($1::bigint) as is_held`);
