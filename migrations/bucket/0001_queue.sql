-- Up Migration
-- One bucket: a complete set of the queue's tables. (compatible, transactional)
--
-- A map. A unit's own row in work_unit is written when it is added and once more when it ends. Its state is which of the small
-- tables holds a row for it, and a change of state moves that row:
--
--     ready  <--promote--  delayed
--       |  ^                  ^
--     claim |                 |
--       v   +--expire, retry--+
--     lease --finish, fail-->  work_unit.ended      every attempt that ends --> attempt
--
-- There are no foreign keys on these tables: each insert would lock a row of its parent. Deletion takes care of them.
--
-- Lock order, in every statement and function: work_spec, then work_unit by ascending id, then delayed, ready, lease. Claiming
-- and promoting take no lock on work_unit; they only ever move a row forward (delayed -> ready -> lease), so whoever holds the
-- lock on a work_unit row and looks at delayed, ready and lease in this order, each in a statement of its own, finds the unit.

-- Functions are to find these tables whatever temporary ones a session has: the schema first, pg_temp last.
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

create table work_spec (
  -- namespace id * 2^24 + serial
  id bigint primary key,
  namespace_id bigint not null,
  name bytea not null,
  -- The definition, CBOR.
  data bytea not null,
  priority double precision not null,
  weight double precision not null,
  paused boolean not null,
  continuous boolean not null,
  can_be_continuous boolean not null,
  interval_ms double precision not null,
  next_continuous timestamptz,
  max_running bigint not null,
  max_attempts_returned bigint not null,
  max_retries bigint not null,
  min_memory_gb double precision not null,
  next_work_spec_name bytea not null,
  runtime bytea not null,
  unique (namespace_id, name)
);

-- The specs that can have work without a unit waiting.
create index work_spec_continuous on work_spec (id) where continuous;

create table work_unit (
  id bigint generated always as identity primary key,
  spec_id bigint not null,
  name bytea not null,
  -- CBOR.
  data bytea not null,
  priority double precision not null default 0,
  not_before timestamptz,
  -- The status of its active attempt once that has ended: 'finished', 'failed'; null while the unit can still run.
  ended text,
  -- Of an ended unit: the attempt that ended it, and how many there were. (While it is not ended, ready, delayed or lease
  -- know how many; here it may be fewer.)
  active_attempt bigint,
  attempts integer not null default 0,
  unique (spec_id, name)
) with (fillfactor = 50);

-- What can be claimed now, in the order in which it is claimed. rank = -priority.
--
-- Rows come and go here as nowhere else, and what is gone lies in front of what is next until it is cleaned up, which no vacuum can
-- do while anybody holds an old snapshot. So rows belong to generations, the first column of the index: new ones get the open
-- generation, which is closed after a few thousand claims, and what was claimed from it lies in nobody's way any more. Three are alive
-- at most. Generations only ever go this way:
--
--     open  --  rows are added to it.
--     closed  --  nobody is to add to it, but who began earlier may still be doing so.
--     sealed  --  nobody adds to it any more. So whoever knows where its first row was can begin there: nothing comes in before.
create table ready (
  generation bigint not null,
  spec_id bigint not null,
  rank double precision not null,
  name bytea not null,
  unit_id bigint not null,
  -- How many attempts the unit has had.
  attempts integer not null
);

create index ready_order on ready (generation, spec_id, rank, name);

-- The generations, as the last_value of sequences: those show the newest value whatever the reader's snapshot, and have no dead rows. 0: there is none.
-- Who adds a row must have a transaction id before it reads which one is open, see rotate_ready.
create sequence ready_open minvalue 0 start 1;
create sequence ready_closed minvalue 0 start 0;
create sequence ready_sealed minvalue 0 start 0;

-- A transaction id later than that of anybody who may be adding to the closed generation; 0: not known yet.
create sequence ready_closed_before minvalue 0 start 0;

-- The newest attempt number when the open generation was opened.
create sequence ready_opened_at minvalue 0 start 0;

-- What can be claimed later.
create table delayed (
  spec_id bigint not null,
  unit_id bigint not null,
  not_before timestamptz not null,
  attempts integer not null,
  primary key (spec_id, unit_id)
);

create index delayed_due on delayed (not_before);

