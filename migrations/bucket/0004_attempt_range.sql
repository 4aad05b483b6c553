-- Up Migration
-- Attempts that ended together, as one row instead of many. Also: put_waiting never goes through all units. (compatible, transactional; programs of before leave
-- such attempts out of the list of all attempts of a worker)
--
-- To the map in 0001: attempts that are ended by the places of their rows, together and without data, go to attempt_range instead of attempt. To its
-- lock order: statements that end attempts so lock rows as they lie, and wait for none longer than 20 ms.

-- Functions are to find these tables whatever temporary ones a session has: the schema first, pg_temp last.
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- History beside attempt: attempts with consecutive numbers that were claimed together, by one worker, and ended well or badly together, without
-- data of their own. A row for each in attempt, with its index entries, would be a fifth of what a unit's work costs the server.
-- No number is in two ranges, so the range of a number is the last that does not begin after it.
--
-- What a range says of a unit holds as long as the attempt is the unit's active one and has no row in attempt: whatever changes that gives it such a
-- row first, and leaves the range as it is. A range goes with the last of its units, with its spec, or with its partition: whoever drops one of attempt
-- drops the same of attempt_range.
create table attempt_range (
  first_number bigint not null,
  last_number bigint not null,
  spec_id bigint not null,
  worker_id bigint not null,
  status text not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  expires_at timestamptz not null,
  -- In the order of their attempts' numbers.
  unit_ids bigint[] not null,
  -- See attempt_in_range and ranges_of, which look no further back than this.
  check (last_number - first_number < 1000)
) partition by range (ended_at);

create table attempt_range_default partition of attempt_range default;

create index attempt_range_first on attempt_range (first_number);
create index attempt_range_worker on attempt_range (worker_id, last_number);
create index attempt_range_spec on attempt_range (spec_id);

-- The attempts of ended units that are in ranges, to be asked for by their units. (The spec is that of the range, so that nobody looks units up by it: a plan
-- made while the tables are empty might.)
create view attempt_in_range as
select r.spec_id, u.id as unit_id, u.active_attempt as number, r.worker_id, r.status, r.started_at, r.ended_at, r.expires_at
from work_unit u
cross join lateral (
  select * from attempt_range r
  -- No range is longer: what lies further back has nothing to say, and may be dead entries without end.
  where r.first_number <= u.active_attempt and r.first_number > u.active_attempt - 1000
  order by r.first_number desc limit 1
) r
where u.ended = r.status and r.last_number >= u.active_attempt and r.unit_ids[(u.active_attempt - r.first_number)::integer + 1] = u.id
  and (select true from attempt a where a.unit_id = u.id and a.number = u.active_attempt limit 1) is null;

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

-- In which ranges the active attempts of units are: the first numbers of these.
create function ranges_of(unit_ids bigint[]) returns bigint[]
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  return array(
    select distinct r.first_number
    from work_unit u
    cross join lateral (
      select n.first_number, n.last_number from attempt_range n
      where n.first_number <= u.active_attempt and n.first_number > u.active_attempt - 1000
      order by n.first_number desc limit 1
    ) r
    where u.id = any(unit_ids) and u.ended is not null and r.last_number >= u.active_attempt
  );
end
$$;

-- Gives the active attempts of units rows of their own, where they can change or be left behind. The caller holds the locks on the units' rows.
create function take_out_of_ranges(of_units bigint[]) returns void
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
as $$
begin
  insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at)
  select p.spec_id, p.unit_id, p.number, p.worker_id, p.status, p.started_at, p.ended_at, p.expires_at
  from attempt_in_range p where p.unit_id = any(of_units);
end
$$;

-- Deletes those of the ranges that say nothing any more. If two transactions take the last units of one at the same moment, neither sees that; then it goes
-- with its spec or its partition.
create function delete_empty_ranges(firsts bigint[]) returns void
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  delete from attempt_range r
  where r.first_number = any(firsts) and not exists (
    select from unnest(r.unit_ids) as member (unit_id)
    join work_unit u on u.id = member.unit_id and u.active_attempt between r.first_number and r.last_number
  );
end
$$;

