import { statement } from '../../database/index.js';

/**
 * How many units of which status each spec has. Reads nothing of the claim path's but the leases and the delayed units, takes no
 * locks; costs in proportion to those and to the specs, not to the units that are available or ended: those are kept counted.
 * Parameters: from spec id, to spec id, now.
 */
export const countUnits = statement(
  'summary.count-units',
  (s) => `
    select
      w.id, w.name, w.namespace_id,
      coalesce(c.total - c.finished - c.failed - c.pending - c.delayed, 0) as available,
      coalesce(c.delayed, 0) as delayed, coalesce(c.pending, 0) as pending,
      coalesce(c.finished, 0) as finished, coalesce(c.failed, 0) as failed
    from ${s}.work_spec w
    left join (
      select
        spec_id,
        coalesce(sum(delta) filter (where kind = 'all'), 0) as total,
        coalesce(sum(delta) filter (where kind = 'finished'), 0) as finished,
        coalesce(sum(delta) filter (where kind = 'failed'), 0) as failed,
        coalesce(sum(delta) filter (where kind = 'pending'), 0) as pending,
        coalesce(sum(delta) filter (where kind = 'delayed'), 0) as delayed
      from (
        select spec_id, kind, delta from ${s}.unit_count
        where spec_id >= $1::bigint and spec_id < $2::bigint
        union all
        select spec_id, 'pending', count(*) from ${s}.any_lease
        where spec_id >= $1::bigint and spec_id < $2::bigint
        group by spec_id
        union all
        select spec_id, 'delayed', count(*) from ${s}.delayed
        where spec_id >= $1::bigint and spec_id < $2::bigint
          and not_before > coalesce($3::timestamptz, statement_timestamp())
        group by spec_id
      ) change
      group by spec_id
    ) c on c.spec_id = w.id
    where w.id >= $1::bigint and w.id < $2::bigint
    order by w.namespace_id, w.name`,
);

/** How many changes one run folds at most. */
export const foldLimit = 20_000;

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
