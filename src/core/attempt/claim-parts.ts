import { leaseRangeSize } from './attempt-place.js';

/* What the statements that claim units have in common: see claimUnits for their parameters. */

/** How many units a row of `ready_range` has at most when they are added: it needs no compression then. */
export const mostOfReadyRange = 200;

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

/** How many units can be claimed: as many as were asked for, but for the limit of a request. */
export const roomOfUnlimited = `least($2::bigint, case when max_attempts_returned > 0 then max_attempts_returned end)`;

/** The same for specs that may limit how many run. */
const roomOf = (s: string): string => `least(
          ${roomOfUnlimited},
          case when max_running > 0 then greatest(0, max_running - (
            select count(*) from (
              select from ${s}.any_lease l where l.spec_id = $1::bigint limit max_running
            ) pending
          )) end
        )`;

/** Whether anything is due (null: that was not asked, see Bucket.isContended); the living generations, with the place of the first unit in the sealed one; the spec, and how many units of it can be claimed. */
export const specWithRoom = (s: string, { room = roomOf(s) }: { readonly room?: string } = {}): string => `
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
        ${room} as room
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

/** The ranges of ready_range that come first, as many as are looked at of each generation: `nth` is its place in that. */
export const firstRanges = (s: string): string => `
    found as materialized (
      select r.*, looked.most
      from spec
      cross join generation
      cross join lateral (select (spec.room + $6::bigint) / ${mostOfReadyRange} + 3 as most) looked
      cross join unnest(array[generation.sealed, generation.closed, generation.open]) as alive (generation)
      cross join lateral (
        select
          r.ctid as place, r.id, r.rank, r.first_name, r.last_name, cardinality(r.unit_ids) as units,
          row_number() over (order by r.rank, r.first_name) as nth
        from ${s}.ready_range r
        where r.generation = alive.generation and r.spec_id = spec.id and r.id <> all($15::bigint[])
        order by r.rank, r.first_name limit looked.most
      ) r
    )`;

/** The first row of `ready`, if there is any; not those before the rank and the name of `start`, if there is such a table. */
export const firstUnit = (s: string, { hasStart = false } = {}): string => {
  const [rank, name] = hasStart ? ['start.rank', 'start.name'] : ["'-infinity'", "''"];
  return `
    unit as materialized (
      select unit.rank, unit.name
      from spec
      cross join generation${hasStart ? ' cross join start' : ''}
      cross join unnest(
        array[generation.sealed, generation.closed, generation.open],
        array[generation.rank, ${rank}, ${rank}], array[generation.name, ${name}, ${name}]
      ) as alive (generation, rank, name)
      cross join lateral (
        select r.rank, r.name from ${s}.ready r
        where r.generation = alive.generation and r.spec_id = spec.id and (r.rank, r.name) >= (alive.rank, alive.name)
          ${hasStart ? 'and (r.rank, r.name) >= (start.rank, start.name)' : ''}
        order by r.rank, r.name limit 1
      ) unit
      order by unit.rank, unit.name limit 1
    )`;
};

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

/** What is told of a claim. `numbers`: those of its attempts, unless they are all from the least to the greatest. */
export const answer = (numbers = 'case when claim.greatest - claim.least >= claim.taken then (select array_agg(number) from numbered) end'): string => `
      coalesce($5::timestamptz, statement_timestamp()) as now,
      coalesce($5::timestamptz, statement_timestamp()) + $4::float8 * interval '1 millisecond' as expires_at,
      due.leases as due_leases, due.delays as due_delayed,
      (select max_attempts_returned from spec) as max_attempts_returned,
      claim.taken, claim.least, claim.greatest, ${numbers} as numbers`;

/** Up to so many bytes payloads are read together: a thousand of them are no more than a client can take. */
export const mostTogether = 16_384;

/** Whether a payload comes with those of the others that were claimed. */
export const isReadTogether = (data: string): string => `octet_length(${data}) <= ${mostTogether}`;

/** What is told of each unit that was claimed, besides name and payload, as ClaimedUnit reads it. (Both lengths as one number: each value that is sent is made anew, which is most of what this costs.) */
export const headOfUnit = `int8send(unit_id) || int8send((octet_length(name)::bigint << 32) + case when together then octet_length(data) else 4294967295 end)`;

/** The same with what is told of its attempt, where that does not follow from the range of leases that all are in. */
export const headOfClaimed = `${headOfUnit} || int8send(number) || int4send(attempts) || lease_place || tidsend(unit_place)`;
