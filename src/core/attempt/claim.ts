import { statement } from '../../database/index.js';
import { isWatchedFully } from '../notify/is-watched.js';
import { answer, headOfClaimed, isReadTogether, leases, rangeHead, specWithRoom } from './claim-parts.js';

/**
 * Claims units of one spec: the highest priority first, then the bytewise smallest name. One row comes back, whatever there was. From leastInLeaseRanges on
 * they are leased in ranges, or else with a row for each.
 *
 * Runs SERIALIZABLE, or REPEATABLE READ if need be, and through the claim gate (see Bucket.runThroughGate), so that claims of a bucket see each other's results:
 * the number of pending units cannot grow between its count here and the commit. What can happen at the same time is
 * that units are added, changed or deleted, and that attempts end. Those take their locks in READ COMMITTED transactions, which
 * cannot make this one fail; a unit that one of them holds is skipped.
 *
 * The first units are looked up in each generation of `ready` without locks (in the sealed one from where this process last saw the first),
 * then those that come first in all are locked and deleted by their place. If some could not be locked, fewer come back: `passed_by`
 * says how many, for another try that looks so much further. Units in ready_range are not claimed, nor what comes after the first of them: `stopped_by` is
 * the range that it was, if there was room for more; claimReadyRanges or breakUpReadyRange is for those (`may_claim_ranges`: the former, too). Units whose retries are spent are left where they are, and `spent` says that there are any:
 * claimOrFailUnits is for those. (A statement pays for each table that it might write, and few claims come upon any.)
 *
 * Lock order: ready, by skipping. No row of work_unit is locked or written.
 * Indexes: ready_order, up to the limit in each generation; ready_range_order, one probe of each; lease (spec_id, unit_id), up to maxRunning entries, and only if there is such a
 * limit; lease_due, lease_range_due and delayed_due from where nothing was due before.
 *
 * What comes back goes through the gate with the claim: a few numbers, so that it fits into the buffers of a connection even if
 * its client is frozen, and the gate opens all the same. Names and payloads are fetched afterwards.
 * Parameters: spec id, number of units, worker id, lifetime in ms, now, how many to look further,
 * the sealed generation this process knows, rank and name of the first unit in it, whether to claim without looking for what is due, since when
 * leases and delays can be due, available memory in GB or null, runtimes or null, the epoch in which the sealed generation was seen, ranges of ready_range to pass by.
 */
export const claimUnits = statement('attempt.claim', (s) => claimText(s, { inRanges: true }));

/** The same for fewer than leastInLeaseRanges: a table less that it might write. */
export const claimFewUnits = statement('attempt.claim-few', (s) => claimText(s, {}));

/**
 * The same, but fails those whose retries are spent: `spent_units` and `spent_numbers` are of these, and `taken` counts them, too.
 * Lock order: ready, then for them work_unit, both by skipping. Index: also the primary key of work_unit. Parameters: also, as the last one, the data
 * of a unit whose retries are spent.
 */
export const claimOrFailUnits = statement('attempt.claim-or-fail', (s) => claimText(s, { failsSpent: true }));

