import { mostOfLeaseRange } from '../../core/attempt/attempt-place.js';
import { statement } from '../../database/index.js';

/**
 * Extends leases from the lease thread. Answers for each that is its unit's active attempt whether it was renewed; those that are not
 * are left out.
 *
 * Unlike `attempt.renew` it does not wait: a lease is locked for as long as a caller's own transaction that has finished its attempt
 * is open, and one such transaction would make all the others of the batch late. Such a lease cannot expire meanwhile either. It is
 * answered as not renewed and comes again at the next look.
 *
 * Leases in ranges are renewed whatever is locked, but for a range that is just expiring; then it is answered in the same way.
 *
 * READ COMMITTED: only rows that are locked are changed, and a row that was changed meanwhile is judged as it is now. The second look
 * at `lease` is in the statement's snapshot, so what was renewed by the first is in it too.
 * Locks: lease and lease_range, without waiting. Indexes: the primary keys of work_unit and lease, three probes an attempt, and lease_range_number, two; LATERAL with
 * OFFSET 0 or FOR UPDATE keeps the planner from reading all of a table that it believes to be small.
 * Parameters: unit ids, numbers, lifetime in ms.
 */
export const renewHeld = statement(
  'attempt.renew-held',
  (s) => `
    with named as materialized (
      select u.spec_id, r.unit_id, r.number
      from unnest($1::bigint[], $2::bigint[]) as r (unit_id, number)
      cross join lateral (select u.spec_id from ${s}.work_unit u where u.id = r.unit_id offset 0) u
      cross join lateral (select from ${s}.work_spec w where w.id = u.spec_id offset 0) w
    ),
    held as materialized (
      select l.*
      from named n
      cross join lateral (
        select l.spec_id, l.unit_id, l.number from ${s}.lease l
        where l.spec_id = n.spec_id and l.unit_id = n.unit_id and l.number = n.number
        for no key update skip locked
      ) l
    ),
    renewed as (
      update ${s}.lease l set expires_at = statement_timestamp() + $3::float8 * interval '1 millisecond'
      from held
      where l.spec_id = held.spec_id and l.unit_id = held.unit_id and l.number = held.number
      returning l.number
    )
    select number::float8 as number, true as renewed from renewed
    union all
    select in_range.number::float8, true
    from (select array_agg(unit_id) as unit_ids, array_agg(number) as numbers from named) all_named
    cross join lateral ${s}.renew_in_ranges(
      all_named.unit_ids, all_named.numbers, null, statement_timestamp() + $3::float8 * interval '1 millisecond'
    ) as in_range (number)
    union all
    select l.number::float8, false
    from named n
    cross join lateral (
      select l.number from ${s}.lease l
      where l.spec_id = n.spec_id and l.unit_id = n.unit_id and l.number = n.number
      offset 0
    ) l
    union all
    select n.number::float8, false
    from named n
    cross join lateral (
      select from ${s}.lease_range r
      where r.first_number <= n.number and r.first_number > n.number - ${mostOfLeaseRange}
        and r.unit_ids[(n.number - r.first_number)::integer + 1] = n.unit_id
      offset 0
    ) r
    cross join lateral (
      select from ${s}.work_unit u where u.id = n.unit_id and ${s}.is_in_range(u, n.number) offset 0
    ) u`,
);
