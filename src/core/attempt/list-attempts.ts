import { statement } from '../../database/index.js';

/*
 * An attempt is running (lease, superseded) or history (attempt, attempt_range); the view any_attempt makes them one. Every answer has the columns
 * that attemptFromRow reads.
 */

/** The attempts of a unit. Answers nothing when the unit is gone, a row without a number when it has none. Parameters: unit id. */
export const listUnitAttempts = statement(
  'attempt.list-of-unit',
  (s) => `
    select
      a.number, a.status, a.started_at, a.ended_at, a.expires_at, coalesce(a.data, u.data) as data,
      a.worker_id, (select w.name from ${s}.worker w where w.id = a.worker_id) as worker_name
    from ${s}.work_unit u
    join ${s}.work_spec p on p.id = u.spec_id
    left join lateral (select * from ${s}.any_attempt a where a.spec_id = u.spec_id and a.unit_id = u.id offset 0) a on true
    where u.id = $1::bigint
    order by a.number`,
);

/** How many attempts a unit has had. Answers nothing when the unit is gone. Parameters: unit id. */
export const countUnitAttempts = statement(
  'attempt.count-of-unit',
  (s) => `
    select (
      select count(*) from ${s}.any_attempt a where a.spec_id = u.spec_id and a.unit_id = u.id
    ) as attempts
    from ${s}.work_unit u join ${s}.work_spec p on p.id = u.spec_id
    where u.id = $1::bigint`,
);

/** One attempt ($2), or the active one ($2 null). Answers nothing when the unit is gone, a row without a number when there is none. Parameters: unit id, number or null. */
export const readAttempt = statement(
  'attempt.read',
  (s) => `
    select
      a.number, a.status, a.started_at, a.ended_at, a.expires_at, coalesce(a.data, u.data) as data,
      a.worker_id, (select w.name from ${s}.worker w where w.id = a.worker_id) as worker_name
    from ${s}.work_unit u
    join ${s}.work_spec p on p.id = u.spec_id
    left join lateral (select * from ${s}.lease_of_unit l where l.unit_id = u.id offset 0) l on true
    left join lateral (
      select * from ${s}.any_attempt a
      where a.spec_id = u.spec_id and a.unit_id = u.id and a.number = coalesce($2::bigint, l.number, u.active_attempt)
      offset 0
    ) a on true
    where u.id = $1::bigint`,
);

/** The pending attempts of a worker. Indexes: lease (worker_id), superseded (worker_id). Parameters: worker id. */
export const listActiveAttempts = statement(
  'attempt.list-active-of-worker',
  (s) => `
    select
      a.number, a.status, a.started_at, a.ended_at, a.expires_at, coalesce(a.data, u.data) as data,
      a.worker_id, (select w.name from ${s}.worker w where w.id = a.worker_id) as worker_name, u.id as unit_id, u.name as unit_name, p.id as spec_id, p.name as spec_name
    from (
      select unit_id, number, worker_id, 'pending' as status, started_at, null::timestamptz as ended_at, expires_at, data
      from ${s}.any_lease where worker_id = $1::bigint
      union all
      select unit_id, number, worker_id, 'pending', started_at, null, expires_at, data
      from ${s}.superseded where worker_id = $1::bigint
    ) a
    join ${s}.work_unit u on u.id = a.unit_id
    join ${s}.work_spec p on p.id = u.spec_id
    order by a.number`,
);

/**
 * A page of everything a worker did. Each branch is read by its index on the worker and stops at the limit: a page costs the same
 * however long the history. Indexes: (worker_id, number) of attempt, lease and superseded; attempt_range (worker_id, last_number), and for each attempt in a
 * range the primary key of work_unit and attempt (unit_id, number). Parameters: worker id, after number, limit.
 */
