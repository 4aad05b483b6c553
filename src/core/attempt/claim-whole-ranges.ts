import { statement } from '../../database/index.js';
import { isWatchedFully } from '../notify/is-watched.js';
import { answer, firstRanges, firstUnit, headOfUnit, isReadTogether, leastInLeaseRanges, roomOfUnlimited, specWithRoom } from './claim-parts.js';

/**
 * What claimReadyRanges does, for the case that is common: nobody else has anything of the ranges that come first. Each becomes a range of leases as it is.
 *
 * It claims the ranges that come first, as far as there is room for all of each and they come one behind the other. Nothing if somebody has one of them locked, as who takes a unit out of it has
 * until he commits, or if somebody forces an attempt at this moment; nor of specs that limit how many may run. `stopped_by`, if there was room for more but for such a limit: 'ranges', more than were
 * looked at; 'others', which claimReadyRanges is for; 'units' of `ready`, if there are no ranges.
 *
 * Units are neither locked nor read. One that has left its range before is in the range of leases no more than it was in this one, as its row does not say so (`waited_in`); it is not among those that are
 * read afterwards, so fewer may come back than `taken`. Whoever changes one later has to get the range's lock before he takes the unit for a waiting one: see take_waiting_units.
 *
 * Lock order: ready_range only, by skipping. Isolation and indexes: as claimReadyRanges. Parameters: as those of claimUnits.
 */
export const claimWholeRanges = statement(
  'attempt.claim-whole-ranges',
  (s) => `
    with ${specWithRoom(s, { room: roomOfUnlimited })},
    ${firstRanges(s)},
    ${firstUnit(s)},
    judged as materialized (
      select
        found.*, sum(found.units) over in_order as up_to,
        case
          when found.units < ${leastInLeaseRanges} or (unit.rank, unit.name) <= (found.rank, found.last_name) or (
            lead(found.rank) over in_order, lead(found.first_name) over in_order
          ) <= (found.rank, found.last_name) then 'others'
          -- What comes behind it in its generation is not known.
          when found.nth = found.most then 'ranges'
        end as obstacle
      from found left join unit on true
      window in_order as (order by found.rank, found.first_name, found.id)
    ),
    wanted as materialized (
      select place, up_to from (
        select place, up_to, bool_and(obstacle is null) over (order by rank, first_name, id) as is_clear from judged
      ) r
      where is_clear and up_to <= (select room from spec where max_running <= 0)
    ),
    picked as materialized (
      select r.ctid as place, r.id, r.rank, r.first_name, r.unit_ids, cardinality(r.unit_ids) as units
      from ${s}.ready_range r
      where r.ctid = any(array(select place from wanted))
      for update skip locked
    ),
    numbers as materialized (
      select count(*) as count, min(number) as least, max(number) as greatest
      from (
        select nextval('${s.replaceAll("'", "''")}.attempt_number') as number
        from generate_series(1, (select sum(units)::bigint from picked having count(*) = (select count(*) from wanted)))
      ) given
    ),
    claimed as materialized (
      select
        picked.place, picked.id, picked.unit_ids, picked.units, n.least + sum(picked.units) over in_order - picked.units as first_number, n.greatest
      from picked, numbers n
      where n.greatest - n.least = n.count - 1
      window in_order as (order by picked.rank, picked.first_name, picked.id)
    ),
    emptied as (delete from ${s}.ready_range where ctid = any(array(select place from claimed))),
    leased as (
      insert into ${s}.lease_range (first_number, last_number, spec_id, worker_id, started_at, expires_at, unit_ids, least_unit, greatest_unit, waited_in)
      select
        first_number, first_number + units - 1, $1::bigint, $3::bigint, coalesce($5::timestamptz, statement_timestamp()),
        coalesce($5::timestamptz, statement_timestamp()) + $4::float8 * interval '1 millisecond', unit_ids, unit_ids[1], unit_ids[units], id
      from claimed
    ),
    claim as materialized (
      select coalesce(sum(units), 0) as taken, min(first_number) as least, max(greatest) as greatest from claimed
    )
    select
      ${answer('null')},
      null as spent_units, null as spent_numbers, false as spent, 0 as passed_by, null as held_ranges,
      generation.sealed, generation.epoch, null as sealed_rank, null as sealed_name,
      case
        when claim.taken >= (select room from spec) then null
        when claim.taken > 0 then coalesce(
          (
            select coalesce(obstacle, 'others') from judged where obstacle is not null or up_to > (select room from spec)
            order by rank, first_name, id limit 1
          ),
          (select 'units' from unit)
        )
        else coalesce((select 'others' from found limit 1), (select 'units' from unit))
      end as stopped_by
    from due, generation, claim`,
);

/**
 * What readClaimed does, for what claimWholeRanges has claimed: a row for each range of leases, `heads` without what is the same for all of the range. `unit_ids` are
 * those of the range in the order of their numbers, if not all of them were read; `held`, how many of those that there are were in it when it was claimed (of ranges of other claims, not to be used). Units that had left their range before it was claimed are not among them, nor attempts that have a lease of their own by now.
 *
 * All of a range are read in one scan. Index: lease_range_worker, from the number on; the key of work_unit. Parameters: as those of readClaimed.
 */
export const readClaimedRanges = statement(
  'attempt.read-claimed-ranges',
  (s) => `
    select r.first_number, u.heads, u.names, u.datas, case when u.count < cardinality(r.unit_ids) then r.unit_ids end as unit_ids,
      case
        when u.count < cardinality(r.unit_ids)
        then (select count(*) from ${s}.work_unit u where u.id = any(r.unit_ids) and u.waits_in = r.waited_in)
        else u.count
      end as held,
      ${isWatchedFully(s, '$4')} as watched
    from (
      select * from ${s}.lease_range r
      where r.worker_id = $2::bigint and r.last_number > $3::bigint and r.spec_id = $1::bigint
      order by r.last_number
    ) r
    cross join lateral (
      select
        count(*) as count,
        string_agg(${headOfUnit}, ''::bytea) as heads,
        string_agg(name, ''::bytea) as names,
        string_agg(data, ''::bytea) filter (where together) as datas
      from (
        select u.id as unit_id, u.name, coalesce(r.data, u.data) as data, ${isReadTogether('coalesce(r.data, u.data)')} as together
        from ${s}.work_unit u
        -- A unit has one attempt in a range: asking for the first number does for all.
        where u.id = any(r.unit_ids) and ${s}.is_in_lease_range(u, r.first_number, r.waited_in)
        -- As they are in the range.
        order by u.id
      ) u
    ) u`,
);
