import { statement } from '../../database/index.js';

/*
 * On the catalog's table path_lock; the functions, and what keeps two of them from locking paths that exclude each other, are in
 * migrations/catalog/0002_path_lock.sql. READ COMMITTED: each step of a function sees what was there after the lock that it begins with.
 */

/** Verdicts for the paths; null when the namespace is gone. Parameters: namespace id, now, owner, seconds, paths, whether all or none. */
export const lockPaths = statement(
  'path-lock.lock',
  (s) => `
    select ${s}.lock_paths(
      $1::bigint, $3::bytea, coalesce($2::timestamptz, statement_timestamp()) + make_interval(secs => $4::float8),
      $5::text[], $6::boolean, coalesce($2::timestamptz, statement_timestamp())
    ) as verdicts`,
);

/** The place of the first path that is not held, or 0, or null when the namespace is gone. Parameters: namespace id, now, owner, seconds or null, paths. */
export const keepOrDropPaths = statement(
  'path-lock.keep-or-drop',
  (s) => `
    select place, holder
    from ${s}.keep_or_drop_paths(
      $1::bigint, $3::bytea, coalesce($2::timestamptz, statement_timestamp()) + make_interval(secs => $4::float8),
      $5::text[], coalesce($2::timestamptz, statement_timestamp())
    )`,
);

/** Parameters: namespace id, now, paths. */
export const holdersOfPaths = statement(
  'path-lock.holders',
  (s) => `
    select owner
    from ${s}.holders($1::bigint, $3::text[], coalesce($2::timestamptz, statement_timestamp()))
    order by place`,
);

/** All paths that begin with a label: index range of the primary key. Parameters: namespace id, label. */
export const dropLabel = statement(
  'path-lock.drop-label',
  (s) => `
    delete from ${s}.path_lock
    where namespace_id = $1::bigint and path >= array[$2::bytea] and path < array[$2::bytea || '\\x00'::bytea]`,
);
