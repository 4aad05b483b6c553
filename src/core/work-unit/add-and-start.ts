import { statement } from '../../database/index.js';
import { headOfClaimed, isReadTogether } from '../attempt/claim-parts.js';
import { isWatchedFully } from '../notify/is-watched.js';
import { isAvailable } from '../scheduler/is-available.js';
import { specOfNewUnits } from './add-statements.js';

/** Whether a lease or a delay may have passed, which is to be dealt with first: what becomes available then may come before what is added. */
const isDue = (s: string): string => `(
        select true from ${s}.lease
        where expires_at >= coalesce($11::timestamptz, '-infinity') and expires_at < clock.now
        order by expires_at limit 1
      ) is true or (
        select true from ${s}.lease_range
        where expires_at >= coalesce($11::timestamptz, '-infinity') and expires_at < clock.now
        order by expires_at limit 1
      ) is true or (
        select true from ${s}.delayed
        where not_before >= coalesce($11::timestamptz, '-infinity') and not_before <= clock.now
        order by not_before limit 1
      ) is true`;

/** Whether the scheduler would have anything else to choose from, of the specs $14: three probes of ready and of ready_range for each. */
const isAnythingElseThere = (s: string): string => `(
        select true
        from unnest($14::bytea[]) as given (name)
        cross join lateral (
          select o.id, o.continuous, o.next_continuous from ${s}.work_spec o
          where o.namespace_id = $15::bigint and o.name = given.name and not o.paused and o.weight > 0
          offset 0
        ) other
        where (other.continuous and other.id <> $1::bigint and (other.next_continuous is null or other.next_continuous <= clock.now))
          or ${isAvailable(s, 'other.id')}
        limit 1
      ) is true`;

/**
 * As addNewUnits, for a worker of this process that sleeps because there is nothing for it to do: what is added is its at once, and has never been
 * available. A unit that nobody else has seen yet needs no lock and no gate: nobody else can claim it.
 *
 * Only if the scheduler could choose nothing else for that worker (none of its specs has a unit available, or can start a continuous one; nothing is
 * due), and if a request of the worker's could be given all of the units: the spec is one of its own, not paused, of its runtimes and memory, and has no limit that they might
 * exceed. The spec is locked FOR SHARE meanwhile, so that a limit which is set later counts them; a spec that is being changed at this moment does not qualify. Otherwise they are added as
 * by addNewUnits, and `heads` is null.
 *
 * `heads`, `names` and `datas` are as of readClaimed. The first unit has the highest priority, then the bytewise smallest name.
 * Indexes: as of addNewUnits; lease_due, lease_range_due and delayed_due from where nothing was due before; ready_order and ready_range_order, three probes each for each of the worker's specs.
 * Parameters: spec id, names, data, priorities (null: all are 0), names to look up, lock timeout or null, whether ids are wanted; worker id, lifetime in ms, now, since when
 * leases and delays can be due, available memory in GB or null, runtimes or null, the names of the worker's specs, namespace id, the fronts of the sealed generation as
 * SealedFronts.parameters() has them.
 */
export const addAndStartUnits = statement(
  'work-unit.add-and-start',
  (s) => `
    with ${specOfNewUnits(s)},
    clock as materialized (
      select coalesce($10::timestamptz, statement_timestamp()) as now
    ),
    generation as materialized (
      select
        array[(select last_value from ${s}.ready_open), (select last_value from ${s}.ready_closed)] as recent,
        (select last_value from ${s}.ready_sealed) as sealed,
        (select epoch from ${s}.no_crash_since) as epoch
    ),
    front as materialized (
      select spec_id, rank, name
      from generation, unnest($16::bigint[], $17::float8[], $18::bytea[]) as front (spec_id, rank, name)
      where generation.sealed = $19::bigint and generation.epoch = $20::uuid
    ),
    startable as materialized (
      select w.id, w.name
      from ${s}.work_spec w, clock
      where w.id = (select id from spec) and w.name = any($14::bytea[]) and not w.paused and w.weight > 0 and w.max_running <= 0
        and (w.max_attempts_returned <= 0 or w.max_attempts_returned >= cardinality($2::bytea[]))
        and ($12::float8 is null or w.min_memory_gb <= $12::float8)
        and ($13::bytea[] is null or w.runtime = any($13::bytea[]))
        and (select epoch from generation) is not null
        and not (${isDue(s)})
        and not ${isAnythingElseThere(s)}
      for share of w skip locked
    ),
    added as (
      insert into ${s}.work_unit (spec_id, name, data, priority)
      select spec.id, unit.name, unit.data, coalesce(unit.priority, 0)
      from spec, unnest($2::bytea[], $3::bytea[], $4::float8[]) as unit (name, data, priority)
      returning id, name, priority, data, ctid as place
    ),
    available as (
      insert into ${s}.ready (generation, spec_id, rank, name, unit_id, attempts)
      select (select last_value from ${s}.ready_open), $1::bigint, -priority, name, id, 0 from added
      where (select id from startable) is null
    ),
    numbered as materialized (
      select id, nextval('${s.replaceAll("'", "''")}.attempt_number') as number
      from (select id from added where (select id from startable) is not null order by priority desc, name) chosen
    ),
    started as (
      insert into ${s}.lease (spec_id, unit_id, number, worker_id, started_at, expires_at, attempts)
      select $1::bigint, id, number, $8::bigint, clock.now, clock.now + $9::float8 * interval '1 millisecond', 1 from numbered, clock
      returning unit_id, number, attempts, ctid as place
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select id, 'all', cardinality($2::bytea[]) from spec
    )
    select
      (select count(*) from spec) as specs,
      case when $7::boolean then (select string_agg(id::text, ',' order by name) from added) end as ids,
      (select name from startable) as spec_name,
      clock.now, clock.now + $9::float8 * interval '1 millisecond' as expires_at,
      claimed.*,
      ${isWatchedFully(s, '$15')} as watched
    from clock, (
      select
        string_agg(${headOfClaimed}, ''::bytea order by number) as heads,
        string_agg(name, ''::bytea order by number) as names,
        string_agg(data, ''::bytea order by number) filter (where together) as datas,
        min(number) as least, max(number) as greatest
      from (
        select
          l.number, l.unit_id, l.attempts, tidsend(l.place) as lease_place, u.place as unit_place, u.name, u.data,
          ${isReadTogether('u.data')} as together
        from started l cross join lateral (select * from added u where u.id = l.unit_id offset 0) u
      ) claimed
    ) claimed`,
);
