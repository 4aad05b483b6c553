import { statement } from '../../database/index.js';

/** Parameters: spec id, name. */
export const findUnit = statement(
  'work-unit.find',
  (s) => `
    select u.id, u.name
    from ${s}.work_spec w left join ${s}.work_unit u on u.spec_id = w.id and u.name = $2::bytea
    where w.id = $1::bigint`,
);

/** Everything about one unit but its attempts. Answers nothing when it is gone. Parameters: unit id, now. */
export const readUnit = statement(
  'work-unit.read',
  (s) => `
    select
      u.priority, u.not_before, coalesce(l.data, a.data, u.data) as data,
      ${s}.unit_status(
        u.ended, l.unit_id is not null, u.not_before, coalesce($2::timestamptz, statement_timestamp())
      ) as status
    from ${s}.work_unit u
    join ${s}.work_spec w on w.id = u.spec_id
    left join lateral (select * from ${s}.lease_of_unit l where l.unit_id = u.id offset 0) l on true
    left join ${s}.attempt a on a.unit_id = u.id and a.number = u.active_attempt
    where u.id = $1::bigint`,
);

/** A unit's data without those of its attempts. Answers nothing when it is gone. Parameters: unit id. */
export const readOwnData = statement(
  'work-unit.read-own-data',
  (s) => `
    select u.data
    from ${s}.work_unit u join ${s}.work_spec w on w.id = u.spec_id
    where u.id = $1::bigint`,
);

/** Answers 0 when the unit is gone. Parameters: unit ids, statuses or null, priority or null, change, whether notBefore changes, notBefore, now. */
export const changeUnits = statement(
  'work-unit.change',
  (s) => `
    select ${s}.change_units(
      $1::bigint[], $2::text[], $3::float8, $4::float8, $5::boolean, $6::timestamptz,
      coalesce($7::timestamptz, statement_timestamp())
    ) as changed`,
);

/** Answers 0 when the unit is gone. Parameters: unit ids, now. */
export const clearActiveAttempts = statement(
  'work-unit.clear-active-attempts',
  (s) => `
    select ${s}.clear_active_attempts($1::bigint[], coalesce($2::timestamptz, statement_timestamp())) as cleared`,
);

/** Parameters: unit ids, statuses or null, now. */
export const deleteUnits = statement(
  'work-unit.delete',
  (s) => `
    select ${s}.delete_units($1::bigint[], $2::text[], coalesce($3::timestamptz, statement_timestamp())) as deleted`,
);
