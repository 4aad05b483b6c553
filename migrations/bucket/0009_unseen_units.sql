-- Up Migration
-- Whole ranges of ready units are claimed without a look at the units. (compatible, transactional; programs of before may list a unit that had left its range just before that was claimed as
-- one that is held, too)
--
-- To the map in 0005: a range of leases that was a range of ready units says which (waited_in). It holds only for those whose rows say that they waited there: so which of the others it lists
-- need not be known when it is claimed. Whoever takes a unit out of ready_range writes that into the unit's row, behind the range's lock, as in 0008; of a unit's xmax, which that speaks of, nothing depends any more. So waits_in is to stay as it is once the unit is claimed: nobody
-- but take_waiting_units resets it, and that only of units that wait.

select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- The row of ready_range that this was; null: its units were looked at, each, when they were claimed.
alter table lease_range add column waited_in bigint;

-- Whether a range that has this attempt of a unit tells the truth. (Of one that somebody was handed, it once did: is_in_range will do for those.)
create function is_in_lease_range(unit work_unit, number bigint, waited_in bigint) returns boolean
language sql immutable
return unit.ended is null and (unit.released_up_to is null or unit.released_up_to < number) and (waited_in is null or unit.waits_in = waited_in);

-- From here on as in 0005, but that such units are left out.
create or replace view lease_in_range as
select
  r.spec_id, m.unit_id, r.first_number + m.position - 1 as number, r.worker_id, r.started_at, r.expires_at,
  coalesce(r.attempts[m.position], 1) as attempts, r.data
from lease_range r
cross join lateral unnest(r.unit_ids) with ordinality as m (unit_id, position)
cross join lateral (
  select from work_unit u where u.id = m.unit_id and is_in_lease_range(u, r.first_number + m.position - 1, r.waited_in) offset 0
) u;

create or replace view lease_of_unit_in_range as
select r.spec_id, u.id as unit_id, r.number, r.worker_id, r.started_at, r.expires_at, r.attempts, r.data
from work_unit u
cross join lateral (
  select r.spec_id, r.first_number + at.position - 1 as number, r.worker_id, r.started_at, r.expires_at, coalesce(r.attempts[at.position], 1) as attempts, r.data
  from lease_range r
  cross join lateral (select array_position(r.unit_ids, u.id) as position offset 0) at
  where r.spec_id = u.spec_id + 0 and u.id between r.least_unit and r.greatest_unit and at.position is not null
    and is_in_lease_range(u, r.first_number + at.position - 1, r.waited_in)
  offset 0
) r
where u.ended is null;

create or replace function renew_in_ranges(of_units bigint[], of_numbers bigint[], new_datas bytea[], new_expiry timestamptz) returns setof bigint
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
        select from work_unit u where u.id = m.unit_id and is_in_lease_range(u, range.first_number + m.position - 1, range.waited_in) offset 0
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
            first_number, last_number, spec_id, worker_id, started_at, expires_at, unit_ids, attempts, least_unit, greatest_unit, data, waited_in
          )
          select
            range.first_number + at - 1, range.first_number + at - 1, range.spec_id, range.worker_id, range.started_at, range.expires_at,
            array[range.unit_ids[at]], array[coalesce(range.attempts[at], 1)], range.unit_ids[at], range.unit_ids[at],
            coalesce(held.datas[i], range.data), range.waited_in;
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
    where r.ctid = any(due_ranges) and is_in_lease_range(u, r.first_number + m.position - 1, r.waited_in)
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
      select from work_unit u where u.id = m.unit_id and is_in_lease_range(u, r.first_number + m.position - 1, r.waited_in) offset 0
    ) u
  );
  return superseded_count + coalesce(cardinality(waiting), 0);
end
$$;

-- Down Migration
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- No range that relies upon what is dropped here is to come any more. Programs that claim whole ranges without a look at the units must have been stopped before.
lock table work_unit, ready_range, lease_range in exclusive mode;

-- Units that are not in the ranges that list them are in none.
update lease_range r set unit_ids = array(
  select case when u.is_in then m.unit_id else 0 end
  from unnest(r.unit_ids) with ordinality as m (unit_id, position)
  left join lateral (
    select true as is_in from work_unit u where u.id = m.unit_id and is_in_lease_range(u, r.first_number + m.position - 1, r.waited_in) offset 0
  ) u on true
  order by m.position
)
where r.waited_in is not null;

create or replace view lease_in_range as
select
  r.spec_id, m.unit_id, r.first_number + m.position - 1 as number, r.worker_id, r.started_at, r.expires_at,
  coalesce(r.attempts[m.position], 1) as attempts, r.data
from lease_range r
cross join lateral unnest(r.unit_ids) with ordinality as m (unit_id, position)
cross join lateral (
  select from work_unit u where u.id = m.unit_id and is_in_range(u, r.first_number + m.position - 1) offset 0
) u;

create or replace view lease_of_unit_in_range as
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

create or replace function renew_in_ranges(of_units bigint[], of_numbers bigint[], new_datas bytea[], new_expiry timestamptz) returns setof bigint
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

drop function is_in_lease_range;
alter table lease_range drop column waited_in;