-- What is running: the active attempts that are pending.
create table lease (
  spec_id bigint not null,
  unit_id bigint not null,
  number bigint not null,
  worker_id bigint not null,
  started_at timestamptz not null,
  expires_at timestamptz not null,
  -- How many attempts the unit has had, this one included.
  attempts integer not null,
  -- The attempt's own data, CBOR; null: those of the unit.
  data bytea,
  primary key (spec_id, unit_id)
);

create index lease_due on lease (expires_at);
create index lease_worker on lease (worker_id, number);

-- Attempts that are still pending although their unit has moved on. Rare.
create table superseded (
  number bigint primary key,
  spec_id bigint not null,
  unit_id bigint not null,
  worker_id bigint not null,
  started_at timestamptz not null,
  expires_at timestamptz not null,
  data bytea not null
);

create index superseded_due on superseded (expires_at);
create index superseded_worker on superseded (worker_id, number);
create index superseded_unit on superseded (unit_id);

-- History: one row for every attempt that has ended. Partitioned by time so that retention is a DROP instead of a DELETE; until
-- somebody makes partitions, all rows are in the default one.
create table attempt (
  spec_id bigint not null,
  unit_id bigint not null,
  number bigint not null,
  worker_id bigint not null,
  -- 'expired', 'finished', 'failed', 'retryable'
  status text not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  expires_at timestamptz not null,
  -- CBOR; null: those of the unit.
  data bytea
) partition by range (ended_at);

create table attempt_default partition of attempt default;

create index attempt_unit on attempt (unit_id, number);
create index attempt_worker on attempt (worker_id, number);

-- How many units each spec has, in all and ended, as changes to be added up: written without contention beside each change,
-- folded together now and then. kind: 'all', 'finished', 'failed'.
create table unit_count (
  spec_id bigint not null,
  kind text not null,
  delta bigint not null
);

create table worker (
  id bigint generated always as identity primary key,
  namespace_id bigint not null,
  name bytea not null,
  parent_id bigint,
  active boolean not null default true,
  mode text not null default '',
  data bytea,
  expires_at timestamptz not null,
  updated_at timestamptz not null,
  unique (namespace_id, name)
);

create index worker_active on worker (namespace_id, name) where active;
create index worker_parent on worker (parent_id, name) where parent_id is not null;

-- When workers last asked for work of which runtime. null: of any. Read by explain() only, written every few seconds at most.
create table runtime_request (
  namespace_id bigint not null,
  runtime bytea,
  asked_at timestamptz not null
);

create unique index runtime_request_key on runtime_request (namespace_id, coalesce(runtime, '\xff'));

-- Work specs that no longer exist but whose units are still being deleted.
create table destroyed_spec (
  spec_id bigint primary key
);

-- Attempt numbers. Claims are committed without waiting for the disk, so a crash of the server can lose the newest numbers and
-- the sequence would give them out again. Crash recovery also empties unlogged tables: a claim that finds no row in
-- no_crash_since first skips more numbers than can have been lost, see src/core/attempt/skip-lost-numbers.ts.
create sequence attempt_number;
create unlogged table no_crash_since (
  checked_at timestamptz not null,
  -- Another one after each crash: what a process has seen before that may never have happened.
  epoch uuid not null default gen_random_uuid()
);
insert into no_crash_since (checked_at) values (statement_timestamp());

-- Who waits for work, and who wants to hear what becomes of attempts: see src/core/notify/README.md. Unlogged, so that these writes need no
-- WAL and nobody's commit waits for the disk because of them; a crash of the server empties them, and whoever listens comes back
-- and registers again. Both go by the real time, whatever clock the queue goes by.
create unlogged table waiter (
  namespace_id bigint not null,
  -- One process and namespace; another one every minute, so that one that nobody can clean up after (a snapshot is held) leaves
  -- no more than a minute's dead rows under one key.
  listener text not null,
  waiting boolean not null,
  -- Since when it waits, or until when it did.
  since timestamptz not null,
  primary key (namespace_id, listener)
) with (fillfactor = 50);

-- Ordered by time: probes begin half a minute ago, and so meet no more than half a minute's dead entries.
create index waiter_waiting on waiter (namespace_id, since) where waiting;
create index waiter_since on waiter (namespace_id, since);

create unlogged table watcher (
  namespace_id bigint not null,
  listener text not null,
  expires_at timestamptz not null,
  -- Wants to hear only of how attempts end: who adds units or starts attempts need not tell it.
  outcomes_only boolean not null,
  primary key (namespace_id, listener)
) with (fillfactor = 50);

