-- Up Migration
-- Leases of units that were claimed together, as one row instead of many. (compatible, transactional; programs of before leave such attempts out of
-- lists of pending units and of a worker's attempts, and out of the count that max_running limits)
--
-- To the map in 0001: a claim of many units makes one row in lease_range, instead of one in lease for each. To its lock order: lease_range comes last. Whoever
-- transfers a unit out of a range locks and writes the unit's row, and nothing else; ranges themselves are only written by who renews them, by expiry, and by the
-- report that finds that nobody is left in one, never in a transaction of the user's.

-- Functions are to find these tables whatever temporary ones a session has: the schema first, pg_temp last.
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- The newest attempt that holds the unit no more, or not by lease_range, whatever that says; of a unit that has not ended.
alter table work_unit add column released_up_to bigint;

-- What is running, beside lease: attempts with consecutive numbers that were claimed together. Rows in lease with their three index entries, written and deleted,
-- would be a fifth of what a unit's work costs the server.
--
-- What a range says of a unit holds as long as the unit has not ended and its released_up_to is less than the attempt's number: see is_in_range. Who renews only some of a range
-- splits it: then each has zeros in place of the units that are in the other; those that are given data get one each. A range goes when nobody is left in it: with the report on the last of them, if that
-- can tell, or else when it runs out.
create table lease_range (
  first_number bigint not null,
  last_number bigint not null,
  spec_id bigint not null,
  worker_id bigint not null,
  started_at timestamptz not null,
  expires_at timestamptz not null,
  -- In the order of their attempts' numbers.
  unit_ids bigint[] not null,
  -- How many attempts each has had, this one included; null: each its first.
  attempts integer[],
  least_unit bigint not null,
  greatest_unit bigint not null,
  -- The attempt's own data, CBOR, of a range of one; null: those of the units.
  data bytea,
  -- See renew_in_ranges and src/core/attempt, which look no further back than this.
  check (last_number - first_number < 250)
  -- Whole in its page, as a unit is searched for in each range of its spec.
) with (toast_tuple_target = 8160);

create index lease_range_number on lease_range (first_number);
create index lease_range_spec on lease_range (spec_id, greatest_unit, least_unit);
create index lease_range_worker on lease_range (worker_id, last_number);
create index lease_range_due on lease_range (expires_at);

-- Whether a range that has this attempt of a unit still tells the truth.
create function is_in_range(unit work_unit, number bigint) returns boolean
language sql immutable
return unit.ended is null and (unit.released_up_to is null or unit.released_up_to < number);

-- To be asked for by spec or worker, or for all.
create view lease_in_range as
select
  r.spec_id, m.unit_id, r.first_number + m.position - 1 as number, r.worker_id, r.started_at, r.expires_at,
  coalesce(r.attempts[m.position], 1) as attempts, r.data
from lease_range r
cross join lateral unnest(r.unit_ids) with ordinality as m (unit_id, position)
cross join lateral (
  select from work_unit u where u.id = m.unit_id and is_in_range(u, r.first_number + m.position - 1) offset 0
) u;

create view any_lease as
select spec_id, unit_id, number, worker_id, started_at, expires_at, attempts, data from lease
union all
select spec_id, unit_id, number, worker_id, started_at, expires_at, attempts, data from lease_in_range;

-- To be asked for by units. Looks at each range of the spec that may have the unit. (The spec is that of the range, as in attempt_in_range.)
create view lease_of_unit_in_range as
select r.spec_id, u.id as unit_id, r.number, r.worker_id, r.started_at, r.expires_at, r.attempts, r.data
from work_unit u
cross join lateral (
  select r.spec_id, r.first_number + at.position - 1 as number, r.worker_id, r.started_at, r.expires_at, coalesce(r.attempts[at.position], 1) as attempts, r.data
  from lease_range r
  cross join lateral (select array_position(r.unit_ids, u.id) as position offset 0) at
  where r.spec_id = u.spec_id + 0 and u.id between r.least_unit and r.greatest_unit and at.position is not null
    and is_in_range(u, r.first_number + at.position - 1)
  offset 0
) r
where u.ended is null;

create view lease_of_unit as
select u.spec_id, u.id as unit_id, l.number, l.worker_id, l.started_at, l.expires_at, l.attempts, l.data
from work_unit u
cross join lateral (select * from lease l where l.spec_id = u.spec_id and l.unit_id = u.id offset 0) l
union all
select * from lease_of_unit_in_range;

create or replace view any_attempt as
select spec_id, unit_id, number, worker_id, 'pending' as status, started_at, null::timestamptz as ended_at, expires_at, data
from lease
union all
select spec_id, unit_id, number, worker_id, 'pending', started_at, null, expires_at, data
from superseded
union all
select spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data
from attempt
union all
select spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, null
from attempt_in_range
union all
select spec_id, unit_id, number, worker_id, 'pending', started_at, null, expires_at, data
from lease_of_unit_in_range;

-- Takes the leases that units have by ranges away; the attempts are in no table then. The caller holds the locks on the units' rows.
create function take_leases_in_ranges(unit_ids bigint[], only_number bigint default null, overdue_at timestamptz default null) returns setof lease
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
    with held as materialized (
      select * from lease_of_unit_in_range h
      where h.unit_id = any(unit_ids) and (only_number is null or h.number = only_number) and (overdue_at is null or h.expires_at < overdue_at)
    ),
    released as (
      update work_unit u set released_up_to = h.number from held h where u.id = any(array[h.unit_id])
    )
    select h.spec_id, h.unit_id, h.number, h.worker_id, h.started_at, h.expires_at, h.attempts, h.data from held h;
end
$$;

-- Takes leases away, of whichever kind, of all attempts or of those with this number, or that had ended before a time. The caller holds the locks on the units' rows.
create function take_leases(unit_ids bigint[], only_number bigint default null, overdue_at timestamptz default null) returns setof lease
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
    delete from lease l using work_unit u
    where u.id = any(unit_ids) and l.spec_id = u.spec_id and l.unit_id = u.id
      and (only_number is null or l.number = only_number) and (overdue_at is null or l.expires_at < overdue_at)
    returning l.*;
  return query select * from take_leases_in_ranges(unit_ids, only_number, overdue_at);
end
$$;

-- Extends attempts that are in ranges, and replaces their data if any are given; returns the numbers of those that were. Locks no unit, so that leases are renewed while
-- somebody changes their units: one that is being released has been renewed for nothing, or for the lease that it gets (see expire_overdue). One at a time, because the next one must see how
-- ranges were split.
create function renew_in_ranges(of_units bigint[], of_numbers bigint[], new_datas bytea[], new_expiry timestamptz) returns setof bigint
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  held record;
  range lease_range;
  alive integer[];
  renewed integer[];
  rest integer[];
  at integer;
begin
  perform from unnest(of_units, of_numbers) as asked (unit_id, number)
  cross join lateral (
    select from lease_range r
    where r.first_number <= asked.number and r.first_number > asked.number - 250
      and r.unit_ids[(asked.number - r.first_number)::integer + 1] = asked.unit_id
    offset 0
  ) r
  limit 1;
  if not found then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || ' renewal', 0));
  for held in
    select r.place, array_agg(r.position) as positions, array_agg(asked.data) as datas, count(asked.data) > 0 as has_data
    from unnest(of_units, of_numbers, new_datas) as asked (unit_id, number, data)
    cross join lateral (
      select r.ctid as place, (asked.number - r.first_number)::integer + 1 as position
      from lease_range r
      where r.first_number <= asked.number and r.first_number > asked.number - 250
        and r.unit_ids[(asked.number - r.first_number)::integer + 1] = asked.unit_id
      offset 0
    ) r
    group by r.place
  loop
    -- Not waiting for expiry, which may be part of a transaction of the user's.
    select r.* into range from lease_range r where r.ctid = held.place for no key update skip locked;
    continue when not found;
    alive := array(
      select m.position::integer from unnest(range.unit_ids) with ordinality as m (unit_id, position)
      cross join lateral (
        select from work_unit u where u.id = m.unit_id and is_in_range(u, range.first_number + m.position - 1) offset 0
      ) u
    );
    renewed := array(select p from unnest(held.positions) as p where p = any(alive));
    rest := array(select p from unnest(alive) as p where p <> all(renewed));
    continue when renewed = '{}';
    if rest = '{}' and not held.has_data then
      update lease_range r set expires_at = new_expiry where r.ctid = held.place;
    else
      if rest = '{}' then
        delete from lease_range r where r.ctid = held.place;
      else
        update lease_range r set unit_ids = only_members(r.unit_ids, rest) where r.ctid = held.place;
      end if;
      range.expires_at := new_expiry;
      if held.has_data then
        for i in 1..cardinality(held.positions) loop
          at := held.positions[i];
          continue when at <> all(renewed);
          insert into lease_range (
            first_number, last_number, spec_id, worker_id, started_at, expires_at, unit_ids, attempts, least_unit, greatest_unit, data
          )
          select
            range.first_number + at - 1, range.first_number + at - 1, range.spec_id, range.worker_id, range.started_at, range.expires_at,
            array[range.unit_ids[at]], array[coalesce(range.attempts[at], 1)], range.unit_ids[at], range.unit_ids[at],
            coalesce(held.datas[i], range.data);
        end loop;
      else
        range.unit_ids := only_members(range.unit_ids, renewed);
        insert into lease_range select range.*;
      end if;
    end if;
    return query select range.first_number + p - 1 from unnest(renewed) as p;
  end loop;
