import { statement } from '../../database/index.js';

/** Parameters: namespace id, name. */
export const findWorker = statement(
  'worker.find',
  (s) => `select id from ${s}.worker where namespace_id = $1::bigint and name = $2::bytea`,
);

/**
 * Answers nothing when the namespace is gone. The namespace's row is locked, or a worker could be made in one that is being
 * destroyed. Parameters: namespace id, name, now.
 */
export const createWorker = statement(
  'worker.create',
  (s, catalog) => `
    with alive as materialized (
      select id from ${catalog}.namespace where id = $1::bigint for key share
    )
    insert into ${s}.worker (namespace_id, name, updated_at, expires_at)
    select
      id, $2::bytea, coalesce($3::timestamptz, statement_timestamp()),
      coalesce($3::timestamptz, statement_timestamp()) + interval '15 minutes'
    from alive
    on conflict (namespace_id, name) do update set name = excluded.name
    returning id`,
);

/** A page of workers from a name on. Index: worker (namespace_id, name). Parameters: namespace id, start, limit. */
export const listWorkers = statement(
  'worker.list',
  (s) => `
    select id, name from ${s}.worker
    where namespace_id = $1::bigint and name >= $2::bytea
    order by name limit $3::bigint`,
);

/** The same of active ones: costs nothing for all the others there ever were. Index: worker_active. */
export const listActiveWorkers = statement(
  'worker.list-active',
  (s) => `
    select id, name from ${s}.worker
    where namespace_id = $1::bigint and active and name >= $2::bytea
    order by name limit $3::bigint`,
);

/** Parameters: worker id. */
export const readWorker = statement(
  'worker.read',
  (s) => `
    select
      w.active, w.mode, w.data, w.expires_at, w.updated_at,
      (select p.name from ${s}.worker p where p.id = w.parent_id) as parent_name
    from ${s}.worker w
    where w.id = $1::bigint`,
);

/** Parameters: worker id, data, when, expiration or null, mode, now. */
export const updateWorker = statement(
  'worker.update',
  (s) => `
    update ${s}.worker set
      active = true, data = $2::bytea, mode = $5::text,
      updated_at = coalesce($3::timestamptz, $6::timestamptz, statement_timestamp()),
      expires_at = coalesce(
        $4::timestamptz, coalesce($3::timestamptz, $6::timestamptz, statement_timestamp()) + interval '15 minutes'
      )
    where id = $1::bigint
    returning id`,
);

/** Parameters: worker id. */
export const deactivateWorker = statement(
  'worker.deactivate',
  (s) => `update ${s}.worker set active = false where id = $1::bigint returning id`,
);

/** Parameters: worker id, parent id or null. */
export const setParent = statement(
  'worker.set-parent',
  (s) => `
    update ${s}.worker set parent_id = $2::bigint
    where id = $1::bigint and ($2::bigint is null or exists (select from ${s}.worker where id = $2::bigint))
    returning id`,
);

/** Index: worker_parent. Parameters: worker id. */
export const listChildren = statement(
  'worker.list-children',
  (s) => `select id, name from ${s}.worker where parent_id = $1::bigint order by name`,
);

/** Parameters: namespace id, runtime or null, now. */
export const recordRuntimeRequest = statement(
  'worker.record-runtime-request',
  (s, catalog) => `
    insert into ${s}.runtime_request (namespace_id, runtime, asked_at)
    select n.id, r.runtime, coalesce($3::timestamptz, statement_timestamp())
    from (select id from ${catalog}.namespace where id = $1::bigint for key share) n, unnest($2::bytea[]) as r (runtime)
    on conflict (namespace_id, coalesce(runtime, '\\xff')) do update set asked_at = excluded.asked_at`,
);