-- Holds no rows, and is never read: claims of one bucket pass one at a time through LOCK TABLE on it, which unlike any other
-- lock is taken before a serializable transaction fixes its snapshot.
create table claim_gate ();

-- Every attempt, running or ended, as one thing. Data that are null are those of the unit.
create view any_attempt as
select spec_id, unit_id, number, worker_id, 'pending' as status, started_at, null::timestamptz as ended_at, expires_at, data
from lease
union all
select spec_id, unit_id, number, worker_id, 'pending', started_at, null, expires_at, data
from superseded
union all
select spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at, data
from attempt;

-- The status of a unit, from what decides it.
create function unit_status(ended text, leased boolean, not_before timestamptz, at_time timestamptz) returns text
language sql immutable
return case
  when ended is not null then ended
  when leased then 'pending'
  when not_before > at_time then 'delayed'
  else 'available'
end;

-- The generations of ready that can hold rows. Read in the direction in which they move, so that none is missed.
create function live_generations() returns bigint[]
language sql
set search_path from current
as $$
  select array[
    (select last_value from ready_open), (select last_value from ready_closed), (select last_value from ready_sealed)
  ]
$$;

-- Tells those who wait for work in a namespace, once for each time that they have registered; returns whether anybody was. A listener
-- that has not said for half a minute that it still waits is no more. Locked by listener, or two who wake the same could
-- wait for each other in a circle; and waited for, because one that is just renewing its registration will not look again.
create function wake_waiters(of_namespace bigint) returns boolean
language plpgsql
set search_path from current
as $$
begin
  with waiting as materialized (
    select w.listener from waiter w
    where w.namespace_id = of_namespace and w.waiting and w.since > statement_timestamp() - interval '30 seconds'
    order by w.listener
    for update
  )
  update waiter w set waiting = false, since = statement_timestamp()
  from waiting where w.namespace_id = of_namespace and w.listener = waiting.listener;
  if not found then
    return false;
  end if;
  perform pg_notify(current_schema(), 'work ' || of_namespace);
  return true;
end
$$;

-- Tells those who watch the namespaces of attempts what became of these, 150 in one message, as it must stay below 8000 bytes.
create function announce_attempts(kind text, spec_ids bigint[], unit_ids bigint[], numbers bigint[]) returns void
language plpgsql
set search_path from current
as $$
begin
  perform pg_notify(current_schema(), message.text) from (
    select format('%s %s %s', kind, chunk.namespace_id, string_agg(chunk.attempt, ',' order by chunk.number)) as text
    from (
      select a.spec_id >> 24 as namespace_id, a.number, a.unit_id || ':' || a.number as attempt,
        row_number() over (partition by a.spec_id >> 24 order by a.number) / 150 as part
      from unnest(spec_ids, unit_ids, numbers) as a (spec_id, unit_id, number)
    ) chunk
    where exists (
      select from watcher w where w.namespace_id = chunk.namespace_id and w.expires_at > statement_timestamp()
    )
    group by chunk.namespace_id, chunk.part
  ) message;
end
$$;

-- The functions below are the transitions of several steps. Each step is a statement with a snapshot of its own (under READ
-- COMMITTED), after the lock on the unit's row is held. All take and return sets, so that a thousand units are one call.
--
-- Those that find units by arrays of ids are planned anew each time: a plan made while the tables were empty reads all of them later.
--
-- In a caller's REPEATABLE READ or SERIALIZABLE transaction all steps see one old snapshot. Two rules make such a transaction fail with
-- 40001, as it should, instead of acting on what is no longer true: whatever puts a unit back into ready or delayed also writes the
-- unit's row, so that locking it fails; and a unit that seems to be in no state at all is a serialization failure.

