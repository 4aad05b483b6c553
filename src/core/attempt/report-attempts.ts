import { statement } from '../../database/index.js';
import { isWatched } from '../notify/is-watched.js';
import { deleteEmpty, rangeOf } from './lease-ranges.js';

/**
 * The specs of the reports ($9), and the next ones of these, in the same order; null: there is none. A lock timeout ($11) holds from here, before
 * there is any lock, until the statement's own transaction ends: set here, it costs no other trip or message.
 */
const specsOfReports = (s: string): string => `
      select array_agg(w.id order by given.at) as ids, array_agg(next.id order by given.at) as next_ids
      from unnest($9::bigint[]) with ordinality as given (id, at)
      left join lateral (select * from ${s}.work_spec w where w.id = given.id offset 0) w on true
      left join lateral (
        select n.id from ${s}.work_spec n where n.namespace_id = w.namespace_id and n.name = w.next_work_spec_name offset 0
      ) next on true
      where $11::text is null or set_config('lock_timeout', $11::text, true) is not null`;

/**
 * Ends attempts well or badly, many at once: those that are pending and their unit's active one. All others are left as they are, and
 * out of the answer: settle_attempt takes them one at a time. The first row has the numbers of those ended, separated by commas; the
 * others are of those with output for a next spec. Those that may have output for an existing next spec are ended only
 * if $7 says that this is a transaction in which the output can be added too.
 *
 * READ COMMITTED: the unit's row is locked before the lease is looked at again, by the same order of ids everywhere, so a
 * unit that is being changed by somebody else is waited for and then judged as it is. (It is not updated by its place, although that is
 * locked: a version newer than the statement's snapshot would not be found there.)
 *
 * Units are joined by lists of one, leases looked up by LATERAL with OFFSET 0 and deleted by their place: joined by equalities the planner may go
 * through all of a table that was nearly empty when it was last vacuumed, for each report, and keep to that plan however much is in it by then.
 * Lock order: work_unit by id, lease. Indexes: the primary keys of work_unit and lease, one probe a unit; that of work_spec once a spec.
 * Parameters: status, unit ids, numbers, data (null: they stay), whether each could have output, now, whether those are ended,
 * namespace id, the different spec ids, for each attempt which of these is its own, from 1, a lock timeout or null, and whether this is a transaction that ranges
 * of leases must not be locked in.
 */
export const endAttempts = statement(
  'attempt.end',
  (s) => `
    with spec as materialized (
      ${specsOfReports(s)}
    ),
    report as materialized (
      select
        r.unit_id, r.number, r.data,
        spec.ids[r.spec] as spec_id, case when r.has_output then spec.next_ids[r.spec] end as next_spec_id
      from spec, unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::boolean[], $10::integer[]) as r (unit_id, number, data, has_output, spec)
    ),
    locked as materialized (
      select u.id, u.spec_id, u.data as unit_data, ${s}.is_in_range(u, r.number) as is_in_range, r.number, r.data, r.next_spec_id
      from report r
      join ${s}.work_unit u on u.id = any(array[r.unit_id])
      where u.spec_id is not distinct from r.spec_id and ($7::boolean or r.next_spec_id is null)
      order by u.id
      for no key update of u
    ),
    found as materialized (
      select l.place, locked.data as reported, locked.unit_data, locked.next_spec_id
      from locked
      cross join lateral (
        select l.ctid as place from ${s}.lease l
        where l.spec_id = locked.spec_id and l.unit_id = locked.id and l.number = locked.number offset 0
      ) l
    ),
    gone as (
      -- The count reads all of them before the first lease is touched: every unit's lock comes before any lease's.
      delete from ${s}.lease l using found where l.ctid = found.place and (select count(*) from locked) > 0
      returning
        l.spec_id, l.unit_id, l.number, l.worker_id, l.started_at, l.expires_at, l.attempts, l.data,
        found.reported, found.unit_data, found.next_spec_id, null::bigint as first_number
    ),
    ended as materialized (
      select * from gone
      union all
      select
        locked.spec_id, locked.id, locked.number, r.worker_id, r.started_at, r.expires_at, r.attempts, r.data,
        locked.data, locked.unit_data, locked.next_spec_id, r.first_number
      from locked
      ${rangeOf(s, { unitId: 'locked.id', number: 'locked.number' })}
      where locked.is_in_range
    ),
    unit as (
      update ${s}.work_unit u set ended = $1::text, active_attempt = ended.number, attempts = ended.attempts
      from ended where u.id = any(array[ended.unit_id])
    ),
    empty as (
      ${deleteEmpty(s, {
        among: 'not $12::boolean and r.first_number = any(array(select first_number from ended where first_number is not null))',
        butFor: 'u.id = any(array(select unit_id from ended))',
      })}
    ),
    history as (
      insert into ${s}.attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
      select
        spec_id, unit_id, number, worker_id, $1::text, started_at, coalesce($6::timestamptz, statement_timestamp()), expires_at,
        coalesce(reported, data)
      from ended
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select spec_id, $1::text, count(*) from ended group by spec_id
    )
    select
      string_agg(number::text, ',') as numbers, null::bigint as next_spec_id, null::bytea as output_data, null::timestamptz as now,
      ${isWatched(s, '$8')} as watched
    from ended
    union all
    select null, next_spec_id, coalesce(reported, data, unit_data), coalesce($6::timestamptz, statement_timestamp()), null
    from ended where next_spec_id is not null`,
);

