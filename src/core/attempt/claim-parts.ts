import { leaseRangeSize } from './attempt-place.js';

/* What the statements that claim units have in common: see claimUnits for their parameters. */

/** From so many units on a claim makes ranges of leases instead of a lease for each (lease_range in the migrations). */
export const leastInLeaseRanges = 16;

/** The generations of `ready` that can hold rows, and the epoch. */
export const livingGenerations = (s: string): string => `
        select
          (select epoch from ${s}.no_crash_since) as epoch,
          (select last_value from ${s}.ready_sealed) as sealed,
          (select last_value from ${s}.ready_closed) as closed,
          (select last_value from ${s}.ready_open) as open
        -- Each is to be looked up once.
        offset 0
      `;

/** Whether anything is due (null: that was not asked, see Bucket.isContended); the living generations, with the place of the first unit in the sealed one; the spec, and how many units of it can be claimed. */
export const specWithRoom = (s: string): string => `
    due as materialized (
      select
        case when not $10::boolean then (
          select true from ${s}.lease
          where expires_at >= coalesce($11::timestamptz, '-infinity') and expires_at < coalesce($5::timestamptz, statement_timestamp())
          order by expires_at limit 1
        ) is true or (
          select true from ${s}.lease_range
          where expires_at >= coalesce($11::timestamptz, '-infinity') and expires_at < coalesce($5::timestamptz, statement_timestamp())
          order by expires_at limit 1
        ) is true end as leases,
        case when not $10::boolean then (
          select true from ${s}.delayed
          where not_before >= coalesce($11::timestamptz, '-infinity') and not_before <= coalesce($5::timestamptz, statement_timestamp())
          order by not_before limit 1
        ) is true end as delays
    ),
    generation as materialized (
      select
        sealed, closed, open, epoch,
        case when sealed = $7::bigint and epoch = $14::uuid then $8::float8 else '-infinity' end as rank,
        case when sealed = $7::bigint and epoch = $14::uuid then $9::bytea else '' end as name
      from (${livingGenerations(s)}) alive
    ),
    spec as materialized (
      select
        id, max_running, max_retries, max_attempts_returned,
        least(
          $2::bigint,
          case when max_attempts_returned > 0 then max_attempts_returned end,
          case when max_running > 0 then greatest(0, max_running - (
            select count(*) from (
              select from ${s}.any_lease l where l.spec_id = $1::bigint limit max_running
            ) pending
          )) end
        ) as room
      from ${s}.work_spec
      where id = $1::bigint and not paused and weight > 0
        and ($12::float8 is null or min_memory_gb <= $12::float8)
        and ($13::bytea[] is null or runtime = any($13::bytea[]))
        and ($10::boolean or not (select leases or delays from due))
        and (select epoch from generation) is not null
    )`;

/** The range of ready_range that comes first, if there is any but those to pass by. */
export const rangeHead = (s: string): string => `
    range_head as materialized (
      select r.id, r.rank, r.first_name
      from spec, generation, unnest(array[generation.sealed, generation.closed, generation.open]) as alive (generation)
      cross join lateral (
        select r.id, r.rank, r.first_name from ${s}.ready_range r
        where r.generation = alive.generation and r.spec_id = spec.id and r.id <> all($15::bigint[])
        order by r.rank, r.first_name limit 1
      ) r
      order by r.rank, r.first_name, r.id limit 1
    )`;

/**
 * The leases of what is `numbered`, some of which `claim` sums up. In ranges not if the number of those that run is limited: leases are counted faster. The
 * numbers are consecutive, unless somebody forces an attempt at this moment.
 */
export const leases = (s: string, { inRanges }: { readonly inRanges: boolean }): string => `${inRanges ? ranges(s) : ''}
    leased as (
      insert into ${s}.lease (spec_id, unit_id, number, worker_id, started_at, expires_at, attempts)
      select
        $1::bigint, unit_id, number, $3::bigint, coalesce($5::timestamptz, statement_timestamp()),
        coalesce($5::timestamptz, statement_timestamp()) + $4::float8 * interval '1 millisecond', attempts
      from numbered where not spent${inRanges ? ' and not (select in_ranges from form)' : ''}
    )`;

const ranges = (s: string): string => `
    form as materialized (
      select taken >= ${leastInLeaseRanges} and greatest - least = taken - 1 and (select max_running from spec) <= 0 as in_ranges from claim
    ),
    leased_in_ranges as (
      insert into ${s}.lease_range (
        first_number, last_number, spec_id, worker_id, started_at, expires_at, unit_ids, attempts, least_unit, greatest_unit
      )
      select
        min(number), max(number), $1::bigint, $3::bigint, coalesce($5::timestamptz, statement_timestamp()),
        coalesce($5::timestamptz, statement_timestamp()) + $4::float8 * interval '1 millisecond',
        array_agg(unit_id order by number), case when max(numbered.attempts) > 1 then array_agg(numbered.attempts order by number) end,
        min(unit_id), max(unit_id)
      from form, claim, numbered
      where form.in_ranges
      group by (number - least) / ${leaseRangeSize}
    ),`;

/** What is told of a claim. */
export const answer = `
      coalesce($5::timestamptz, statement_timestamp()) as now,
      coalesce($5::timestamptz, statement_timestamp()) + $4::float8 * interval '1 millisecond' as expires_at,
      due.leases as due_leases, due.delays as due_delayed,
      (select max_attempts_returned from spec) as max_attempts_returned,
      claim.taken, claim.least, claim.greatest,
      case when claim.greatest - claim.least >= claim.taken then (select array_agg(number) from numbered) end as numbers`;

/** Up to so many bytes payloads are read together: a thousand of them are no more than a client can take. */
export const mostTogether = 16_384;

/** Whether a payload comes with those of the others that were claimed. */
export const isReadTogether = (data: string): string => `octet_length(${data}) <= ${mostTogether}`;

/** What is told of each attempt that was claimed, besides names and payloads, as ClaimedUnit reads it. */
export const headOfClaimed = `int8send(number) || int8send(unit_id) || int4send(attempts) || lease_place || tidsend(unit_place)
          || int4send(octet_length(name)) || int4send(case when together then octet_length(data) else -1 end)`;
