import { statement } from '../../database/index.js';

/*
 * On the catalog's table path_lock; the functions, and what keeps two of them from locking paths that exclude each other, are in
 * migrations/catalog/0002_path_lock.sql. READ COMMITTED: each step of a function sees what was there after the lock that it begins with.
 */

/** Verdicts for the paths; null when the namespace is gone. Parameters: namespace id, now, owner, seconds, labels, lengths, whether all or none. */
export const lockPaths = statement(
  'path-lock.lock',
  (s) => `
    select ${s}.lock_paths(
      $1::bigint, $3::bytea, coalesce($2::timestamptz, statement_timestamp()) + make_interval(secs => $4::float8),
      $5::bytea[], $6::integer[], $7::boolean, coalesce($2::timestamptz, statement_timestamp())
    ) as verdicts`,
);

/** The place of the first path that is not held, or 0, or null when the namespace is gone. Parameters: namespace id, now, owner, seconds or null, labels, lengths. */
export const keepOrDropPaths = statement(
  'path-lock.keep-or-drop',
  (s) => `
    select place, holder
    from ${s}.keep_or_drop_paths(
      $1::bigint, $3::bytea, coalesce($2::timestamptz, statement_timestamp()) + make_interval(secs => $4::float8),
      $5::bytea[], $6::integer[], coalesce($2::timestamptz, statement_timestamp())
    )`,
);

/** Index: the primary key, one probe a path. Parameters: namespace id, now, labels, lengths. */
export const holdersOfPaths = statement(
  'path-lock.holders',
  (s) => `
    select l.owner
    from ${s}.key_paths($3::bytea[], $4::integer[]) k
    left join ${s}.path_lock l
      on l.namespace_id = $1::bigint and l.path = k.path and l.expires_at > coalesce($2::timestamptz, statement_timestamp())
    order by k.place`,
);

/** All paths that begin with a label: index range of the primary key. Parameters: namespace id, label. */
export const dropLabel = statement(
  'path-lock.drop-label',
  (s) => `
    delete from ${s}.path_lock
    where namespace_id = $1::bigint and path >= array[$2::bytea] and path < array[$2::bytea || '\\x00'::bytea]`,
);
