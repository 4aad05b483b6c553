import { statement } from '../../database/index.js';
import { isWatchedFully } from '../notify/is-watched.js';

/**
 * Claims units of one spec: the highest priority first, then the bytewise smallest name.
 *
 * Runs SERIALIZABLE and through the claim gate (see Bucket.runThroughGate), so that claims of a bucket see each other's results:
 * the number of pending units cannot grow between its count here and the commit. What can happen at the same time is
 * that units are added, changed or deleted, and that attempts end. Those take their locks in READ COMMITTED transactions, which
 * cannot make this one fail; a unit that one of them holds is skipped, and found again by the next look.
 *
 * Lock order: ready, by skipping. No row of work_unit is locked or written, except for units whose retries are spent.
 * Indexes: ready_order of each segment, merged in its order up to the limit; lease (spec_id, unit_id), up to maxRunning entries, and
 * only if there is such a limit.
 *
 * What comes back goes through the gate with the claim: two numbers a unit, so that it fits into the buffers of a connection even if
 * its client is frozen, and the gate opens all the same. Names and payloads are fetched afterwards.
 * Parameters: spec id, number of units, worker id, lifetime in ms, data of a unit whose retries are spent, now.
 */
export const claimUnits = statement(
  'attempt.claim',
  (s) => `
    with spec as materialized (
      select
        id, max_retries,
        least(
          $2::bigint,
          case when max_attempts_returned > 0 then max_attempts_returned end,
          case when max_running > 0 then max_running - (
            select count(*) from (
              select from ${s}.lease l where l.spec_id = $1::bigint limit max_running
            ) pending
          ) end
        ) as room
      from ${s}.work_spec
      where id = $1::bigint and not paused and weight > 0
        and exists (select from ${s}.no_crash_since)
    ),
    picked as materialized (
      select segment, ctid as place, unit_id, attempts, spec.max_retries > 0 and attempts >= spec.max_retries as spent
      from ${s}.ready, spec
      where spec_id = $1::bigint
      order by rank, name
      limit (select greatest(room, 0) from spec)
      for update of ready skip locked
    ),
    -- Against the order of locks, so never waiting: who changes such a unit may be waiting for its row in ready.
    endable as materialized (
      select u.id from ${s}.work_unit u
      where u.id = any(array(select unit_id from picked where spent))
      for no key update skip locked
    ),
    chosen as materialized (
      select * from picked where not spent or unit_id in (select id from endable)
    ),
    -- A ctid is a place in one segment; one statement for all of them would look at the place in each.
    taken_0 as (delete from ${s}.ready_0 where ctid = any(array(select place from chosen where segment = 0))),
    taken_1 as (delete from ${s}.ready_1 where ctid = any(array(select place from chosen where segment = 1))),
    taken_2 as (delete from ${s}.ready_2 where ctid = any(array(select place from chosen where segment = 2))),
    numbered as materialized (
      select
        unit_id, attempts + 1 as attempts, spent,
        nextval('${s.replaceAll("'", "''")}.attempt_number') as number,
        coalesce($6::timestamptz, statement_timestamp()) as started_at,
        coalesce($6::timestamptz, statement_timestamp()) + $4::float8 * interval '1 millisecond' as expires_at
      from chosen
    ),
    leased as (
      insert into ${s}.lease (spec_id, unit_id, number, worker_id, started_at, expires_at, attempts)
      select $1::bigint, unit_id, number, $3::bigint, started_at, expires_at, attempts
      from numbered where not spent
    ),
    failed as (
      insert into ${s}.attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
      select $1::bigint, unit_id, number, $3::bigint, 'failed', started_at, started_at, expires_at, $5::bytea
      from numbered where spent
    ),
    ended as (
      update ${s}.work_unit u set ended = 'failed', active_attempt = n.number, attempts = n.attempts
      from numbered n where n.spent and u.id = n.unit_id
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select $1::bigint, 'failed', count(*) from numbered where spent having count(*) > 0
    )
    select unit_id, number, spent from numbered order by number`,
);

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
        and not exists (select from ${s}.ready r where r.spec_id = $1::bigint)
        and not exists (select from ${s}.lease l where l.spec_id = $1::bigint)
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
 * What attempts just claimed are of, by number: unit, times, payload. Those that are no longer their unit's active one are left out. One probe of lease and of
 * work_unit each: LATERAL with OFFSET, or a planner without statistics may read all leases of the spec for each of them.
 * Here, after the gate, is where it is found out whether anybody is to be told of them.
 * Parameters: spec id, unit ids, numbers, namespace id.
 */
export const readClaimed = statement(
  'attempt.read-claimed',
  (s) => `
    select claimed.number, u.id as unit_id, u.name, l.started_at, l.expires_at, coalesce(l.data, u.data) as data,
      ${isWatchedFully(s, '$4')} as watched
    from unnest($2::bigint[], $3::bigint[]) as claimed (unit_id, number)
    cross join lateral (
      select l.data, l.started_at, l.expires_at from ${s}.lease l
      where l.spec_id = $1::bigint and l.unit_id = claimed.unit_id and l.number = claimed.number
      offset 0
    ) l
    join ${s}.work_unit u on u.id = claimed.unit_id
    order by claimed.number`,
);
