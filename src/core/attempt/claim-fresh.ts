import { statement } from '../../database/index.js';
import { isWatchedFully } from '../notify/is-watched.js';
import { headOfClaimed, livingGenerations } from './claim-parts.js';

/** Names and payloads, in bytes, that come back with a claim: as text twice as long, they still fit into the server's buffer, so that a client that is frozen does not keep the gate shut. */
const mostBytes = 3_072;

/**
 * Claims units of one spec like claimUnits, for who has just been woken: if none waits but what was added since others found nothing. There is less
 * of it for the server to set up, and names and payloads come with it.
 *
 * It claims nothing (and the others are to be tried) if anything is due, if units of the spec wait in ranges or in older generations of `ready`, if there is a limit to how many may run,
 * or if the retries of one of those in front are spent. `in_ranges`: it is because of the ranges. `found`: how many came first, up to the number asked for, with those that somebody else has locked; null: one of the other reasons.
 * Lock order and isolation: as claimUnits. Indexes: ready_order, up to the limit in the open generation, one probe in the others; ready_range_order, one probe; lease_due,
 * lease_range_due and delayed_due from where nothing was due before; the key of work_unit.
 * `heads`, `names` and `datas` are as of readClaimed, or null if that has to read them. Parameters: spec id, number of units, worker id, lifetime in ms, now, since when leases and delays can be due,
 * available memory in GB or null, runtimes or null, the sealed generation this process knows, rank and name of the first unit in it, the epoch in which it was seen, namespace id.
 */
export const claimFreshUnits = statement(
  'attempt.claim-fresh',
  (s) => `
    with clock as materialized (
      select coalesce($5::timestamptz, statement_timestamp()) as now
    ),
    spec as materialized (
      select
        w.id, w.max_retries, w.max_attempts_returned, generation.open,
        (
          select true from ${s}.ready_range r
          where r.generation = any(array[generation.sealed, generation.closed, generation.open]) and r.spec_id = $1::bigint
          order by r.generation limit 1
        ) is true as in_ranges,
        least($2::bigint, case when w.max_attempts_returned > 0 then w.max_attempts_returned end) as room
      from ${s}.work_spec w, clock, (${livingGenerations(s)}) generation
      where w.id = $1::bigint and not w.paused and w.weight > 0 and w.max_running <= 0
        and ($7::float8 is null or w.min_memory_gb <= $7::float8)
        and ($8::bytea[] is null or w.runtime = any($8::bytea[]))
        and generation.epoch is not null
        and (
          select true from ${s}.lease
          where expires_at >= coalesce($6::timestamptz, '-infinity') and expires_at < clock.now
          order by expires_at limit 1
        ) is not true
        and (
          select true from ${s}.lease_range
          where expires_at >= coalesce($6::timestamptz, '-infinity') and expires_at < clock.now
          order by expires_at limit 1
        ) is not true
        and (
          select true from ${s}.delayed
          where not_before >= coalesce($6::timestamptz, '-infinity') and not_before <= clock.now
          order by not_before limit 1
        ) is not true
        and (
          select true from ${s}.ready r
          where r.generation = generation.closed and r.spec_id = $1::bigint
          order by r.rank, r.name limit 1
        ) is not true
        and (
          select true from ${s}.ready r
          where r.generation = generation.sealed and r.spec_id = $1::bigint and (r.rank, r.name) >= (
            case when generation.sealed = $9::bigint and generation.epoch = $12::uuid then $10::float8 else '-infinity' end,
            case when generation.sealed = $9::bigint and generation.epoch = $12::uuid then $11::bytea else '' end
          )
          order by r.rank, r.name limit 1
        ) is not true
    ),
    first as materialized (
      select r.place
      from spec cross join lateral (
        select r.ctid as place from ${s}.ready r
        where not spec.in_ranges and r.generation = spec.open and r.spec_id = spec.id
        order by r.rank, r.name limit spec.room
      ) r
    ),
    picked as materialized (
      select r.ctid as place, r.unit_id, r.attempts, (select max_retries > 0 and r.attempts >= max_retries from spec) as spent
      from ${s}.ready r
      where r.ctid = any(array(select place from first))
      order by r.rank, r.name
      for update skip locked
    ),
    numbered as materialized (
      select place, unit_id, attempts + 1 as attempts, nextval('${s.replaceAll("'", "''")}.attempt_number') as number
      from picked where (select bool_or(spent) from picked) is not true
    ),
    taken as (delete from ${s}.ready where ctid = any(array(select place from numbered))),
    leased as (
      insert into ${s}.lease (spec_id, unit_id, number, worker_id, started_at, expires_at, attempts)
      select $1::bigint, unit_id, number, $3::bigint, clock.now, clock.now + $4::float8 * interval '1 millisecond', attempts from numbered, clock
      returning unit_id, number, attempts, ctid as place
    ),
    claimed as materialized (
      select
        l.number, l.unit_id, l.attempts, tidsend(l.place) as lease_place, u.place as unit_place, u.name, u.data, true as together,
        sum(octet_length(u.name) + octet_length(u.data)) over () <= ${mostBytes} as fits
      from leased l
      cross join lateral (select u.ctid as place, u.name, u.data from ${s}.work_unit u where u.id = l.unit_id offset 0) u
    )
    select
      (select max_attempts_returned from spec) as max_attempts_returned, (select in_ranges from spec) as in_ranges,
      case when exists (select from spec where not in_ranges) then (select count(*) from first) end as found,
      count(*) as taken, min(number) as least, max(number) as greatest,
      case when max(number) - min(number) >= count(*) then array_agg(number) end as numbers,
      (select now from clock) as now, (select now + $4::float8 * interval '1 millisecond' from clock) as expires_at,
      string_agg(${headOfClaimed}, ''::bytea order by number) filter (where fits) as heads,
      string_agg(name, ''::bytea order by number) filter (where fits) as names,
      string_agg(data, ''::bytea order by number) filter (where fits) as datas,
      ${isWatchedFully(s, '$13')} as watched
    from claimed`,
);