/**
 * What endAttempts does without output for a next spec, at two thirds of the cost, and only in a transaction of its own: units are updated
 * without being locked first, and if it then turns out that one of the leases was gone or renewed meanwhile, the whole statement fails
 * with PC003 and leaves no trace. Then endAttempts is asked. (One in a range that is renewed at the same moment ends as it was before.)
 *
 * Lock order: work_unit by id (as the reports are sorted), lease. Indexes: the primary keys of lease and work_unit, one probe a unit.
 * Parameters: as those of endAttempts.
 */
export const endUndisturbed = statement(
  'attempt.end-undisturbed',
  (s) => `
    with spec as materialized (
      ${specsOfReports(s)}
    ),
    report as materialized (
      select
        r.unit_id, r.number, r.data, spec.ids[r.spec] as spec_id
      from spec, unnest($2::bigint[], $3::bigint[], $4::bytea[], $5::boolean[], $10::integer[]) as r (unit_id, number, data, has_output, spec)
      where $7::boolean or not r.has_output or spec.next_ids[r.spec] is null
    ),
    held as materialized (
      select
        l.ctid as place, l.spec_id, l.unit_id, l.number, l.worker_id, l.started_at, l.expires_at, l.attempts,
        coalesce(r.data, l.data) as data, null::bigint as first_number
      from report r
      cross join lateral (
        select l.*, l.ctid from ${s}.lease l
        where l.spec_id = r.spec_id and l.unit_id = r.unit_id and l.number = r.number offset 0
      ) l
      union all
      select
        null, report.spec_id, report.unit_id, report.number, r.worker_id, r.started_at, r.expires_at, r.attempts, coalesce(report.data, r.data), r.first_number
      from report
      ${rangeOf(s, { unitId: 'report.unit_id', number: 'report.number' })}
      cross join lateral (
        select from ${s}.work_unit u where u.id = report.unit_id and ${s}.is_in_range(u, report.number) offset 0
      ) u
      where r.spec_id = report.spec_id
    ),
    unit as (
      update ${s}.work_unit u set ended = $1::text, active_attempt = held.number, attempts = held.attempts
      from held where u.id = any(array[held.unit_id]) and (held.place is not null or ${s}.is_in_range(u, held.number))
      returning u.id
    ),
    gone as (
      -- The count has all units updated before the first lease is touched. A join, because a list of places would be gone through in their
      -- own order, and renewals, which lock no unit, go by that of the units.
      delete from ${s}.lease l using held where l.ctid = held.place and (select count(*) from unit) > 0
      returning l.number
    ),
    empty as (
      ${deleteEmpty(s, {
        among: 'r.first_number = any(array(select first_number from held where first_number is not null)) and (select count(*) from unit) > 0',
        butFor: 'u.id = any(array(select unit_id from held))',
      })}
    ),
    history as (
      insert into ${s}.attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
      select spec_id, unit_id, number, worker_id, $1::text, started_at, coalesce($6::timestamptz, statement_timestamp()), expires_at, data
      from held
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select spec_id, $1::text, count(*) from held group by spec_id
    )
    select
      string_agg(number::text, ',') as numbers,
      ${s}.require_undisturbed((select count(*) from gone) = count(place) and (select count(*) from unit) = count(*))::text as undisturbed,
      ${isWatched(s, '$8')} as watched
    from held`,
);

