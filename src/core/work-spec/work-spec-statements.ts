import { statement } from '../../database/index.js';

/** Parameters: namespace id, name. */
export const findWorkSpec = statement(
  'work-spec.find',
  (s) => `select id from ${s}.work_spec where namespace_id = $1::bigint and name = $2::bytea`,
);

/** One row with an empty name when there is none, none at all when the namespace is gone. Parameters: namespace id. */
export const listWorkSpecs = statement(
  'work-spec.list',
  (s, catalog) => `
    select w.id, w.name
    from ${catalog}.namespace n left join ${s}.work_spec w on w.namespace_id = n.id
    where n.id = $1::bigint
    order by w.name`,
);

/**
 * Resets everything from the definition, but keeps a nextContinuous that lies in the future: or redefining an hourly spec
 * every minute would run it every minute. Parameters: namespace id, name, data, the meta fields, now.
 */
export const redefineWorkSpec = statement(
  'work-spec.redefine',
  (s) => `
    update ${s}.work_spec set
      data = $3::bytea, priority = $4::float8, weight = $5::float8, paused = $6::boolean, continuous = $7::boolean,
      can_be_continuous = $7::boolean, interval_ms = $8::float8, max_running = $9::bigint,
      max_attempts_returned = $10::bigint, max_retries = $11::bigint, min_memory_gb = $12::float8,
      next_work_spec_name = $13::bytea, runtime = $14::bytea,
      next_continuous = case
        when next_continuous > coalesce($15::timestamptz, statement_timestamp()) then next_continuous
      end
    where namespace_id = $1::bigint and name = $2::bytea
    returning id`,
);

/** Answers nothing when somebody else was faster. Parameters: id, namespace id, name, data, the meta fields. */
export const createWorkSpec = statement(
  'work-spec.create',
  (s) => `
    insert into ${s}.work_spec (
      id, namespace_id, name, data, priority, weight, paused, continuous, can_be_continuous, interval_ms, max_running,
      max_attempts_returned, max_retries, min_memory_gb, next_work_spec_name, runtime
    )
    values (
      $15::bigint, $1::bigint, $2::bytea, $3::bytea, $4::float8, $5::float8, $6::boolean, $7::boolean, $7::boolean,
      $8::float8, $9::bigint, $10::bigint, $11::bigint, $12::float8, $13::bytea, $14::bytea
    )
    on conflict (namespace_id, name) do nothing
    returning id`,
);

/** Parameters: spec id. */
export const readWorkSpec = statement(
  'work-spec.read',
  (s) => `
    select
      data, priority, weight, paused, continuous, can_be_continuous, interval_ms, next_continuous, max_running,
      max_attempts_returned, max_retries, min_memory_gb, next_work_spec_name, runtime
    from ${s}.work_spec where id = $1::bigint`,
);

/** A null parameter leaves its field alone; of nextContinuous $6 says whether it changes. Parameters: spec id, the fields. */
export const changeWorkSpec = statement(
  'work-spec.change',
  (s) => `
    update ${s}.work_spec set
      priority = coalesce($2::float8, priority),
      weight = coalesce($3::float8, weight),
      paused = coalesce($4::boolean, paused),
      continuous = coalesce($5::boolean, continuous) and can_be_continuous,
      next_continuous = case when $6::boolean then $7::timestamptz else next_continuous end,
      interval_ms = coalesce($8::float8, interval_ms),
      max_running = coalesce($9::bigint, max_running),
      max_attempts_returned = coalesce($10::bigint, max_attempts_returned),
      max_retries = coalesce($11::bigint, max_retries),
      min_memory_gb = coalesce($12::float8, min_memory_gb)
    where id = $1::bigint
    returning id`,
);

/**
 * Removes a work spec: from here on it is gone for everybody. Its units are deleted afterwards; if that is interrupted,
 * destroyed_spec remembers it. Waits for those who are adding units at this moment, as they hold the spec's row.
 * Parameters: namespace id, name.
 */
export const destroyWorkSpec = statement(
  'work-spec.destroy',
  (s) => `
    with gone as (
      delete from ${s}.work_spec where namespace_id = $1::bigint and name = $2::bytea returning id
    )
    insert into ${s}.destroyed_spec (spec_id) select id from gone
    returning spec_id`,
);

/**
 * The same of all specs of a namespace, and its workers. The namespace's own row must be deleted in a statement before this one, which
 * waits for those who are making a spec or a worker: only then this one's snapshot shows what they made.
 * Parameters: namespace id.
 */
export const destroyAllWorkSpecs = statement(
  'work-spec.destroy-all',
  (s) => `
    with workers as (
      delete from ${s}.worker where namespace_id = $1::bigint
    ),
    requests as (
      delete from ${s}.runtime_request where namespace_id = $1::bigint
    ),
    waiters as (
      delete from ${s}.waiter where namespace_id = $1::bigint
    ),
    watchers as (
      delete from ${s}.watcher where namespace_id = $1::bigint
    ),
    gone as (
      delete from ${s}.work_spec where namespace_id = $1::bigint returning id
    )
    insert into ${s}.destroyed_spec (spec_id) select id from gone
    returning spec_id`,
);

export const listDestroyedSpecs = statement('work-spec.list-destroyed', (s) => `select spec_id from ${s}.destroyed_spec`);

/** Deletes some of the units of a spec that is gone. Parameters: spec id, limit. */
export const sweepDestroyedSpec = statement(
  'work-spec.sweep-destroyed',
  (s) => `
    select cardinality(ids) as found, ${s}.delete_units(ids, null, statement_timestamp())
    from (
      select array(select id from ${s}.work_unit where spec_id = $1::bigint limit $2::integer) as ids
    ) batch`,
);

/**
 * To be run twice: the first waits for who is folding these counts at this moment, the second finds what they were folded to.
 * Parameters: spec id.
 */
export const deleteCounts = statement(
  'work-spec.delete-counts',
  (s) => `delete from ${s}.unit_count where spec_id = $1::bigint`,
);

/** Ranges of units that are gone, which went with them but for what two who took the last ones at the same moment have left. Parameters: spec id. */
export const deleteRanges = statement(
  'work-spec.delete-ranges',
  (s) => `
    with leases as (
      delete from ${s}.lease_range where spec_id = $1::bigint
    ),
    ready as (
      delete from ${s}.ready_range where spec_id = $1::bigint
    )
    delete from ${s}.attempt_range where spec_id = $1::bigint`,
);

/** Parameters: spec id. */
export const forgetDestroyedSpec = statement(
  'work-spec.forget-destroyed',
  (s) => `
    delete from ${s}.destroyed_spec where spec_id = $1::bigint`,
);