export const listAllAttempts = statement(
  'attempt.list-all-of-worker',
  (s) => `
    select
      a.number, a.status, a.started_at, a.ended_at, a.expires_at, coalesce(a.data, u.data) as data,
      a.worker_id, (select w.name from ${s}.worker w where w.id = a.worker_id) as worker_name, u.id as unit_id, u.name as unit_name, p.id as spec_id, p.name as spec_name
    from (
      (
        select unit_id, number, worker_id, status, started_at, ended_at, expires_at, data
        from ${s}.attempt where worker_id = $1::bigint and number > $2::bigint
        order by number limit $3::bigint
      )
      union all
      (
        select member.unit_id, member.number, r.worker_id, r.status, r.started_at, r.ended_at, r.expires_at, null
        from (
          select * from ${s}.attempt_range r where r.worker_id = $1::bigint and r.last_number > $2::bigint order by r.last_number
        ) r
        cross join lateral (
          select m.unit_id, r.first_number + m.position - 1 as number
          from unnest(r.unit_ids) with ordinality as m (unit_id, position)
          where r.first_number + m.position - 1 > $2::bigint
          offset 0
        ) member
        -- Not those that have changed since, see attempt_range.
        cross join lateral (
          select from ${s}.work_unit u where u.id = member.unit_id and u.active_attempt = member.number and u.ended = r.status offset 0
        ) u
        where (
          select true from ${s}.attempt a where a.unit_id = member.unit_id and a.number = member.number limit 1
        ) is null
        -- No ORDER BY, which would read and sort whole ranges. The order is that of the nested loops, which LATERAL with OFFSET 0 leaves no alternative
        -- to; ranges do not overlap. A page in another order would skip attempts for good.
        limit $3::bigint
      )
      union all
      (
        select unit_id, number, worker_id, 'pending', started_at, null, expires_at, data
        from ${s}.lease where worker_id = $1::bigint and number > $2::bigint
        order by number limit $3::bigint
      )
      union all
      (
        select member.unit_id, member.number, $1::bigint, 'pending', member.started_at, null, member.expires_at, member.data
        from (
          select * from ${s}.lease_range r
          where r.worker_id = $1::bigint and r.last_number > $2::bigint and 0 <> all(r.unit_ids)
          order by r.last_number
        ) r
        cross join lateral (
          select m.unit_id, r.first_number + m.position - 1 as number, r.started_at, r.expires_at, r.data
          from unnest(r.unit_ids) with ordinality as m (unit_id, position)
          where r.first_number + m.position - 1 > $2::bigint
          offset 0
        ) member
        cross join lateral (
          select from ${s}.work_unit u where u.id = member.unit_id and ${s}.is_in_lease_range(u, member.number, r.waited_in) offset 0
        ) u
        -- As above.
        limit $3::bigint
      )
      union all
      (
        select l.unit_id, l.number, l.worker_id, 'pending', l.started_at, null, l.expires_at, l.data
        -- Those that were split overlap. They are few.
        from (select * from ${s}.lease_range r where r.worker_id = $1::bigint and r.last_number > $2::bigint and 0 = any(r.unit_ids) offset 0) r
        cross join lateral (
          select m.unit_id, r.first_number + m.position - 1 as number, r.worker_id, r.started_at, r.expires_at, r.data
          from unnest(r.unit_ids) with ordinality as m (unit_id, position)
          where r.first_number + m.position - 1 > $2::bigint and m.unit_id > 0
          offset 0
        ) l
        cross join lateral (select from ${s}.work_unit u where u.id = l.unit_id and ${s}.is_in_lease_range(u, l.number, r.waited_in) offset 0) u
        order by l.number limit $3::bigint
      )
      union all
      (
        select unit_id, number, worker_id, 'pending', started_at, null, expires_at, data
        from ${s}.superseded where worker_id = $1::bigint and number > $2::bigint
        order by number limit $3::bigint
      )
    ) a
    join ${s}.work_unit u on u.id = a.unit_id
    join ${s}.work_spec p on p.id = u.spec_id
    order by a.number
    limit $3::bigint`,
);

/** The active pending attempts of a worker's children: one statement, so one moment. Parameters: worker id. */
export const listChildAttempts = statement(
  'attempt.list-of-children',
  (s) => `
    select
      a.number, 'pending' as status, a.started_at, null as ended_at, a.expires_at, coalesce(a.data, u.data) as data,
      a.worker_id, w.name as worker_name, u.id as unit_id, u.name as unit_name, p.id as spec_id, p.name as spec_name
    from (select id, name from ${s}.worker where parent_id = $1::bigint order by parent_id, name offset 0) w
    cross join lateral (select * from ${s}.any_lease a where a.worker_id = w.id offset 0) a
    join ${s}.work_unit u on u.id = a.unit_id
    join ${s}.work_spec p on p.id = u.spec_id
    order by a.number`,
);

/**
 * Attempts by the names of their specs and units, and their numbers: a row for each asked for, in that order, with nulls from where
 * there is no such spec, unit or attempt. Nothing expires: who is about to report on an attempt must not end it by asking.
 * Indexes: work_spec (namespace_id, name), work_unit (spec_id, name), the primary keys of lease, superseded and attempt, one probe each for
 * each row. Parameters: namespace id, spec names, unit names, numbers.
 */
export const listNamedAttempts = statement(
  'attempt.list-named',
  (s) => `
    select
      a.number, a.status, a.started_at, a.ended_at, a.expires_at, coalesce(a.data, u.data) as data,
      a.worker_id, (select w.name from ${s}.worker w where w.id = a.worker_id) as worker_name, u.id as unit_id, u.name as unit_name, p.id as spec_id, p.name as spec_name
    from unnest($2::bytea[], $3::bytea[], $4::bigint[]) with ordinality as asked (spec_name, unit_name, number, place)
    left join lateral (
      select * from ${s}.work_spec p where p.namespace_id = $1::bigint and p.name = asked.spec_name offset 0
    ) p on true
    left join lateral (
      select * from ${s}.work_unit u where u.spec_id = p.id and u.name = asked.unit_name offset 0
    ) u on true
    left join lateral (
      select * from ${s}.any_attempt a where a.spec_id = p.id and a.unit_id = u.id and a.number = asked.number offset 0
    ) a on true
    order by asked.place`,
);