/** Extends leases, locked by unit id like everywhere else. Those that are not their unit's active one are left out of the answer. Parameters: unit ids, numbers, data, lifetime in ms, now. */
export const renewAttempts = statement(
  'attempt.renew',
  (s) => `
    with report as materialized (
      select * from unnest($1::bigint[], $2::bigint[], $3::bytea[]) as r (unit_id, number, data) order by unit_id
    ),
    held as materialized (
      select l.place, r.data
      from report r
      cross join lateral (select u.spec_id from ${s}.work_unit u where u.id = r.unit_id offset 0) u
      cross join lateral (select from ${s}.work_spec w where w.id = u.spec_id offset 0) w
      cross join lateral (
        select l.ctid as place from ${s}.lease l
        where l.spec_id = u.spec_id and l.unit_id = r.unit_id and l.number = r.number
        for no key update
      ) l
    )
    update ${s}.lease l set
      expires_at = coalesce($5::timestamptz, statement_timestamp()) + $4::float8 * interval '1 millisecond',
      data = coalesce(held.data, l.data)
    from held
    where l.ctid = held.place
    returning l.number`,
);

/** The same of those that are in ranges. Parameters: as those of renewAttempts. */
export const renewAttemptsInRanges = statement(
  'attempt.renew-in-ranges',
  (s) => `
    select renewed.number
    from (
      select array_agg(r.unit_id) as unit_ids, array_agg(r.number) as numbers, array_agg(r.data) as datas
      from unnest($1::bigint[], $2::bigint[], $3::bytea[]) as r (unit_id, number, data)
      cross join lateral (select u.spec_id from ${s}.work_unit u where u.id = r.unit_id offset 0) u
      cross join lateral (select from ${s}.work_spec w where w.id = u.spec_id offset 0) w
    ) report
    cross join lateral ${s}.renew_in_ranges(
      report.unit_ids, report.numbers, report.datas, coalesce($5::timestamptz, statement_timestamp()) + $4::float8 * interval '1 millisecond'
    ) as renewed (number)`,
);

/** Any report on any attempt. Parameters: action, unit id, number, data or null, now, lifetime or delay in ms, namespace id. */
export const settleAttempt = statement(
  'attempt.settle',
  (s) => `
    select
      outcome, next_spec_id, output_data, coalesce($5::timestamptz, statement_timestamp()) as now,
      ${isWatched(s, '$7')} as watched
    from ${s}.settle_attempt(
      $1::text, $2::bigint, $3::bigint, $4::bytea, coalesce($5::timestamptz, statement_timestamp()),
      $6::float8 * interval '1 millisecond'
    )`,
);

/** Raises PC001 unless the attempt is held. Some drivers cannot read a column of type void. Parameters: unit id, number, now. */
export const requireAttempt = statement(
  'attempt.require',
  (s) => `select ${s}.require_attempt($1::bigint, $2::bigint, coalesce($3::timestamptz, statement_timestamp()))::text`,
);

/**
 * Forces an attempt of each unit, in ascending order of their ids, as all who lock several do. Answers their numbers, in the order asked for, and
 * whether each superseded another, as the statement found it when it began, which is good enough to be counted. Raises PC003, and makes none,
 * when a unit is gone. Parameters: unit ids, worker id, lifetime in ms, now, namespace id.
 */
export const makeAttempts = statement(
  'attempt.make',
  (s) => `
    with made as materialized (
      select asked.at, asked.unit_id, ${s}.make_attempt(
        asked.unit_id, $2::bigint, coalesce($4::timestamptz, statement_timestamp()), $3::float8 * interval '1 millisecond'
      ) as number
      from (select * from unnest($1::bigint[]) with ordinality as u (unit_id, at) order by unit_id, at offset 0) asked
    )
    select m.number, ${isWatched(s, '$5')} as watched,
      -- Not EXISTS, for which all units may be read at once.
      (
        select true from ${s}.work_unit u
        cross join lateral (select from ${s}.lease_of_unit l where l.unit_id = u.id offset 0) l
        where u.id = m.unit_id
      ) is true as superseded,
      (select ${s}.require_undisturbed(not exists (select from made where number is null)))::text as all_there
    from made m
    order by m.at`,
);