end
$$;

-- The same list with zeros in all other places.
create function only_members(unit_ids bigint[], positions integer[]) returns bigint[]
language sql immutable
return array(
  select case when m.position = any(positions) then m.unit_id else 0 end
  from unnest(unit_ids) with ordinality as m (unit_id, position) order by m.position
);

-- Takes units out of delayed and ready, whichever they are in; returns those found, with their attempts so far. The caller
-- holds the locks on the units' rows.
create or replace function take_waiting(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  from_delayed bigint[];
  delayed_attempts integer[];
  from_ready bigint[];
  ready_attempts integer[];
  generations bigint[];
  missing bigint[] := unit_ids;
begin
  with taken as (
    delete from delayed d using work_unit u
    where u.id = any(unit_ids) and d.spec_id = u.spec_id and d.unit_id = u.id
    returning d.unit_id, d.attempts
  )
  select array_agg(t.unit_id), array_agg(t.attempts) into from_delayed, delayed_attempts from taken t;
  -- A row that is just being moved from one generation to another is found where it was or, the next time, where it is.
  for try in 1..3 loop
    generations := live_generations();
    with taken as (
      delete from ready r using work_unit u
      where u.id = any(missing)
        and r.generation = any(generations) and r.spec_id = u.spec_id and r.rank = -u.priority and r.name = u.name
      returning r.unit_id, r.attempts
    )
    select from_ready || array_agg(t.unit_id), ready_attempts || array_agg(t.attempts) into from_ready, ready_attempts from taken t;
    missing := array(
      select u.id from work_unit u
      where u.id = any(missing) and u.ended is null
        and u.id not in (select unnest(from_delayed) union all select unnest(from_ready))
        -- Not EXISTS, for which all units may be read at once.
        and (select true from lease_of_unit l where l.unit_id = u.id limit 1) is null
    );
    exit when missing = '{}';
  end loop;
  if missing <> '{}' then
    raise exception 'a unit has changed since this transaction began' using errcode = 'serialization_failure';
  end if;
  return query
    select * from unnest(from_delayed, delayed_attempts)
    union all
    select * from unnest(from_ready, ready_attempts);
end
$$;

-- Of units those that have one of some statuses now; all of them when statuses is null. The caller holds the locks.
create or replace function units_of_status(unit_ids bigint[], statuses text[], at_time timestamptz) returns bigint[]
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  if statuses is null then
    return unit_ids;
  end if;
  return array(
    select u.id
    from work_unit u left join lateral (
      select true as is_leased from lease_of_unit l where l.unit_id = u.id offset 0
    ) l on true
    where u.id = any(unit_ids) and unit_status(u.ended, l.is_leased is true, u.not_before, at_time) = any(statuses)
    order by u.id
  );
end
$$;

-- Makes ended units as if they had never ended; returns them with their attempts so far. The caller holds the locks.
create or replace function reopen(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ranges bigint[] := ranges_of(unit_ids);
begin
  perform take_out_of_ranges(unit_ids);
  return query
    with reopened as (
      update work_unit u set ended = null, active_attempt = null, released_up_to = u.active_attempt
      from work_unit before
      where u.id = any(unit_ids) and u.ended is not null and before.id = u.id
      returning u.id, u.spec_id, u.attempts, before.ended as was
    ),
    counted as (
      insert into unit_count (spec_id, kind, delta)
      select r.spec_id, r.was, -count(*) from reopened r group by r.spec_id, r.was
    )
    select r.id, r.attempts from reopened r;
  perform delete_empty_ranges(ranges);
end
$$;

-- Takes the leases of units away; the attempts stay pending, no longer their unit's active one. The caller holds the locks.
create or replace function supersede(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
    with taken as materialized (
      select l.*, u.data as unit_data from take_leases(unit_ids) l join work_unit u on u.id = any(array[l.unit_id])
    ),
    kept as (
      insert into superseded (number, spec_id, unit_id, worker_id, started_at, expires_at, data)
      select t.number, t.spec_id, t.unit_id, t.worker_id, t.started_at, t.expires_at, coalesce(t.data, t.unit_data)
      from taken t
    )
    select t.unit_id, t.attempts from taken t;
end
$$;

-- Gives data of their own to the attempts that have been showing the unit's, before the unit's data change under them.
create or replace function detach_attempt_data(of_spec bigint, unit_ids bigint[]) returns void
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  -- To a lease of its own, where data have a place.
  insert into lease (spec_id, unit_id, number, worker_id, started_at, expires_at, attempts, data)
  select t.* from take_leases_in_ranges(unit_ids) t;
  update lease l set data = (select u.data from work_unit u where u.id = l.unit_id)
  where l.spec_id = of_spec and l.unit_id = any(unit_ids) and l.data is null;
  update attempt a set data = (select u.data from work_unit u where u.id = a.unit_id)
  where a.unit_id = any(unit_ids) and a.data is null;
end
$$;

-- What expire_due does if there is anything to do. Attempts whose unit somebody else is changing at this moment are left to him: he
-- may be the worker who reports at last. Planned anew each time: a plan kept from when the tables were empty may go through all
-- units (seen on PostgreSQL 14).
create or replace function expire_overdue(at_time timestamptz, at_most integer, since timestamptz) returns integer
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ids bigint[];
  waiting bigint[];
  waiting_attempts integer[];
  of_specs bigint[];
  numbers bigint[];
  superseded_count integer;
  due_ranges tid[];
begin
  -- One at a time: whoever looks at units waits here for who is expiring them, and then sees what has become of them.
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || ' expiry', 0));
  with expired as (
    delete from superseded s
    where s.number in (
      select number from superseded where expires_at < at_time order by expires_at limit at_most for update skip locked
    )
    returning s.*
  ),
  history as (
    insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
    select e.spec_id, e.unit_id, e.number, e.worker_id, 'expired', e.started_at, at_time, e.expires_at, e.data from expired e
  )
  select count(*), array_agg(e.unit_id), array_agg(e.spec_id), array_agg(e.number)
  into superseded_count, ids, of_specs, numbers from expired e;
  perform announce_attempts('expired', of_specs, ids, numbers);

  -- A unit that was given other data while it was in a range has a lease of its own (detach_attempt_data). Who renewed the range before that was committed
  -- did not know, and that renewal holds.
  update lease l set expires_at = r.expires_at
  from lease_range r
  where l.ctid = any(array(
      select ctid from lease where expires_at >= since and expires_at < at_time
      order by expires_at limit at_most for no key update skip locked
    ))
    and r.ctid = any(array(
      select r.ctid from lease_range r
      where r.first_number <= l.number and r.first_number > l.number - 250 and r.unit_ids[(l.number - r.first_number)::integer + 1] = l.unit_id
        and r.expires_at >= at_time
    ));
  -- The limit counts those that could be locked. Skipping needs no order of locks.
  select array_agg(locked.id) into ids from (
    select u.id
    from lease l join work_unit u on u.id = l.unit_id
    where l.expires_at >= since and l.expires_at < at_time
    order by l.expires_at
    limit at_most
    for no key update of u skip locked
  ) locked;
  due_ranges := array(
    select r.ctid from lease_range r
    where r.expires_at >= since and r.expires_at < at_time
    order by r.expires_at limit at_most
    for no key update skip locked
  );
  if ids is null and due_ranges = '{}' then
    return superseded_count;
  end if;
  ids := ids || array(
    select u.id
    from lease_range r
    cross join lateral unnest(r.unit_ids) with ordinality as m (unit_id, position)
    join work_unit u on u.id = any(array[m.unit_id])
    where r.ctid = any(due_ranges) and is_in_range(u, r.first_number + m.position - 1)
    limit at_most
    for no key update of u skip locked
  );
  with expired as (
    -- Asked again, for a renewal locks no unit.
    select * from take_leases(ids, null, at_time)
  ),
  history as (
    insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
    select e.spec_id, e.unit_id, e.number, e.worker_id, 'expired', e.started_at, at_time, e.expires_at, e.data from expired e
  )
  select array_agg(e.unit_id), array_agg(e.attempts), array_agg(e.spec_id), array_agg(e.number)
  into waiting, waiting_attempts, of_specs, numbers from expired e;
  perform note_attempts(waiting, waiting_attempts);
  perform put_waiting(waiting, waiting_attempts, at_time);
  perform announce_attempts('expired', of_specs, waiting, numbers);
  delete from lease_range r
  where r.ctid = any(due_ranges) and not exists (
    select from unnest(r.unit_ids) with ordinality as m (unit_id, position)
    cross join lateral (
      select from work_unit u where u.id = m.unit_id and is_in_range(u, r.first_number + m.position - 1) offset 0
    ) u
  );
  return superseded_count + coalesce(cardinality(waiting), 0);
end
$$;

-- Expires at most so many overdue attempts; returns how many, null if none was overdue. Every look calls it, mostly for nothing. Nothing
-- that would have expired before `since` is looked for: whoever knows that there is none need not pass by what has ended since.
create or replace function expire_due(at_time timestamptz, at_most integer, since timestamptz) returns integer
language plpgsql
set search_path from current
as $$
begin
  perform from lease where expires_at >= since and expires_at < at_time order by expires_at limit 1;
  if not found then
    perform from lease_range where expires_at >= since and expires_at < at_time order by expires_at limit 1;
  end if;
  if not found then
    perform from superseded where expires_at < at_time order by expires_at limit 1;
  end if;
  if not found then
    return null;
  end if;
  return expire_overdue(at_time, at_most, since);
end
$$;

-- Reports on one attempt, whatever has become of it: the slow path behind the statements of src/core/attempt, which handle
-- whole batches but only attempts that are pending, active, and have no output to pass on.
-- action: 'finished', 'failed', 'retryable', 'expired', 'renewed'.
-- Returns outcome: 'done', 'unchanged', 'not-pending', 'lost-lease', 'gone'; and, when a finished unit's spec names an existing next one,
-- that spec's id and the data that may hold its output.
create or replace function settle_attempt(
  action text, of_unit bigint, of_number bigint, new_data bytea, at_time timestamptz, extend_or_delay interval,
  out outcome text, out next_spec_id bigint, out output_data bytea
)
language plpgsql
set search_path from current
as $$
declare
  unit work_unit;
  held lease;
  old superseded;
  past text;
  is_in_range boolean := false;
  was_active boolean := false;
begin
  outcome := 'done';
  select u.* into unit from work_unit u where u.id = of_unit for no key update;
  if not found or not exists (select from work_spec s where s.id = unit.spec_id) then
    outcome := 'gone';
    return;
  end if;

  if action = 'renewed' then
    update lease l set expires_at = at_time + extend_or_delay, data = coalesce(new_data, l.data)
    where l.spec_id = unit.spec_id and l.unit_id = of_unit and l.number = of_number;
    if found then
      return;
    end if;
    perform from renew_in_ranges(array[of_unit], array[of_number], array[new_data], at_time + extend_or_delay);
    if found then
      return;
    end if;
    delete from superseded s where s.number = of_number returning s.* into old;
    if not found then
      outcome := 'not-pending';
      return;
    end if;
    insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
    values (old.spec_id, old.unit_id, old.number, old.worker_id, 'expired', old.started_at, at_time, old.expires_at,
      coalesce(new_data, old.data));
    outcome := 'lost-lease';
    return;
  end if;

  select t.* into held from take_leases(array[of_unit], of_number) t;
  if found then
    was_active := true;
    output_data := coalesce(new_data, held.data, unit.data);
    insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
    values (held.spec_id, held.unit_id, held.number, held.worker_id, action, held.started_at, at_time, held.expires_at,
      coalesce(new_data, held.data));
    if action in ('finished', 'failed') then
      update work_unit u set ended = action, active_attempt = of_number, attempts = held.attempts where u.id = of_unit;
      insert into unit_count (spec_id, kind, delta) values (unit.spec_id, action, 1);
    else
      update work_unit u set
        attempts = held.attempts,
        not_before = case when action = 'retryable' then at_time + extend_or_delay else u.not_before end
      where u.id = of_unit;
      perform put_waiting(array[of_unit], array[held.attempts], at_time);
    end if;
  else
    delete from superseded s where s.number = of_number returning s.* into old;
    if found then
      insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
      values (old.spec_id, old.unit_id, old.number, old.worker_id, action, old.started_at, at_time, old.expires_at,
        coalesce(new_data, old.data));
    else
      select a.status into past from attempt a where a.unit_id = of_unit and a.number = of_number for update;
      if not found then
        select p.status into past from attempt_in_range p where p.unit_id = of_unit and p.number = of_number;
        is_in_range := found;
      end if;
      if past = 'expired' and action = 'expired' then
        outcome := 'unchanged';
        return;
      end if;
      if past is distinct from 'failed' or action <> 'finished' then
        outcome := 'not-pending';
        return;
      end if;
      was_active := unit.active_attempt = of_number and unit.ended = 'failed';
      -- Not to answer a question: whatever writes here without writing the unit's row is not seen by who has an old snapshot.
      if is_in_range then
        perform take_out_of_ranges(array[of_unit]);
      end if;
      update attempt a set status = 'finished', ended_at = at_time, data = coalesce(new_data, a.data)
      where a.unit_id = of_unit and a.number = of_number
      returning coalesce(a.data, unit.data) into output_data;
      if was_active then
        update work_unit u set ended = 'finished' where u.id = of_unit;
        insert into unit_count (spec_id, kind, delta) values (unit.spec_id, 'failed', -1), (unit.spec_id, 'finished', 1);
      end if;
    end if;
  end if;

  if action = 'finished' and was_active then
    select n.id into next_spec_id
    from work_spec s join work_spec n on n.namespace_id = s.namespace_id and n.name = s.next_work_spec_name
    where s.id = unit.spec_id;
  end if;
  if next_spec_id is null then
    output_data := null;
  end if;
end
$$;

-- The fence: raises unless the attempt is still its unit's active one at this moment, and keeps it so until the end of the
-- caller's transaction. A worker whose lease was lost calls it in the transaction of its side effects, which then roll back.
-- It locks the unit like every transition does, so that expiry passes the unit by and renewals go on meanwhile; and the lease,
-- so that a transaction with an old snapshot fails instead of seeing a lease that is no more.
create or replace function require_attempt(of_unit bigint, of_number bigint, at_time timestamptz default null) returns void
language plpgsql
set search_path from current
as $$
begin
  perform from work_unit u where u.id = of_unit for no key update;
  perform from work_unit u join lease l on l.spec_id = u.spec_id and l.unit_id = u.id
  where u.id = of_unit and l.number = of_number
    and l.expires_at >= coalesce(at_time, statement_timestamp())
  for key share of l;
  if not found then
    -- What releases a unit of a range writes the unit's row.
    perform from lease_of_unit l
    where l.unit_id = of_unit and l.number = of_number and l.expires_at >= coalesce(at_time, statement_timestamp());
  end if;
  if not found then
    raise exception 'attempt % is no longer held', of_number
      using errcode = 'PC001', hint = 'The lease was lost or has ended: roll back, and let the new holder do the work.';
  end if;
end
$$;

-- The same as a question: true while the attempt is held, without keeping it so.
create or replace function holds_attempt(of_unit bigint, of_number bigint, at_time timestamptz default null) returns boolean
language sql stable
begin atomic
  select exists (
    select from lease_of_unit l
    where l.unit_id = of_unit and l.number = of_number and l.expires_at >= coalesce(at_time, statement_timestamp())
  );
end;

-- Down Migration
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- Before the snapshot of what follows, so that no claim makes a range unseen.
lock table lease_range in access exclusive mode;

insert into lease (spec_id, unit_id, number, worker_id, started_at, expires_at, attempts, data)
select spec_id, unit_id, number, worker_id, started_at, expires_at, attempts, data from lease_in_range;

create or replace function take_waiting(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  from_delayed bigint[];
  delayed_attempts integer[];
  from_ready bigint[];
  ready_attempts integer[];
  generations bigint[];
  missing bigint[] := unit_ids;
begin
  with taken as (
    delete from delayed d using work_unit u
    where u.id = any(unit_ids) and d.spec_id = u.spec_id and d.unit_id = u.id
    returning d.unit_id, d.attempts
  )
  select array_agg(t.unit_id), array_agg(t.attempts) into from_delayed, delayed_attempts from taken t;
  -- A row that is just being moved from one generation to another is found where it was or, the next time, where it is.
  for try in 1..3 loop
    generations := live_generations();
    with taken as (
      delete from ready r using work_unit u
      where u.id = any(missing)
        and r.generation = any(generations) and r.spec_id = u.spec_id and r.rank = -u.priority and r.name = u.name
      returning r.unit_id, r.attempts
    )
    select from_ready || array_agg(t.unit_id), ready_attempts || array_agg(t.attempts) into from_ready, ready_attempts from taken t;
    missing := array(
      select u.id from work_unit u
      where u.id = any(missing) and u.ended is null
        and u.id not in (select unnest(from_delayed) union all select unnest(from_ready))
        and not exists (select from lease l where l.spec_id = u.spec_id and l.unit_id = u.id)
    );
    exit when missing = '{}';
  end loop;
  if missing <> '{}' then
    raise exception 'a unit has changed since this transaction began' using errcode = 'serialization_failure';
  end if;
  return query
    select * from unnest(from_delayed, delayed_attempts)
    union all
    select * from unnest(from_ready, ready_attempts);
end
$$;

create or replace function units_of_status(unit_ids bigint[], statuses text[], at_time timestamptz) returns bigint[]
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  if statuses is null then
    return unit_ids;
  end if;
  return array(
    select u.id
    from work_unit u left join lease l on l.spec_id = u.spec_id and l.unit_id = u.id
    where u.id = any(unit_ids) and unit_status(u.ended, l.unit_id is not null, u.not_before, at_time) = any(statuses)
    order by u.id
  );
end
$$;

create or replace function reopen(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ranges bigint[] := ranges_of(unit_ids);
begin
  perform take_out_of_ranges(unit_ids);
  return query
    with reopened as (
      update work_unit u set ended = null, active_attempt = null
      from work_unit before
      where u.id = any(unit_ids) and u.ended is not null and before.id = u.id
      returning u.id, u.spec_id, u.attempts, before.ended as was
    ),
    counted as (
      insert into unit_count (spec_id, kind, delta)
      select r.spec_id, r.was, -count(*) from reopened r group by r.spec_id, r.was
    )
    select r.id, r.attempts from reopened r;
  perform delete_empty_ranges(ranges);
end
$$;

create or replace function supersede(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
    with taken as (
      delete from lease l using work_unit u
      where u.id = any(unit_ids) and l.spec_id = u.spec_id and l.unit_id = u.id
      returning l.*, u.data as unit_data
    ),
    kept as (
      insert into superseded (number, spec_id, unit_id, worker_id, started_at, expires_at, data)
      select t.number, t.spec_id, t.unit_id, t.worker_id, t.started_at, t.expires_at, coalesce(t.data, t.unit_data)
      from taken t
    )
    select t.unit_id, t.attempts from taken t;
end
$$;

create or replace function detach_attempt_data(of_spec bigint, unit_ids bigint[]) returns void
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  update lease l set data = (select u.data from work_unit u where u.id = l.unit_id)
  where l.spec_id = of_spec and l.unit_id = any(unit_ids) and l.data is null;
  update attempt a set data = (select u.data from work_unit u where u.id = a.unit_id)
  where a.unit_id = any(unit_ids) and a.data is null;
end
$$;

create or replace function expire_overdue(at_time timestamptz, at_most integer, since timestamptz) returns integer
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ids bigint[];
  waiting bigint[];
  waiting_attempts integer[];
  of_specs bigint[];
  numbers bigint[];
  superseded_count integer;
begin
  -- One at a time: whoever looks at units waits here for who is expiring them, and then sees what has become of them.
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || ' expiry', 0));
  with expired as (
    delete from superseded s
    where s.number in (
      select number from superseded where expires_at < at_time order by expires_at limit at_most for update skip locked
    )
    returning s.*
  ),
  history as (
    insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
    select e.spec_id, e.unit_id, e.number, e.worker_id, 'expired', e.started_at, at_time, e.expires_at, e.data from expired e
  )
  select count(*), array_agg(e.unit_id), array_agg(e.spec_id), array_agg(e.number)
  into superseded_count, ids, of_specs, numbers from expired e;
  perform announce_attempts('expired', of_specs, ids, numbers);

  -- The limit counts those that could be locked. Skipping needs no order of locks.
  select array_agg(locked.id) into ids from (
    select u.id
    from lease l join work_unit u on u.id = l.unit_id
    where l.expires_at >= since and l.expires_at < at_time
    order by l.expires_at
    limit at_most
    for no key update of u skip locked
  ) locked;
  if ids is null then
    return superseded_count;
  end if;
  with expired as (
    delete from lease l using work_unit u
    -- Asked again, for a renewal locks no unit.
    where u.id = any(ids) and l.spec_id = u.spec_id and l.unit_id = u.id and l.expires_at < at_time
    returning l.*
  ),
  history as (
    insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
    select e.spec_id, e.unit_id, e.number, e.worker_id, 'expired', e.started_at, at_time, e.expires_at, e.data from expired e
  )
  select array_agg(e.unit_id), array_agg(e.attempts), array_agg(e.spec_id), array_agg(e.number)
  into waiting, waiting_attempts, of_specs, numbers from expired e;
  perform note_attempts(waiting, waiting_attempts);
  perform put_waiting(waiting, waiting_attempts, at_time);
  perform announce_attempts('expired', of_specs, waiting, numbers);
  return superseded_count + coalesce(cardinality(waiting), 0);
end
$$;

create or replace function expire_due(at_time timestamptz, at_most integer, since timestamptz) returns integer
language plpgsql
set search_path from current
as $$
begin
  perform from lease where expires_at >= since and expires_at < at_time order by expires_at limit 1;
  if not found then
    perform from superseded where expires_at < at_time order by expires_at limit 1;
    if not found then
      return null;
    end if;
  end if;
  return expire_overdue(at_time, at_most, since);
end
$$;

create or replace function settle_attempt(
  action text, of_unit bigint, of_number bigint, new_data bytea, at_time timestamptz, extend_or_delay interval,
  out outcome text, out next_spec_id bigint, out output_data bytea
)
language plpgsql
set search_path from current
as $$
declare
  unit work_unit;
  held lease;
  old superseded;
  past text;
  is_in_range boolean := false;
  was_active boolean := false;
begin
  outcome := 'done';
  select u.* into unit from work_unit u where u.id = of_unit for no key update;
  if not found or not exists (select from work_spec s where s.id = unit.spec_id) then
    outcome := 'gone';
    return;
  end if;

  if action = 'renewed' then
    update lease l set expires_at = at_time + extend_or_delay, data = coalesce(new_data, l.data)
    where l.spec_id = unit.spec_id and l.unit_id = of_unit and l.number = of_number;
    if found then
      return;
    end if;
    delete from superseded s where s.number = of_number returning s.* into old;
    if not found then
      outcome := 'not-pending';
      return;
    end if;
    insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
    values (old.spec_id, old.unit_id, old.number, old.worker_id, 'expired', old.started_at, at_time, old.expires_at,
      coalesce(new_data, old.data));
    outcome := 'lost-lease';
    return;
  end if;

  delete from lease l where l.spec_id = unit.spec_id and l.unit_id = of_unit and l.number = of_number returning l.* into held;
  if found then
    was_active := true;
    output_data := coalesce(new_data, held.data, unit.data);
    insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
    values (held.spec_id, held.unit_id, held.number, held.worker_id, action, held.started_at, at_time, held.expires_at,
      coalesce(new_data, held.data));
    if action in ('finished', 'failed') then
      update work_unit u set ended = action, active_attempt = of_number, attempts = held.attempts where u.id = of_unit;
      insert into unit_count (spec_id, kind, delta) values (unit.spec_id, action, 1);
    else
      update work_unit u set
        attempts = held.attempts,
        not_before = case when action = 'retryable' then at_time + extend_or_delay else u.not_before end
      where u.id = of_unit;
      perform put_waiting(array[of_unit], array[held.attempts], at_time);
    end if;
  else
    delete from superseded s where s.number = of_number returning s.* into old;
    if found then
      insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data)
      values (old.spec_id, old.unit_id, old.number, old.worker_id, action, old.started_at, at_time, old.expires_at,
        coalesce(new_data, old.data));
    else
      select a.status into past from attempt a where a.unit_id = of_unit and a.number = of_number for update;
      if not found then
        select p.status into past from attempt_in_range p where p.unit_id = of_unit and p.number = of_number;
        is_in_range := found;
      end if;
      if past = 'expired' and action = 'expired' then
        outcome := 'unchanged';
        return;
      end if;
      if past is distinct from 'failed' or action <> 'finished' then
        outcome := 'not-pending';
        return;
      end if;
      was_active := unit.active_attempt = of_number and unit.ended = 'failed';
      -- Not to answer a question: whatever writes here without writing the unit's row is not seen by who has an old snapshot.
      if is_in_range then
        perform take_out_of_ranges(array[of_unit]);
      end if;
      update attempt a set status = 'finished', ended_at = at_time, data = coalesce(new_data, a.data)
      where a.unit_id = of_unit and a.number = of_number
      returning coalesce(a.data, unit.data) into output_data;
      if was_active then
        update work_unit u set ended = 'finished' where u.id = of_unit;
        insert into unit_count (spec_id, kind, delta) values (unit.spec_id, 'failed', -1), (unit.spec_id, 'finished', 1);
      end if;
    end if;
  end if;

  if action = 'finished' and was_active then
    select n.id into next_spec_id
    from work_spec s join work_spec n on n.namespace_id = s.namespace_id and n.name = s.next_work_spec_name
    where s.id = unit.spec_id;
  end if;
  if next_spec_id is null then
    output_data := null;
  end if;
end
$$;

create or replace function require_attempt(of_unit bigint, of_number bigint, at_time timestamptz default null) returns void
language plpgsql
set search_path from current
as $$
begin
  perform from work_unit u where u.id = of_unit for no key update;
  perform from work_unit u join lease l on l.spec_id = u.spec_id and l.unit_id = u.id
  where u.id = of_unit and l.number = of_number
    and l.expires_at >= coalesce(at_time, statement_timestamp())
  for key share of l;
  if not found then
    raise exception 'attempt % is no longer held', of_number
      using errcode = 'PC001', hint = 'The lease was lost or has ended: roll back, and let the new holder do the work.';
  end if;
end
$$;

create or replace function holds_attempt(of_unit bigint, of_number bigint, at_time timestamptz default null) returns boolean
language sql stable
begin atomic
  select exists (
    select from work_unit u join lease l on l.spec_id = u.spec_id and l.unit_id = u.id
    where u.id = of_unit and l.number = of_number and l.expires_at >= coalesce(at_time, statement_timestamp())
  );
end;

create or replace view any_attempt as
select spec_id, unit_id, number, worker_id, 'pending' as status, started_at, null::timestamptz as ended_at, expires_at, data
from lease
union all
select spec_id, unit_id, number, worker_id, 'pending', started_at, null, expires_at, data
from superseded
union all
select spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data
from attempt
union all
select spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, null
from attempt_in_range;

drop function renew_in_ranges, only_members, take_leases, take_leases_in_ranges;
drop view lease_of_unit, lease_of_unit_in_range, any_lease, lease_in_range;
drop function is_in_range;
drop table lease_range;
alter table work_unit drop column released_up_to;
