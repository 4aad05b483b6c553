-- Up Migration
-- The locks of CBOR-RPC clients, in the database so that all servers on it agree. (compatible, transactional)
--
-- A lock is on a path of labels. It excludes locks on the same path, on the paths above it and on those below it.
--
-- They are in the catalog, not in a bucket: they are few, and they go with their namespace wherever it lives.

-- Functions are to find these tables whatever temporary ones a session has: the schema first, pg_temp last.
select set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

create table path_lock (
  namespace_id bigint not null references namespace on delete cascade,
  -- The CBOR of each label, so that text and bytes differ. Arrays are ordered so that the paths below a path follow it at once.
  path bytea[] not null,
  owner bytea not null,
  -- From this moment on the lock is no more, whether or not its row is still there.
  expires_at timestamptz not null,
  primary key (namespace_id, path)
);

create index path_lock_due on path_lock (namespace_id, expires_at);

-- The paths of a call, in its order, from the labels of all of them one after another and how many each has.
create function key_paths(labels bytea[], lengths integer[]) returns table (place bigint, path bytea[])
language sql immutable
begin atomic
  select part.place, labels[(part.last - part.length + 1)::integer : part.last::integer]
  from (
    select l.place, l.length, sum(l.length) over (order by l.place) as last
    from unnest(lengths) with ordinality as l (length, place)
  ) part;
end;

-- Whether neither the path nor one above or below it is locked.
create function is_lockable(of_namespace bigint, wanted bytea[], at_time timestamptz) returns boolean
language sql stable
begin atomic
  select
    not exists (
      select from generate_series(0, cardinality(wanted)) as above (labels)
      join path_lock l on l.namespace_id = of_namespace and l.path = wanted[1:above.labels]
      where l.expires_at > at_time
    )
    and not exists (
      select from path_lock l
      where l.namespace_id = of_namespace and l.path > wanted
        -- What follows all the paths below: no CBOR begins with ff, and nothing is between a label and that label with a zero byte.
        and l.path < case
          when cardinality(wanted) = 0 then array['\xff'::bytea]
          else array_append(wanted[1:cardinality(wanted) - 1], wanted[cardinality(wanted)] || '\x00'::bytea)
        end
        and l.expires_at > at_time
    );
end;

-- To be called before locks are looked at in order to change them: the changes of one namespace take turns, since what excludes a lock is
-- not one row. Also removes some of the locks that have expired. False: the namespace is gone.
create function change_locks(of_namespace bigint, at_time timestamptz) returns boolean
language plpgsql
set search_path from current
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(current_schema() || ' locks ' || of_namespace, 0));
  -- As the foreign key does it, but before there is anything that whoever destroys the namespace could be waiting for.
  perform from namespace n where n.id = of_namespace for key share;
  if not found then
    return false;
  end if;
  delete from path_lock where ctid = any(array(
    select ctid from path_lock
    where namespace_id = of_namespace and expires_at <= at_time
    order by namespace_id, expires_at limit 1000
  ));
  return true;
end
$$;

-- Locks the paths that can be locked, one after another; or, if so asked, all or none, each as if it were the only one. Returns for
-- each whether it can be; null when the namespace is gone.
create function lock_paths(
  of_namespace bigint, by_owner bytea, until timestamptz, labels bytea[], lengths integer[], all_or_none boolean, at_time timestamptz
) returns boolean[]
language plpgsql
set search_path from current
as $$
declare
  wanted bytea[];
  verdict boolean;
  verdicts boolean[];
begin
  if not change_locks(of_namespace, at_time) then
    return null;
  end if;
  if all_or_none then
    verdicts := array(select is_lockable(of_namespace, k.path, at_time) from key_paths(labels, lengths) k order by k.place);
    if true = all(verdicts) then
      insert into path_lock (namespace_id, path, owner, expires_at)
      select distinct of_namespace, k.path, by_owner, until from key_paths(labels, lengths) k
      on conflict (namespace_id, path) do update set owner = excluded.owner, expires_at = excluded.expires_at;
    end if;
    return verdicts;
  end if;
  verdicts := '{}';
  for wanted in select k.path from key_paths(labels, lengths) k order by k.place loop
    verdict := is_lockable(of_namespace, wanted, at_time);
    if verdict then
      insert into path_lock (namespace_id, path, owner, expires_at)
      values (of_namespace, wanted, by_owner, until)
      on conflict (namespace_id, path) do update set owner = excluded.owner, expires_at = excluded.expires_at;
    end if;
    verdicts := verdicts || verdict;
  end loop;
  return verdicts;
end
$$;

-- If the owner holds all the paths: keeps them until then, or (null) gives them back; and place is 0. Otherwise changes nothing, and tells the
-- first path that is not held, with its holder. place is null when the namespace is gone.
create function keep_or_drop_paths(
  of_namespace bigint, by_owner bytea, until timestamptz, labels bytea[], lengths integer[], at_time timestamptz,
  out place bigint, out holder bytea
)
language plpgsql
set search_path from current
as $$
begin
  if not change_locks(of_namespace, at_time) then
    return;
  end if;
  select k.place, l.owner into place, holder
  from key_paths(labels, lengths) k
  left join path_lock l on l.namespace_id = of_namespace and l.path = k.path and l.expires_at > at_time
  where l.owner is distinct from by_owner
  order by k.place limit 1;
  if found then
    return;
  end if;
  place := 0;
  if until is null then
    delete from path_lock l using key_paths(labels, lengths) k where l.namespace_id = of_namespace and l.path = k.path;
  else
    update path_lock l set expires_at = until from key_paths(labels, lengths) k where l.namespace_id = of_namespace and l.path = k.path;
  end if;
end
$$;

-- Down Migration
drop function keep_or_drop_paths, lock_paths, change_locks, is_lockable, key_paths;
drop table path_lock;
