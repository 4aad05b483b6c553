import { statement } from '../../database/index.js';
import { mostOfReadyRange } from '../attempt/claim-parts.js';

/** The spec, if units can be added to it, and none of some of their names exists. */
export const specOfNewUnits = (s: string): string => `
    spec as materialized (
      select id from ${s}.work_spec
      where id = $1::bigint
        -- A probe for each name: by a list of them, a plan made while the table was empty reads all names of the spec (on PostgreSQL 14).
        and (
          select true
          from unnest($5::bytea[]) as given (name)
          cross join lateral (select from ${s}.work_unit u where u.spec_id = $1::bigint and u.name = given.name offset 0) u
          limit 1
        ) is null
        and ($6::text is null or set_config('lock_timeout', $6::text, true) is not null)
      for key share
    )`;

/** @param adding The table that has a row if they are added. */
export const answerOfNewUnits = (s: string, adding = 'spec'): string => `
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select $1::bigint, 'all', cardinality($2::bytea[]) from ${adding}
    )
    select
      (select count(*) from ${adding}) as specs,
      case when $7::boolean then (select string_agg(id::text, ',' order by name) from added) end as ids`;

/**
 * Adds units whose names are new and none of which is delayed; if that does not hold for all, it adds none. It is what nearly every add is, and
 * costs two thirds of addUnits: an insertion that may meet an existing row writes and logs each row twice (speculatively, then for good).
 *
 * `specs` is 0 if the spec is gone, or if one of the names that are looked up in front ($5, a few of them) exists. That one of the others exists
 * is found by the unique index: 23505. After either, addUnits or addUnitsForIds has to add them. So it is for a transaction of its own
 * only: in a caller's, the error would end all of that.
 *
 * The names come in bytewise order, and are inserted in it, so that two that add the same names do not wait for each other in a circle. The spec's row is
 * locked as in addUnits, and the lock timeout is as in addUnitsForIds; `ids` are as there, and null if nobody wants them.
 *
 * Index: work_unit (spec_id, name). Parameters: spec id, names, data, priorities (null: all are 0), names to look up,
 * lock timeout or null, whether ids are wanted.
 */
export const addNewUnits = statement(
  'work-unit.add-new',
  (s) => `
    with ${specOfNewUnits(s)},
    added as (
      insert into ${s}.work_unit (spec_id, name, data, priority)
      select spec.id, unit.name, unit.data, coalesce(unit.priority, 0)
      from spec, unnest($2::bytea[], $3::bytea[], $4::float8[]) as unit (name, data, priority)
      returning id, name, priority
    ),
    available as (
      insert into ${s}.ready (generation, spec_id, rank, name, unit_id, attempts)
      select (select last_value from ${s}.ready_open), $1::bigint, -priority, name, id, 0 from added
    ),
    ${answerOfNewUnits(s)}`,
);

/**
 * The same for many units of one priority: as rows of `ready_range`, except for those between whose names others are waiting already, as far as is known.
 *
 * Indexes: also ready_range_order and ready_order, one probe for each range. Parameters: the same, but $4 is the priority of all.
 */
export const addNewUnitsInRanges = statement(
  'work-unit.add-new-in-ranges',
  (s) => `
    with ${specOfNewUnits(s)},
    -- For a look only: the generation to add to is read once there is a transaction id, see the migrations.
    place as materialized (
      select last_value as generation, -$4::float8 as rank from ${s}.ready_open
    ),
    part as materialized (
      select part.at, part.first_name, part.last_name, nextval('${s.replaceAll("'", "''")}.ready_range_id') as id, (
          select true from ${s}.ready r
          where r.generation = place.generation and r.spec_id = $1::bigint and r.rank = place.rank
            and r.name > part.first_name and r.name < part.last_name
          order by r.name limit 1
        ) is null and (
          select r.last_name from ${s}.ready_range r
          where r.generation = place.generation and r.spec_id = $1::bigint and r.rank = place.rank and r.first_name < part.last_name
          order by r.first_name desc limit 1
        ) > part.first_name is not true as is_apart
      from spec, place, (
        select
          at, ($2::bytea[])[at * ${mostOfReadyRange} + 1] as first_name,
          ($2::bytea[])[least((at + 1) * ${mostOfReadyRange}, cardinality($2::bytea[]))] as last_name
        from generate_series(0, (cardinality($2::bytea[]) - 1) / ${mostOfReadyRange}) as series (at)
      ) part
    ),
    added as (
      insert into ${s}.work_unit (spec_id, name, data, priority, waits_in)
      select spec.id, unit.name, unit.data, $4::float8, (select array_agg(case when is_apart then id end order by at) from part)[(unit.nth - 1) / ${mostOfReadyRange} + 1]
      from spec, unnest($2::bytea[], $3::bytea[]) with ordinality as unit (name, data, nth)
      returning id, name, waits_in
    ),
    available as (
      insert into ${s}.ready (generation, spec_id, rank, name, unit_id, attempts)
      select (select last_value from ${s}.ready_open), $1::bigint, -$4::float8, name, id, 0 from added where waits_in is null
    ),
    available_in_ranges as (
      insert into ${s}.ready_range (id, generation, spec_id, rank, first_name, last_name, unit_ids)
      -- In the order of their ids, which is that of their names.
      select part.id, (select last_value from ${s}.ready_open), $1::bigint, -$4::float8, part.first_name, part.last_name, a.unit_ids
      from (select waits_in, array_agg(id order by id) as unit_ids from added where waits_in is not null group by waits_in) a
      cross join lateral (select * from part where part.id = a.waits_in) part
    ),
    ${answerOfNewUnits(s)}`,
);