-- Puts units that are in no state into delayed or ready, as their not_before has it. The caller holds the locks. (LATERAL with OFFSET 0, as a plan
-- made while there were few units may go through all of them later.)
create or replace function put_waiting(unit_ids bigint[], unit_attempts integer[], at_time timestamptz) returns void
language plpgsql
set search_path from current
as $$
begin
  insert into delayed (spec_id, unit_id, not_before, attempts)
  select u.spec_id, u.id, u.not_before, i.attempts
  from unnest(unit_ids, unit_attempts) as i (id, attempts)
  cross join lateral (select * from work_unit u where u.id = i.id offset 0) u
  where u.not_before > at_time;
  insert into ready (generation, spec_id, rank, name, unit_id, attempts)
  select (select last_value from ready_open), u.spec_id, -u.priority, u.name, u.id, i.attempts
  from unnest(unit_ids, unit_attempts) as i (id, attempts)
  cross join lateral (select * from work_unit u where u.id = i.id offset 0) u
  where u.not_before is null or u.not_before <= at_time;
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

-- Deletes units with all that belongs to them, as far as they have one of the statuses (null: any); returns how many there were.
create or replace function delete_units(unit_ids bigint[], statuses text[], at_time timestamptz) returns bigint
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ids bigint[];
  ranges bigint[];
  deleted bigint;
begin
  select array_agg(locked.id) into ids from (
    select u.id from work_unit u where u.id = any(unit_ids) order by u.id for update
  ) locked;
  ids := units_of_status(ids, statuses, at_time);
  perform take_waiting(ids);
  delete from lease l using work_unit u where u.id = any(ids) and l.spec_id = u.spec_id and l.unit_id = u.id;
  delete from superseded s where s.unit_id = any(ids);
  delete from attempt a where a.unit_id = any(ids);
  ranges := ranges_of(ids);
  with gone as (
    delete from work_unit u where u.id = any(ids) returning u.spec_id, u.ended
  ),
  counted as (
    insert into unit_count (spec_id, kind, delta)
    select g.spec_id, 'all', -count(*) from gone g group by g.spec_id
    union all
    select g.spec_id, g.ended, -count(*) from gone g where g.ended is not null group by g.spec_id, g.ended
  )
  select count(*) into deleted from gone;
  perform delete_empty_ranges(ranges);
  return deleted;
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

-- Down Migration
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

insert into attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at)
select spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at from attempt_in_range;

create or replace function put_waiting(unit_ids bigint[], unit_attempts integer[], at_time timestamptz) returns void
language plpgsql
set search_path from current
as $$
begin
  insert into delayed (spec_id, unit_id, not_before, attempts)
  select u.spec_id, u.id, u.not_before, i.attempts
  from unnest(unit_ids, unit_attempts) as i (id, attempts) join work_unit u on u.id = i.id
  where u.not_before > at_time;
  insert into ready (generation, spec_id, rank, name, unit_id, attempts)
  select (select last_value from ready_open), u.spec_id, -u.priority, u.name, u.id, i.attempts
  from unnest(unit_ids, unit_attempts) as i (id, attempts) join work_unit u on u.id = i.id
  where u.not_before is null or u.not_before <= at_time;
end
$$;

create or replace function reopen(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
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
end
$$;

create or replace function delete_units(unit_ids bigint[], statuses text[], at_time timestamptz) returns bigint
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ids bigint[];
  deleted bigint;
begin
  select array_agg(locked.id) into ids from (
    select u.id from work_unit u where u.id = any(unit_ids) order by u.id for update
  ) locked;
  ids := units_of_status(ids, statuses, at_time);
  perform take_waiting(ids);
  delete from lease l using work_unit u where u.id = any(ids) and l.spec_id = u.spec_id and l.unit_id = u.id;
  delete from superseded s where s.unit_id = any(ids);
  delete from attempt a where a.unit_id = any(ids);
  with gone as (
    delete from work_unit u where u.id = any(ids) returning u.spec_id, u.ended
  ),
  counted as (
    insert into unit_count (spec_id, kind, delta)
    select g.spec_id, 'all', -count(*) from gone g group by g.spec_id
    union all
    select g.spec_id, g.ended, -count(*) from gone g where g.ended is not null group by g.spec_id, g.ended
  )
  select count(*) into deleted from gone;
  return deleted;
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
      if past = 'expired' and action = 'expired' then
        outcome := 'unchanged';
        return;
      end if;
      if past is distinct from 'failed' or action <> 'finished' then
        outcome := 'not-pending';
        return;
      end if;
      was_active := unit.active_attempt = of_number and unit.ended = 'failed';
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

drop function take_out_of_ranges, ranges_of, delete_empty_ranges;

create or replace view any_attempt as
select spec_id, unit_id, number, worker_id, 'pending' as status, started_at, null::timestamptz as ended_at, expires_at, data
from lease
union all
select spec_id, unit_id, number, worker_id, 'pending', started_at, null, expires_at, data
from superseded
union all
select spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data
from attempt;

drop view attempt_in_range;
drop table attempt_range;
