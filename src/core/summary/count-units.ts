import { statement } from '../../database/index.js';

/**
 * How many units of which status each spec has. Reads nothing of the claim path's but the leases and the delayed units, takes no
 * locks; costs in proportion to those and to the specs, not to the units that are available or ended: those are kept counted.
 * Parameters: from spec id, to spec id, now.
 */
export const countUnits = statement(
  'summary.count-units',
  (s) => `
    with kept as (
      select
        spec_id,
        sum(delta) filter (where kind = 'all') as total,
        sum(delta) filter (where kind = 'finished') as finished,
        sum(delta) filter (where kind = 'failed') as failed
      from ${s}.unit_count
      where spec_id >= $1::bigint and spec_id < $2::bigint
      group by spec_id
    ),
    running as (
      select spec_id, count(*) as pending from ${s}.lease
      where spec_id >= $1::bigint and spec_id < $2::bigint
      group by spec_id
    ),
    later as (
      select spec_id, count(*) as delayed from ${s}.delayed
      where spec_id >= $1::bigint and spec_id < $2::bigint
        and not_before > coalesce($3::timestamptz, statement_timestamp())
      group by spec_id
    )
    select
      w.id, w.name, w.namespace_id,
      coalesce(kept.total, 0) - coalesce(kept.finished, 0) - coalesce(kept.failed, 0) - coalesce(running.pending, 0)
        - coalesce(later.delayed, 0) as available,
      coalesce(later.delayed, 0) as delayed,
      coalesce(running.pending, 0) as pending,
      coalesce(kept.finished, 0) as finished,
      coalesce(kept.failed, 0) as failed
    from ${s}.work_spec w
    left join kept on kept.spec_id = w.id
    left join running on running.spec_id = w.id
    left join later on later.spec_id = w.id
    where w.id >= $1::bigint and w.id < $2::bigint
    order by w.namespace_id, w.name`,
);

/** Adds up some of the changes written by now, so that there are few to add up for each summary. Parameters: limit. */
export const foldCounts = statement(
  'summary.fold-counts',
  (s) => `
    with folded as (
      delete from ${s}.unit_count where ctid = any(array(
        select ctid from ${s}.unit_count limit $1::integer for update skip locked
      ))
      returning spec_id, kind, delta
    )
    insert into ${s}.unit_count (spec_id, kind, delta)
    select spec_id, kind, sum(delta) from folded group by spec_id, kind having sum(delta) <> 0`,
);
