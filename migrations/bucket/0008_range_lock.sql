-- Up Migration
-- Whole ranges of ready units are claimed without a lock on each unit. (compatible, transactional; while a transaction that has changed a unit of a range is open, claims of 64 or more by
-- programs of before pass that range by)
--
-- To the map in 0006: whoever claims whole ranges locks them (FOR UPDATE), and then sees by the units' xmax that nobody has locked or written one before. Whoever comes to one
-- later holds its lock and asks for that of the range (KEY SHARE), waits until the claim has committed, and finds the unit leased. He keeps the range's lock to the end of his
-- transaction, as he does the unit's. Claims of parts, breaking up, rotation and adoption lock ranges NO KEY UPDATE, which does not conflict with that. They delete a range only if nobody is left
-- in it, and his unit is: so none of them ever waits for him.
-- To the lock order in 0001: work_unit, then ready_range. Claims, breaking up, rotation and adoption lock ranges first, and skip whatever is locked.

select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- By then whoever has begun to take a unit out in the old way is through, and nobody else begins.
lock table work_unit in exclusive mode;

-- As in 0006, but for the locks of ranges.
create or replace function take_waiting_units(unit_ids bigint[], are_deleted boolean) returns table (unit_id bigint, attempts integer)
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
  ranges bigint[];
  from_ranges bigint[];
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
    -- A claim of whole ranges locks those, not their units. So whoever holds a unit's lock asks for that of its range, too: if the unit was being claimed, the range is gone by the
    -- time he gets it. (Only of ranges that list the unit: one that does not never will.)
    ranges := array(
      select distinct u.waits_in from work_unit u
      where u.id = any(missing) and u.ended is null and (select true from ready_range r where r.id = u.waits_in and u.id = any(r.unit_ids))
    );
    if current_setting('transaction_isolation') = 'read committed' then
      perform from ready_range r where r.id = any(ranges) order by r.id for key share;
    -- What one old snapshot shows of a range may no longer be: fails if the range was changed since, or just is.
    elsif cardinality(ranges) > (
      select count(*) from (select from ready_range r where r.id = any(ranges) order by r.id for share skip locked) r
    ) then
      raise exception 'a unit has changed since this transaction began' using errcode = 'serialization_failure';
    end if;
    with member as materialized (
      select u.id, u.waits_in from work_unit u
      where u.id = any(missing) and u.waits_in = any(ranges) and u.ended is null
        and (select true from ready_range r where r.id = u.waits_in and u.id = any(r.unit_ids))
    ),
    taken as (
      update work_unit u set waits_in = null from member m where not are_deleted and u.id = any(array[m.id])
    )
    select from_ranges || array_agg(m.id), array_agg(distinct m.waits_in) into from_ranges, ranges from member m;
    if ranges is not null then
      -- Those that nobody is left in, unless somebody else has taken the others and not yet committed that: who claims finds out.
      delete from ready_range r where r.id = any(array(
        select r.id from ready_range r
        where r.id = any(ranges) and (
          select true from unnest(r.unit_ids) as m (unit_id)
          cross join lateral (select from work_unit u where u.id = m.unit_id and u.waits_in = r.id and u.ended is null offset 0) u
          where not are_deleted or m.unit_id <> all(from_ranges)
          limit 1
        ) is null
        order by r.id for update skip locked
      ));
    end if;
    missing := array(
      select u.id from work_unit u
      where u.id = any(missing) and u.ended is null
        and u.id not in (select unnest(from_delayed) union all select unnest(from_ready) union all select unnest(from_ranges))
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
    select * from unnest(from_ready, ready_attempts)
    union all
    select m.id, 0 from unnest(from_ranges) as m (id);
end
$$;

-- As in 0006, but for the lock of the range.
create or replace function break_up_ready_range(of_id bigint) returns boolean
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  range ready_range;
  movable bigint[];
  held bigint[];
begin
  perform set_config('synchronous_commit', 'off', true);
  select * into range from ready_range r where r.id = of_id for no key update skip locked;
  if not found then
    return (select true from ready_range r where r.id = of_id) is true;
  end if;
  movable := array(
    select u.id from work_unit u where u.id = any(range.unit_ids) and u.waits_in = of_id and u.ended is null order by u.id for no key update skip locked
  );
  held := array(
    select u.id from work_unit u
    where u.id = any(range.unit_ids) and u.waits_in = of_id and u.ended is null and u.id not in (select unnest(movable)) order by u.name
  );
  if held = '{}' then
    delete from ready_range r where r.id = of_id;
  elsif movable <> '{}' then
    update ready_range r set unit_ids = held, first_name = (select u.name from work_unit u where u.id = held[1]) where r.id = of_id;
  end if;
  insert into ready (generation, spec_id, rank, name, unit_id, attempts)
  select (select last_value from ready_open), u.spec_id, -u.priority, u.name, u.id, 0
  from work_unit u where u.id = any(movable);
  return held <> '{}' and movable = '{}';
end
$$;

-- As in 0006, but for the locks of ranges.
create or replace function rotate_ready(
  at_least bigint, inout sealed_generation bigint, inout sealed_spec bigint, inout sealed_rank double precision, inout sealed_name bytea,
  out more boolean
)
language plpgsql
set search_path from current
as $$
declare
  -- Three times as many as are claimed before this is called again.
  most_moved integer := 3 * at_least;
  open bigint := (select last_value from ready_open);
  closed bigint := (select last_value from ready_closed);
  sealed bigint := (select last_value from ready_sealed);
  closed_before bigint := (select last_value from ready_closed_before);
  claimed bigint := (select last_value from attempt_number) - (select last_value from ready_opened_at);
  left_over bigint;
  moved boolean;
  first record;
begin
  more := true;
  -- What a server that was stopped between two steps has left half done.
  if closed = open then
    perform setval('ready_open', open + 1);
    return;
  end if;
  if sealed > 0 then
    if sealed_generation is distinct from sealed then
      sealed_generation := sealed;
      sealed_spec := 0;
      sealed_rank := '-infinity';
      sealed_name := '';
    end if;
    select f.spec_id, f.rank, f.name into first from first_ready(sealed, sealed_spec, sealed_rank, sealed_name) f;
    if first.spec_id is not null then
      sealed_spec := first.spec_id;
      sealed_rank := first.rank;
      sealed_name := first.name;
    elsif (select true from ready_range r where r.generation = sealed order by r.spec_id limit 1) is null then
      sealed_spec := null;
      perform setval('ready_sealed', 0);
      sealed := 0;
    end if;
  end if;

  if closed > 0 then
    -- A later one than there is: of another server, whose dump this was.
    if closed_before = 0 or closed_before > pg_snapshot_xmax(pg_current_snapshot())::text::bigint then
      -- Whoever has read that it is open had a transaction id by then, from before it was closed: before this one, as that was another transaction.
      perform setval('ready_closed_before', pg_current_xact_id()::text::bigint);
      return;
    end if;
    if pg_snapshot_xmin(pg_current_snapshot())::text::bigint < closed_before then
      return;
    end if;
    if sealed in (0, closed) then
      -- In this order: who reads both meanwhile must not miss it.
      perform setval('ready_sealed', closed);
      perform setval('ready_closed', 0);
    else
      with moved as (
        delete from ready where ctid = any(array(
          select ctid from ready where generation = closed
          order by spec_id, rank, name limit most_moved for update skip locked
        ))
        returning spec_id, rank, name, unit_id, attempts
      )
      insert into ready (generation, spec_id, rank, name, unit_id, attempts)
      select open, m.spec_id, m.rank, m.name, m.unit_id, m.attempts from moved m;
      moved := found;
      update ready_range set generation = open where ctid = any(array(
        select ctid from ready_range where generation = closed
        order by spec_id, rank, first_name limit greatest(1, most_moved / 16) for no key update skip locked
      ));
      if moved or found then
        return;
      end if;
      -- Not together with a move: that is seen by nobody before it is committed, and undone if it never is, but this is neither.
      if (select true from ready r where r.generation = closed order by r.spec_id limit 1) is null
        and (select true from ready_range r where r.generation = closed order by r.spec_id limit 1) is null
      then
        perform setval('ready_closed', 0);
      end if;
    end if;
    more := claimed >= at_least;
    return;
  end if;

  more := false;
  if claimed < at_least then
    return;
  end if;
  if sealed > 0 then
    -- As many as rows that would have to be moved.
    select count(*) into left_over from (
      (select from ready where generation = open order by spec_id, rank, name limit claimed / 2 + 1)
      union all
      (select from ready_range where generation = open order by spec_id, rank, first_name limit claimed / 2 + 1)
    ) r;
    if left_over > claimed / 2 then
      return;
    end if;
  end if;
  perform setval('ready_closed_before', 0);
  perform setval('ready_closed', open);
  perform setval('ready_open', open + 1);
  perform setval('ready_opened_at', (select last_value from attempt_number));
  more := true;
end
$$;

-- As in 0001, but units that are being claimed at this moment count as pending.
create or replace function change_units(
  unit_ids bigint[], statuses text[], new_priority double precision, priority_change double precision,
  set_not_before boolean, new_not_before timestamptz, at_time timestamptz
) returns bigint
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ids bigint[];
  waiting bigint[];
  waiting_attempts integer[];
begin
  select array_agg(locked.id) into ids from (
    select u.id from work_unit u where u.id = any(unit_ids) order by u.id for no key update
  ) locked;
  ids := units_of_status(ids, statuses, at_time);
  select array_agg(w.unit_id), array_agg(w.attempts) into waiting, waiting_attempts from take_waiting(ids) w;
  -- Claims of rows of ready, and of whole ranges, lock no unit: what was claimed before take_waiting got its locks is no longer what it was.
  ids := units_of_status(ids, statuses, at_time);
  update work_unit u set
    priority = coalesce(new_priority, u.priority + priority_change),
    not_before = case when set_not_before then new_not_before else u.not_before end
  where u.id = any(ids);
  perform put_waiting(waiting, waiting_attempts, at_time);
  return coalesce(cardinality(ids), 0);
end
$$;

-- As in 0006, with the same change.
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
  perform take_waiting_units(ids, true);
  -- Claims of rows of ready, and of whole ranges, lock no unit: what was claimed before take_waiting got its locks is no longer what it was.
  ids := units_of_status(ids, statuses, at_time);
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

-- Down Migration
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

-- No claim that relies on the functions above is under way any more. Programs that claim whole ranges without locking units must have been stopped before.
lock table work_unit, ready_range in exclusive mode;

create or replace function take_waiting_units(unit_ids bigint[], are_deleted boolean) returns table (unit_id bigint, attempts integer)
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
  ranges bigint[];
  from_ranges bigint[];
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
    if current_setting('transaction_isolation') <> 'read committed' then
      -- What one old snapshot shows of a range may no longer be: fails if the range was changed since, or just is. (One that does not list a unit never will.)
      ranges := array(
        select distinct u.waits_in from work_unit u
        where u.id = any(missing) and (select true from ready_range r where r.id = u.waits_in and u.id = any(r.unit_ids))
      );
      if cardinality(ranges) > (
        select count(*) from (select from ready_range r where r.id = any(ranges) order by r.id for share skip locked) r
      ) then
        raise exception 'a unit has changed since this transaction began' using errcode = 'serialization_failure';
      end if;
    end if;
    with member as materialized (
      select u.id, u.waits_in from work_unit u
      where u.id = any(missing) and u.ended is null
        and (select true from ready_range r where r.id = u.waits_in and u.id = any(r.unit_ids))
    ),
    taken as (
      update work_unit u set waits_in = null from member m where not are_deleted and u.id = any(array[m.id])
    )
    select from_ranges || array_agg(m.id), array_agg(distinct m.waits_in) into from_ranges, ranges from member m;
    if ranges is not null then
      -- Those that nobody is left in, unless somebody else has taken the others and not yet committed that: who claims finds out.
      delete from ready_range r where r.id = any(array(
        select r.id from ready_range r
        where r.id = any(ranges) and (
          select true from unnest(r.unit_ids) as m (unit_id)
          cross join lateral (select from work_unit u where u.id = m.unit_id and u.waits_in = r.id and u.ended is null offset 0) u
          where not are_deleted or m.unit_id <> all(from_ranges)
          limit 1
        ) is null
        order by r.id for update skip locked
      ));
    end if;
    missing := array(
      select u.id from work_unit u
      where u.id = any(missing) and u.ended is null
        and u.id not in (select unnest(from_delayed) union all select unnest(from_ready) union all select unnest(from_ranges))
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
    select * from unnest(from_ready, ready_attempts)
    union all
    select m.id, 0 from unnest(from_ranges) as m (id);
end
$$;

create or replace function break_up_ready_range(of_id bigint) returns boolean
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  range ready_range;
  movable bigint[];
  held bigint[];
begin
  perform set_config('synchronous_commit', 'off', true);
  select * into range from ready_range r where r.id = of_id for update skip locked;
  if not found then
    return (select true from ready_range r where r.id = of_id) is true;
  end if;
  movable := array(
    select u.id from work_unit u where u.id = any(range.unit_ids) and u.waits_in = of_id and u.ended is null order by u.id for no key update skip locked
  );
  held := array(
    select u.id from work_unit u
    where u.id = any(range.unit_ids) and u.waits_in = of_id and u.ended is null and u.id not in (select unnest(movable)) order by u.name
  );
  if held = '{}' then
    delete from ready_range r where r.id = of_id;
  elsif movable <> '{}' then
    update ready_range r set unit_ids = held, first_name = (select u.name from work_unit u where u.id = held[1]) where r.id = of_id;
  end if;
  insert into ready (generation, spec_id, rank, name, unit_id, attempts)
  select (select last_value from ready_open), u.spec_id, -u.priority, u.name, u.id, 0
  from work_unit u where u.id = any(movable);
  return held <> '{}' and movable = '{}';
end
$$;

create or replace function rotate_ready(
  at_least bigint, inout sealed_generation bigint, inout sealed_spec bigint, inout sealed_rank double precision, inout sealed_name bytea,
  out more boolean
)
language plpgsql
set search_path from current
as $$
declare
  -- Three times as many as are claimed before this is called again.
  most_moved integer := 3 * at_least;
  open bigint := (select last_value from ready_open);
  closed bigint := (select last_value from ready_closed);
  sealed bigint := (select last_value from ready_sealed);
  closed_before bigint := (select last_value from ready_closed_before);
  claimed bigint := (select last_value from attempt_number) - (select last_value from ready_opened_at);
  left_over bigint;
  moved boolean;
  first record;
begin
  more := true;
  -- What a server that was stopped between two steps has left half done.
  if closed = open then
    perform setval('ready_open', open + 1);
    return;
  end if;
  if sealed > 0 then
    if sealed_generation is distinct from sealed then
      sealed_generation := sealed;
      sealed_spec := 0;
      sealed_rank := '-infinity';
      sealed_name := '';
    end if;
    select f.spec_id, f.rank, f.name into first from first_ready(sealed, sealed_spec, sealed_rank, sealed_name) f;
    if first.spec_id is not null then
      sealed_spec := first.spec_id;
      sealed_rank := first.rank;
      sealed_name := first.name;
    elsif (select true from ready_range r where r.generation = sealed order by r.spec_id limit 1) is null then
      sealed_spec := null;
      perform setval('ready_sealed', 0);
      sealed := 0;
    end if;
  end if;

  if closed > 0 then
    -- A later one than there is: of another server, whose dump this was.
    if closed_before = 0 or closed_before > pg_snapshot_xmax(pg_current_snapshot())::text::bigint then
      -- Whoever has read that it is open had a transaction id by then, from before it was closed: before this one, as that was another transaction.
      perform setval('ready_closed_before', pg_current_xact_id()::text::bigint);
      return;
    end if;
    if pg_snapshot_xmin(pg_current_snapshot())::text::bigint < closed_before then
      return;
    end if;
    if sealed in (0, closed) then
      -- In this order: who reads both meanwhile must not miss it.
      perform setval('ready_sealed', closed);
      perform setval('ready_closed', 0);
    else
      with moved as (
        delete from ready where ctid = any(array(
          select ctid from ready where generation = closed
          order by spec_id, rank, name limit most_moved for update skip locked
        ))
        returning spec_id, rank, name, unit_id, attempts
      )
      insert into ready (generation, spec_id, rank, name, unit_id, attempts)
      select open, m.spec_id, m.rank, m.name, m.unit_id, m.attempts from moved m;
      moved := found;
      update ready_range set generation = open where ctid = any(array(
        select ctid from ready_range where generation = closed
        order by spec_id, rank, first_name limit greatest(1, most_moved / 16) for update skip locked
      ));
      if moved or found then
        return;
      end if;
      -- Not together with a move: that is seen by nobody before it is committed, and undone if it never is, but this is neither.
      if (select true from ready r where r.generation = closed order by r.spec_id limit 1) is null
        and (select true from ready_range r where r.generation = closed order by r.spec_id limit 1) is null
      then
        perform setval('ready_closed', 0);
      end if;
    end if;
    more := claimed >= at_least;
    return;
  end if;

  more := false;
  if claimed < at_least then
    return;
  end if;
  if sealed > 0 then
    -- As many as rows that would have to be moved.
    select count(*) into left_over from (
      (select from ready where generation = open order by spec_id, rank, name limit claimed / 2 + 1)
      union all
      (select from ready_range where generation = open order by spec_id, rank, first_name limit claimed / 2 + 1)
    ) r;
    if left_over > claimed / 2 then
      return;
    end if;
  end if;
  perform setval('ready_closed_before', 0);
  perform setval('ready_closed', open);
  perform setval('ready_open', open + 1);
  perform setval('ready_opened_at', (select last_value from attempt_number));
  more := true;
end
$$;

create or replace function change_units(
  unit_ids bigint[], statuses text[], new_priority double precision, priority_change double precision,
  set_not_before boolean, new_not_before timestamptz, at_time timestamptz
) returns bigint
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ids bigint[];
  waiting bigint[];
  waiting_attempts integer[];
begin
  select array_agg(locked.id) into ids from (
    select u.id from work_unit u where u.id = any(unit_ids) order by u.id for no key update
  ) locked;
  ids := units_of_status(ids, statuses, at_time);
  select array_agg(w.unit_id), array_agg(w.attempts) into waiting, waiting_attempts from take_waiting(ids) w;
  update work_unit u set
    priority = coalesce(new_priority, u.priority + priority_change),
    not_before = case when set_not_before then new_not_before else u.not_before end
  where u.id = any(ids);
  perform put_waiting(waiting, waiting_attempts, at_time);
  return coalesce(cardinality(ids), 0);
end
$$;

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
  perform take_waiting_units(ids, true);
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