/** One text, as they must never differ in what they choose. */
function claimText(s: string, { failsSpent = false, inRanges = false }: { readonly failsSpent?: boolean; readonly inRanges?: boolean }): string {
  const missed = '(select count(*) from wanted) - claim.taken';
  const passedBy = `case when claim.taken < (select room from spec) then ${failsSpent ? missed : `${missed} - (select count(*) from picked where spent)`} else 0 end`;
  return `
    with ${specWithRoom(s)},
    ${rangeHead(s)},
    first as materialized (
      select first.*
      from spec cross join generation cross join lateral (
        (
          select r.ctid as place, r.rank, r.name, true as is_sealed from ${s}.ready r
          where r.generation = generation.sealed and r.spec_id = spec.id
            and (r.rank, r.name) >= (generation.rank, generation.name)
          order by r.rank, r.name limit spec.room + $6::bigint
        )
        union all
        (
          select r.ctid, r.rank, r.name, false from ${s}.ready r
          where r.generation = generation.closed and r.spec_id = spec.id
          order by r.rank, r.name limit spec.room + $6::bigint
        )
        union all
        (
          select r.ctid, r.rank, r.name, false from ${s}.ready r
          where r.generation = generation.open and r.spec_id = spec.id
          order by r.rank, r.name limit spec.room + $6::bigint
        )
      ) first
    ),
    wanted as materialized (
      select place from first
      where (select id from range_head) is null or (rank, name) < ((select rank from range_head), (select first_name from range_head))
      order by rank, name limit (select room + $6::bigint from spec)
    ),
    picked as materialized (
      select r.ctid as place, r.unit_id, r.attempts, spec.max_retries > 0 and r.attempts >= spec.max_retries as spent
      from ${s}.ready r, spec
      where r.ctid = any(array(select place from wanted))
      order by r.rank, r.name
      limit (select room from spec)
      for update of r skip locked
    ),
    ${failsSpent ? endable(s) : ''}
    numbered as materialized (
      select place, unit_id, attempts + 1 as attempts, spent, nextval('${s.replaceAll("'", "''")}.attempt_number') as number
      from picked where not spent ${failsSpent ? 'or unit_id in (select id from endable)' : ''}
    ),
    taken as (delete from ${s}.ready where ctid = any(array(select place from numbered))),
    ${failsSpent ? failures(s) : ''}
    claim as materialized (
      select
        count(*) as taken, min(number) as least, max(number) as greatest${failsSpent ? spentLists : ''}
      from numbered
    ),
    ${leases(s, { inRanges })}
    select
      ${answer()},
      ${failsSpent ? 'claim.spent_units, claim.spent_numbers' : 'null as spent_units, null as spent_numbers'},
      (select true from picked where spent limit 1) is true as spent,
      -- Not if there is no room for more: then there is no use in looking further.
      ${passedBy} as passed_by,
      generation.sealed, generation.epoch,
      -- Not known unless it was looked up.
      case when (select room from spec) > 0 then coalesce((select min(rank) from first where is_sealed), 'infinity') end as sealed_rank,
      (select name from first where is_sealed order by rank, name limit 1) as sealed_name,
      -- Not if there may be more in front of it, behind those that could not be had.
      case
        when claim.taken < (select room from spec) and (select count(*) from wanted) < (select room + $6::bigint from spec) then (select id from range_head)
      end as stopped_by,
      (select rank from range_head) as stopped_rank, (select first_name from range_head) as stopped_name,
      (select max_running <= 0 from spec) as may_claim_ranges, null as held_ranges
    from due, generation, claim`;
}

/** Against the order of locks, so never waiting: who changes such a unit may be waiting for its row in ready. */
const endable = (s: string): string => `
    endable as materialized (
      select u.id from ${s}.work_unit u
      where u.id = any(array(select unit_id from picked where spent))
      for no key update skip locked
    ),`;

const spentLists = `,
        array_agg(unit_id) filter (where spent) as spent_units, array_agg(number) filter (where spent) as spent_numbers`;

/** Units by lists of one: see what was tried, in the README. */
const failures = (s: string): string => `
    failed as (
      insert into ${s}.attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
      select
        $1::bigint, unit_id, number, $3::bigint, 'failed', coalesce($5::timestamptz, statement_timestamp()),
        coalesce($5::timestamptz, statement_timestamp()),
        coalesce($5::timestamptz, statement_timestamp()) + $4::float8 * interval '1 millisecond', $16::bytea
      from numbered where spent
    ),
    ended as (
      update ${s}.work_unit u set ended = 'failed', active_attempt = n.number, attempts = n.attempts
      from numbered n where n.spent and u.id = any(array[n.unit_id])
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select $1::bigint, 'failed', count(*) from numbered where spent having count(*) > 0
    ),`;

/**
 * Makes the next unit of a continuous spec, and claims it. Everything the scheduler found is looked at again behind the gate; no
 * row comes back if any of it no longer holds. The spec's row is skipped while somebody else is changing it.
 * Parameters: spec id, worker id, lifetime in ms, data, now.
 */
