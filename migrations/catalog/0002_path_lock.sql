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

-- Not by namespace first: it is to serve nothing but the search for what has expired, not even in plans made while the table was empty.
create index path_lock_due on path_lock (expires_at);

-- The paths of a call, in its order. They come as texts, each the literal of an array of labels, for there are no arrays of arrays.
create function key_paths(paths text[]) returns table (place bigint, path bytea[])
language sql stable
begin atomic
  select p.place, p.literal::bytea[] from unnest(paths) with ordinality as p (literal, place);
end;

-- Whether neither the path nor one above or below it is locked. Index: the primary key, a probe for each path above, and a range for those below.
create function is_lockable(of_namespace bigint, wanted bytea[], at_time timestamptz) returns boolean
language sql stable
begin atomic
  select not exists (
    select from (
      select l.expires_at
      from generate_series(0, cardinality(wanted)) as above (labels)
      cross join lateral (
        select l.expires_at from path_lock l where l.namespace_id = of_namespace and l.path = wanted[1:above.labels] offset 0
      ) l
      union all
      (
        select l.expires_at from path_lock l
        where l.namespace_id = of_namespace and l.path > wanted
          -- What follows all the paths below: no CBOR begins with ff, and nothing is between a label and that label with a zero byte.
          and l.path < case
            when cardinality(wanted) = 0 then array['\xff'::bytea]
            else array_append(wanted[1:cardinality(wanted) - 1], wanted[cardinality(wanted)] || '\x00'::bytea)
          end
        offset 0
      )
    ) l
    where l.expires_at > at_time
  );
end;

-- Who holds each of the paths, exactly; null: nobody. Index: the primary key, a probe for each.
create function holders(of_namespace bigint, paths text[], at_time timestamptz) returns table (place bigint, owner bytea)
language sql stable
begin atomic
  select k.place, case when l.expires_at > at_time then l.owner end
  from key_paths(paths) k
  left join lateral (
    select l.owner, l.expires_at from path_lock l where l.namespace_id = of_namespace and l.path = k.path offset 0
  ) l on true;
end;

-- To be called before locks are looked at in order to change them: the changes of one namespace take turns, since what excludes a lock is
-- not one row. Also removes some of the locks that have expired, whosever they are. False: the namespace is gone.
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
    select ctid from path_lock where expires_at <= at_time order by expires_at limit 1000 for update skip locked
  ));
  return true;
end
$$;

-- Locks the paths that can be locked, one after another; or, if so asked, all or none, each as if it were the only one. Returns for
-- each whether it can be; null when the namespace is gone.
create function lock_paths(
  of_namespace bigint, by_owner bytea, until timestamptz, paths text[], all_or_none boolean, at_time timestamptz
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
    verdicts := array(select is_lockable(of_namespace, k.path, at_time) from key_paths(paths) k order by k.place);
    if true = all(verdicts) then
      insert into path_lock (namespace_id, path, owner, expires_at)
      select distinct of_namespace, k.path, by_owner, until from key_paths(paths) k
      on conflict (namespace_id, path) do update set owner = excluded.owner, expires_at = excluded.expires_at;
    end if;
    return verdicts;
  end if;
  verdicts := '{}';
  for wanted in select k.path from key_paths(paths) k order by k.place loop
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
  of_namespace bigint, by_owner bytea, until timestamptz, paths text[], at_time timestamptz,
  out place bigint, out holder bytea
)
language plpgsql
set search_path from current
as $$
begin
  if not change_locks(of_namespace, at_time) then
    return;
  end if;
  select h.place, h.owner into place, holder
  from holders(of_namespace, paths, at_time) h
  where h.owner is distinct from by_owner
  order by h.place limit 1;
  if found then
    return;
  end if;
  place := 0;
  if until is null then
    delete from path_lock l using key_paths(paths) k where l.namespace_id = of_namespace and l.path = k.path;
  else
    update path_lock l set expires_at = until from key_paths(paths) k where l.namespace_id = of_namespace and l.path = k.path;
  end if;
end
$$;

-- Down Migration
drop function keep_or_drop_paths, lock_paths, change_locks, holders, is_lockable, key_paths;
drop table path_lock;