/**
 * Adds or replaces units. The spec's row is locked against deletion (KEY SHARE, like a foreign key would) until the transaction
 * ends, or units could be added to a spec that is being destroyed.
 *
 * Names that are new take one path through the statement; those that exist already, or were added by somebody else a moment ago,
 * go to upsert_units, which locks the units' rows by id. READ COMMITTED: that function must see what is there after its locks.
 * Names are inserted in bytewise order, so that two that add the same names do not wait for each other in a circle.
 *
 * Some drivers cannot read a column of type void, hence the cast.
 *
 * Index: work_unit (spec_id, name). Parameters: spec id, names, data, priorities, notBefores, now.
 */
export const addUnits = statement(
  'work-unit.add',
  (s) => `
    with spec as materialized (
      select id from ${s}.work_spec where id = $1::bigint for key share
    ),
    given as materialized (
      select spec.id as spec_id, unit.name, unit.data, unit.priority, unit.not_before
      from spec, unnest($2::bytea[], $3::bytea[], $4::float8[], $5::timestamptz[]) as unit (name, data, priority, not_before)
    ),
    added as (
      insert into ${s}.work_unit (spec_id, name, data, priority, not_before)
      select spec_id, name, data, priority, not_before from given order by name
      on conflict (spec_id, name) do nothing
      returning spec_id, id, name, priority, not_before
    ),
    available as (
      insert into ${s}.ready (generation, spec_id, rank, name, unit_id, attempts)
      select (select last_value from ${s}.ready_open), spec_id, -priority, name, id, 0 from added
      where not_before is null or not_before <= coalesce($6::timestamptz, statement_timestamp())
    ),
    waiting as (
      insert into ${s}.delayed (spec_id, unit_id, not_before, attempts)
      select spec_id, id, not_before, 0 from added
      where not_before > coalesce($6::timestamptz, statement_timestamp())
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select spec_id, 'all', count(*) from added group by spec_id
    )
    select
      (select count(*) from spec) as specs,
      case when (select count(*) from added) < cardinality($2::bytea[]) then (
        select ${s}.upsert_units(
          $1::bigint, array_agg(g.name), array_agg(g.data), array_agg(g.priority), array_agg(g.not_before),
          coalesce($6::timestamptz, statement_timestamp())
        )::text
        from given g
        where g.name not in (select name from added)
        having count(*) > 0
      ) end as existing`,
);

/**
 * As addUnits, for callers that want the units: `ids` are those of all names in bytewise order, as text that every driver reads alike,
 * so that no second trip has to ask for them. They are fewer than the names if somebody else added one of them while this ran.
 *
 * Units that exist are locked as upsert_units will lock them, by id, and before it runs: otherwise one could be deleted, and come back
 * under another id, after its id was read.
 *
 * A lock timeout holds from the first lock until the statement's own transaction ends: set here, it costs no other trip or message.
 *
 * Index: work_unit (spec_id, name). Parameters: spec id, names, data, priorities, notBefores, now, lock timeout or null.
 */
export const addUnitsForIds = statement(
  'work-unit.add-for-ids',
  (s) => `
    with spec as materialized (
      select id from ${s}.work_spec
      where id = $1::bigint and ($7::text is null or set_config('lock_timeout', $7::text, true) is not null)
      for key share
    ),
    given as materialized (
      select spec.id as spec_id, unit.name, unit.data, unit.priority, unit.not_before
      from spec, unnest($2::bytea[], $3::bytea[], $4::float8[], $5::timestamptz[]) as unit (name, data, priority, not_before)
    ),
    added as (
      insert into ${s}.work_unit (spec_id, name, data, priority, not_before)
      select spec_id, name, data, priority, not_before from given order by name
      on conflict (spec_id, name) do nothing
      returning spec_id, id, name, priority, not_before
    ),
    available as (
      insert into ${s}.ready (generation, spec_id, rank, name, unit_id, attempts)
      select (select last_value from ${s}.ready_open), spec_id, -priority, name, id, 0 from added
      where not_before is null or not_before <= coalesce($6::timestamptz, statement_timestamp())
    ),
    waiting as (
      insert into ${s}.delayed (spec_id, unit_id, not_before, attempts)
      select spec_id, id, not_before, 0 from added
      where not_before > coalesce($6::timestamptz, statement_timestamp())
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select spec_id, 'all', count(*) from added group by spec_id
    ),
    known as materialized (
      select u.id, u.name
      from given g join ${s}.work_unit u on u.spec_id = g.spec_id and u.name = g.name
      where (select count(*) from added) < cardinality($2::bytea[]) and g.name not in (select name from added)
      order by u.id
      for no key update of u
    )
    select
      (select count(*) from spec) as specs,
      case when (select count(*) from added) < cardinality($2::bytea[]) then (
        select ${s}.upsert_units(
          $1::bigint, array_agg(g.name), array_agg(g.data), array_agg(g.priority), array_agg(g.not_before),
          coalesce($6::timestamptz, statement_timestamp())
        )::text
        from given g
        where g.name not in (select name from added) and (select count(*) from known) >= 0
        having count(*) > 0
      ) end as existing,
      (
        select string_agg(id::text, ',' order by name)
        from (select id, name from added union all select id, name from known) as unit
      ) as ids`,
);

/** The units of these names, as far as there are any. Index: work_unit (spec_id, name). Parameters: spec id, names. */
export const findUnitIds = statement(
  'work-unit.find-ids',
  (s) => `
    select u.id, u.name
    from unnest($2::bytea[]) as wanted (name)
    join ${s}.work_unit u on u.spec_id = $1::bigint and u.name = wanted.name`,
);