export const claimContinuousUnit = statement(
  'attempt.claim-continuous',
  (s) => `
    with spec as materialized (
      select id, interval_ms, coalesce($5::timestamptz, statement_timestamp()) as now
      from ${s}.work_spec
      where id = $1::bigint and not paused and weight > 0 and continuous
        and (next_continuous is null or next_continuous <= coalesce($5::timestamptz, statement_timestamp()))
        and not exists (
          select from ${s}.ready r where r.generation = any((select ${s}.live_generations())::bigint[]) and r.spec_id = $1::bigint
        )
        and not exists (
          select from ${s}.ready_range r where r.generation = any((select ${s}.live_generations())::bigint[]) and r.spec_id = $1::bigint
        )
        and not exists (select from ${s}.any_lease l where l.spec_id = $1::bigint)
        and exists (select from ${s}.no_crash_since)
      for no key update skip locked
    ),
    scheduled as (
      update ${s}.work_spec w set next_continuous = spec.now + spec.interval_ms * interval '1 millisecond'
      from spec where w.id = spec.id
    ),
    named as (
      -- "1448028061.123"
      select id, now, convert_to(
        to_char(floor(extract(epoch from now)), 'FM999999999999990') || '.' || to_char(now, 'MS'), 'UTF8'
      ) as name
      from spec
    )
    select made.unit_id, named.name, made.number, named.now as started_at,
      named.now + $3::float8 * interval '1 millisecond' as expires_at
    from named, ${s}.make_continuous_unit(
      named.id, named.name, $4::bytea, $2::bigint, named.now, $3::float8 * interval '1 millisecond'
    ) made`,
);

/**
 * What attempts just claimed by a worker are of, as one row, in the order of their numbers: for each a head as ClaimedUnit reads it,
 * names and payloads one behind the other. A row for each would cost both sides more than all else about a claim.
 * Payloads too large to be worth it have the length -1. Those that are no longer their unit's active attempt are left out.
 * One probe of work_unit each: LATERAL with OFFSET, or a planner without statistics may read all units of the spec.
 * Here, after the gate, is where it is found out whether anybody is to be told of them.
 * What other requests of the worker have claimed meanwhile is read as well, and left out by its numbers.
 * Index: lease_worker, from the number on. Parameters: spec id, worker id, the number after which to begin, namespace id.
 */
export const readClaimed = statement('attempt.read-claimed', (s) => readText(s, { inRanges: true }));

/** The same, of attempts that have leases of their own only. */
export const readClaimedApart = statement('attempt.read-claimed-apart', (s) => readText(s, {}));

function readText(s: string, { inRanges = false }: { readonly inRanges?: boolean }): string {
  return `
    select
      string_agg(${headOfClaimed}, ''::bytea) as heads,
      string_agg(name, ''::bytea) as names,
      string_agg(data, ''::bytea) filter (where together) as datas,
      ${isWatchedFully(s, '$4')} as watched
    from (
      select
        l.number, l.unit_id, l.attempts, l.place as lease_place, u.ctid as unit_place, u.name, coalesce(l.data, u.data) as data,
        ${isReadTogether('coalesce(l.data, u.data)')} as together
      from (
        (
          select l.number, l.unit_id, l.attempts, tidsend(l.ctid) as place, l.data
          from ${s}.lease l
          where l.worker_id = $2::bigint and l.number > $3::bigint and l.spec_id = $1::bigint
          order by l.number
        )
        ${inRanges ? `union all
        (
          select m.number, m.unit_id, coalesce(r.attempts[m.position], 1), tidsend('(0,0)'), r.data
          from (
            select * from ${s}.lease_range r
            where r.worker_id = $2::bigint and r.last_number > $3::bigint and r.spec_id = $1::bigint
            order by r.last_number
          ) r
          cross join lateral (
            select unit_id, position, r.first_number + position - 1 as number from unnest(r.unit_ids) with ordinality as m (unit_id, position) offset 0
          ) m
          where m.number > $3::bigint
        )` : ''}
      ) l
      cross join lateral (
        select u.ctid, u.name, u.data from ${s}.work_unit u
        where u.id = l.unit_id and (l.place <> tidsend('(0,0)') or ${s}.is_in_range(u, l.number)) offset 0
      ) u
    ) claimed`;
}

/** The payload of one of those that are large. Parameters: spec id, unit id, number. */
export const readClaimedData = statement(
  'attempt.read-claimed-data',
  (s) => `
    select coalesce(l.data, u.data) as data
    from ${s}.lease_of_unit l join ${s}.work_unit u on u.id = l.unit_id
    where l.spec_id = $1::bigint and l.unit_id = $2::bigint and l.number = $3::bigint`,
);