-- Takes units out of delayed and ready, whichever they are in; returns those found, with their attempts so far. The caller
-- holds the locks on the units' rows.
create function take_waiting(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
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

-- Of units those that have one of some statuses now; all of them when statuses is null. The caller holds the locks.
create function units_of_status(unit_ids bigint[], statuses text[], at_time timestamptz) returns bigint[]
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

-- Puts units that are in no state into delayed or ready, as their not_before has it. The caller holds the locks.
create function put_waiting(unit_ids bigint[], unit_attempts integer[], at_time timestamptz) returns void
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

-- Writes how many attempts units have had into their rows: what puts a unit back without changing anything else about it must write
-- the row all the same, see above.
create function note_attempts(unit_ids bigint[], unit_attempts integer[]) returns void
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
begin
  update work_unit u set attempts = i.attempts
  from unnest(unit_ids, unit_attempts) as i (id, attempts) where u.id = i.id;
end
$$;

-- Makes ended units as if they had never ended; returns them with their attempts so far. The caller holds the locks.
create function reopen(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
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

-- Takes the leases of units away; the attempts stay pending, no longer their unit's active one. The caller holds the locks.
create function supersede(unit_ids bigint[]) returns table (unit_id bigint, attempts integer)
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

-- Gives data of their own to the attempts that have been showing the unit's, before the unit's data change under them.
create function detach_attempt_data(of_spec bigint, unit_ids bigint[]) returns void
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

-- Replaces data and meta of the named units that exist, lets finished and failed ones run again, leaves the running attempts of
-- pending ones alone; returns the names found.
create function replace_units(
  of_spec bigint, names bytea[], datas bytea[], priorities double precision[], not_befores timestamptz[], at_time timestamptz
) returns bytea[]
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ids bigint[];
  found_names bytea[];
  waiting bigint[];
  waiting_attempts integer[];
begin
  -- By id, like everybody else who locks several units.
  select array_agg(locked.id), array_agg(locked.name) into ids, found_names from (
    select u.id, u.name from work_unit u
    where u.spec_id = of_spec and u.name = any(names)
    order by u.id
    for no key update
  ) locked;
  select array_agg(w.unit_id), array_agg(w.attempts) into waiting, waiting_attempts from (
    select * from take_waiting(ids)
    union all
    select * from reopen(ids)
  ) w;
  perform detach_attempt_data(of_spec, array(
    select u.id from work_unit u join unnest(names, datas) as i (name, data) on i.name = u.name
    where u.id = any(ids) and u.data <> i.data
  ));
  update work_unit u set data = i.data, priority = i.priority, not_before = i.not_before
  from unnest(names, datas, priorities, not_befores) as i (name, data, priority, not_before)
  where u.id = any(ids) and u.name = i.name;
  perform put_waiting(waiting, waiting_attempts, at_time);
  return found_names;
end
$$;

-- Adds units that are not there; returns the names added. Bytewise order of names keeps two that add the same from waiting for
-- each other in a circle.
create function insert_units(
  of_spec bigint, names bytea[], datas bytea[], priorities double precision[], not_befores timestamptz[], at_time timestamptz
) returns bytea[]
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  ids bigint[];
  added_names bytea[];
begin
  with added as (
    insert into work_unit (spec_id, name, data, priority, not_before)
    select of_spec, i.name, i.data, i.priority, i.not_before
    from unnest(names, datas, priorities, not_befores) as i (name, data, priority, not_before)
    order by i.name
    on conflict (spec_id, name) do nothing
    returning id, name
  )
  select array_agg(a.id), array_agg(a.name) into ids, added_names from added a;
  if ids is not null then
    perform put_waiting(ids, array_fill(0, array[cardinality(ids)]), at_time);
    insert into unit_count (spec_id, kind, delta) values (of_spec, 'all', cardinality(ids));
  end if;
  return added_names;
end
$$;

-- addWorkUnits for names of which some exist already, or did a moment ago.
create function upsert_units(
  of_spec bigint, names bytea[], datas bytea[], priorities double precision[], not_befores timestamptz[], at_time timestamptz
) returns void
language plpgsql
set search_path from current
as $$
declare
  done bytea[] := '{}';
begin
  loop
    done := done || replace_units(of_spec, names, datas, priorities, not_befores, at_time);
    -- What was not there to be replaced has been deleted meanwhile.
    select array_agg(i.name), array_agg(i.data), array_agg(i.priority), array_agg(i.not_before)
    into names, datas, priorities, not_befores
    from unnest(names, datas, priorities, not_befores) as i (name, data, priority, not_before)
    where i.name not in (select unnest(done));
    exit when names is null;
    done := done || insert_units(of_spec, names, datas, priorities, not_befores, at_time);
    select array_agg(i.name), array_agg(i.data), array_agg(i.priority), array_agg(i.not_before)
    into names, datas, priorities, not_befores
    from unnest(names, datas, priorities, not_befores) as i (name, data, priority, not_before)
    where i.name not in (select unnest(done));
    exit when names is null;
  end loop;
end
$$;

-- Changes priority (to a value, or by an amount) and optionally not_before of units, as far as they have one of the statuses (null:
-- any); running attempts go on.
create function change_units(
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

-- Makes units available again, whatever they were; returns how many there were.
create function clear_active_attempts(unit_ids bigint[], at_time timestamptz) returns bigint
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
  select array_agg(w.unit_id), array_agg(w.attempts) into waiting, waiting_attempts from (
    select * from supersede(ids)
    union all
    select * from reopen(ids)
  ) w;
  perform note_attempts(waiting, waiting_attempts);
  perform put_waiting(waiting, waiting_attempts, at_time);
  return coalesce(cardinality(ids), 0);
end
$$;

-- Forces an attempt on a unit whatever its state; returns its number, or null when the unit no longer exists. Raises PC002 when
-- numbers must be skipped first.
create function make_attempt(
  for_unit bigint, for_worker bigint, at_time timestamptz, lifetime interval
) returns bigint
language plpgsql
set search_path from current
set plan_cache_mode = force_custom_plan
as $$
declare
  so_far integer;
  new_number bigint;
begin
  perform from work_unit u where u.id = for_unit for no key update;
  if not found then
    return null;
  end if;
  if not exists (select from no_crash_since) then
    raise exception 'the server crashed: attempt numbers may have been lost' using errcode = 'PC002';
  end if;
  select w.attempts into so_far from (
    select * from take_waiting(array[for_unit])
    union all
    select * from supersede(array[for_unit])
    union all
    select * from reopen(array[for_unit])
  ) w;
  if so_far is null then
    raise exception 'a unit has changed since this transaction began' using errcode = 'serialization_failure';
  end if;
  new_number := nextval('attempt_number');
  insert into lease (spec_id, unit_id, number, worker_id, started_at, expires_at, attempts)
  select u.spec_id, u.id, new_number, for_worker, at_time, at_time + lifetime, so_far + 1
  from work_unit u where u.id = for_unit;
  return new_number;
end
$$;

-- Adds the unit of a continuous spec as addWorkUnits would, and makes an attempt of it; returns the unit's id and the attempt's number.
create function make_continuous_unit(
  of_spec bigint, unit_name bytea, unit_data bytea, for_worker bigint, at_time timestamptz, lifetime interval,
  out unit_id bigint, out number bigint
)
language plpgsql
set search_path from current
as $$
begin
  perform upsert_units(of_spec, array[unit_name], array[unit_data], array[0::float8], array[null::timestamptz], at_time);
  select u.id into unit_id from work_unit u where u.spec_id = of_spec and u.name = unit_name;
  number := make_attempt(unit_id, for_worker, at_time, lifetime);
end
$$;

-- What expire_due does if there is anything to do. Attempts whose unit somebody else is changing at this moment are left to him: he
-- may be the worker who reports at last. Planned anew each time: a plan kept from when the tables were empty may go through all
-- units (seen on PostgreSQL 14).
create function expire_overdue(at_time timestamptz, at_most integer, since timestamptz) returns integer
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

-- Expires at most so many overdue attempts; returns how many, null if none was overdue. Every look calls it, mostly for nothing. Nothing
-- that would have expired before `since` is looked for: whoever knows that there is none need not pass by what has ended since.
create function expire_due(at_time timestamptz, at_most integer, since timestamptz) returns integer
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

-- Moves at most so many units whose time has come from delayed to ready; returns how many. None of before `since` are looked for.
create function promote_due(at_time timestamptz, at_most integer, since timestamptz) returns integer
language plpgsql
set search_path from current
as $$
declare
  promoted integer;
begin
  perform from delayed where not_before >= since and not_before <= at_time order by not_before limit 1;
  if not found then
    return 0;
  end if;
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || ' promotion', 0));
  with due as (
    delete from delayed where ctid = any(array(
      select ctid from delayed where not_before >= since and not_before <= at_time
      order by not_before limit at_most for update skip locked
    ))
    returning spec_id, unit_id, attempts
  )
  insert into ready (generation, spec_id, rank, name, unit_id, attempts)
  select (select last_value from ready_open), d.spec_id, -u.priority, u.name, d.unit_id, d.attempts
  from due d join work_unit u on u.id = d.unit_id;
  get diagnostics promoted = row_count;
  return promoted;
end
$$;

-- The first row of a generation from a place on, in the order of its index.
create function first_ready(of_generation bigint, inout spec_id bigint, inout rank double precision, inout name bytea)
language sql
set search_path from current
as $$
  select r.spec_id, r.rank, r.name from ready r
  where r.generation = of_generation and (r.spec_id, r.rank, r.name) >= ($2, $3, $4)
  order by r.spec_id, r.rank, r.name limit 1
$$;

-- Moves generations on, one step at a time: opens the next one when so many attempts have been claimed since the last was opened, and
-- seals a closed one once nobody can be adding to it. If there is a sealed one with rows left by then, the rows of the closed one move
-- to the open one instead, so many at a time; therefore it is not closed before twice as much has been claimed as is left of it.
--
-- The caller has passed the claim gate, so no claim is under way, in a READ COMMITTED transaction of its own. It says where it has
-- last seen the first row of the sealed generation, and is told where that is now, so that nobody need look through
-- all that was claimed in front of it. Returns whether there is more to do.
create function rotate_ready(
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
    select f.spec_id, f.rank, f.name into sealed_spec, sealed_rank, sealed_name
    from first_ready(sealed, sealed_spec, sealed_rank, sealed_name) f;
    if sealed_spec is null then
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
      if found then
        return;
      end if;
      -- Not together with a move: that is seen by nobody before it is committed, and undone if it never is, but this is neither.
      perform from ready where generation = closed order by spec_id, rank, name limit 1;
      if not found then
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
    select count(*) into left_over from (
      select from ready where generation = open order by spec_id, rank, name limit claimed / 2 + 1
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

-- Deletes units with all that belongs to them, as far as they have one of the statuses (null: any); returns how many there were.
create function delete_units(unit_ids bigint[], statuses text[], at_time timestamptz) returns bigint
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

-- Reports on one attempt, whatever has become of it: the slow path behind the statements of src/core/attempt, which handle
-- whole batches but only attempts that are pending, active, and have no output to pass on.
-- action: 'finished', 'failed', 'retryable', 'expired', 'renewed'.
-- Returns outcome: 'done', 'unchanged', 'not-pending', 'lost-lease', 'gone'; and, when a finished unit's spec names an existing next one,
-- that spec's id and the data that may hold its output.
create function settle_attempt(
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

-- Raises unless nobody came in between, see endUndisturbed in src/core/attempt.
create function require_undisturbed(is_undisturbed boolean) returns void
language plpgsql
as $$
begin
  if not is_undisturbed then
    raise exception 'somebody has changed one of the attempts meanwhile' using errcode = 'PC003';
  end if;
end
$$;

-- The fence: raises unless the attempt is still its unit's active one at this moment, and keeps it so until the end of the
-- caller's transaction. A worker whose lease was lost calls it in the transaction of its side effects, which then roll back.
-- It locks the unit like every transition does, so that expiry passes the unit by and renewals go on meanwhile; and the lease,
-- so that a transaction with an old snapshot fails instead of seeing a lease that is no more.
create function require_attempt(of_unit bigint, of_number bigint, at_time timestamptz default null) returns void
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

-- The same as a question: true while the attempt is held, without keeping it so.
create function holds_attempt(of_unit bigint, of_number bigint, at_time timestamptz default null) returns boolean
language sql stable
begin atomic
  select exists (
    select from work_unit u join lease l on l.spec_id = u.spec_id and l.unit_id = u.id
    where u.id = of_unit and l.number = of_number and l.expires_at >= coalesce(at_time, statement_timestamp())
  );
end;

-- Down Migration
drop function holds_attempt, require_attempt, require_undisturbed, settle_attempt, delete_units, rotate_ready, first_ready, promote_due, expire_due,
  expire_overdue, make_continuous_unit, make_attempt, clear_active_attempts, change_units, replace_units, upsert_units, insert_units,
  note_attempts, units_of_status, detach_attempt_data, supersede, reopen, put_waiting, take_waiting,
  announce_attempts, wake_waiters, live_generations, unit_status;
drop view any_attempt;
drop table claim_gate, watcher, waiter, no_crash_since, destroyed_spec, runtime_request, worker, unit_count, attempt, superseded, lease, delayed,
  ready, work_unit, work_spec;
drop sequence attempt_number, ready_open, ready_closed, ready_sealed, ready_closed_before, ready_opened_at;
