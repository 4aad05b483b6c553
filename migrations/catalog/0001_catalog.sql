-- Up Migration
-- The catalog: which namespaces there are, and in which bucket each of them lives. (compatible, transactional)
--
-- Names are bytea everywhere: they compare bytewise whatever the collation, and may hold a zero byte.

-- Each bucket is a schema of its own, named <this schema>_bucket_<number>, with one complete set of the queue's tables.
create table bucket (
  number integer primary key check (number >= 1)
);

create table namespace (
  id bigint generated always as identity primary key,
  name bytea not null unique,
  bucket integer not null check (bucket >= 1),
  -- Serial number of the newest work spec. A work spec's id is namespace id * 2^24 + serial, so that the ids of one
  -- namespace are a contiguous range of every index that begins with spec_id, and are never used again.
  last_spec_serial integer not null default 0 check (last_spec_serial < 16777216)
);

-- Down Migration
drop table namespace, bucket;
