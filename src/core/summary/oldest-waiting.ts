import { statement } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { nameFromBytes } from '../instant.js';

/** How long a unit of a work spec has been available at most. */
export interface OldestWaiting {
  readonly namespace: string;
  readonly workSpec: string;
  readonly seconds: number;
}

/** How many units are looked at from either end of the order in which a spec's are claimed, in each generation of `ready`. */
const lookedAt = 25;

/**
 * How long the longest-waiting available unit of each spec has waited, by the units next to be claimed and those last to be claimed: among
 * them is whatever is stuck in front, and whatever others outrank for ever. A spec with more than 50 available may have
 * an older one in between. Since it was added, or its notBefore has passed; a unit that was given back counts from when it was added.
 * Indexes: ready_order and ready_range_order from both ends of each generation, work_unit (id), so many probes a spec that has work; work_spec (id). Parameters: specs from
 * this id on, below this one.
 */
const readOldestWaiting = statement(
  'summary.oldest-waiting',
  (s) => `
    select w.namespace_id, w.name, extract(epoch from statement_timestamp() - oldest.since)::float8 as seconds
    from ${s}.work_spec w
    cross join lateral (
      select min(greatest(u.added_at, u.not_before)) as since
      from unnest((select ${s}.live_generations())) as alive (generation)
      cross join lateral (
        (
          select r.unit_id, null::bigint as range from ${s}.ready r
          where r.generation = alive.generation and r.spec_id = w.id order by r.rank, r.name limit ${lookedAt}
        )
        union all
        (
          select r.unit_id, null from ${s}.ready r
          where r.generation = alive.generation and r.spec_id = w.id order by r.rank desc, r.name desc limit ${lookedAt}
        )
        union all
        (
          select unnest(r.unit_ids[:${lookedAt}]), r.id from (
            select r.unit_ids, r.id from ${s}.ready_range r
            where r.generation = alive.generation and r.spec_id = w.id order by r.rank, r.first_name limit 1
          ) r
        )
        union all
        (
          select unnest(r.unit_ids[cardinality(r.unit_ids) - ${lookedAt - 1} :]), r.id from (
            select r.unit_ids, r.id from ${s}.ready_range r
            where r.generation = alive.generation and r.spec_id = w.id order by r.rank desc, r.first_name desc limit 1
          ) r
        )
      ) r
      cross join lateral (select u.added_at, u.not_before from ${s}.work_unit u where u.id = r.unit_id and (r.range is null or (u.waits_in = r.range and u.ended is null)) offset 0) u
    ) oldest
    where w.id >= $1::bigint and w.id < $2::bigint and oldest.since is not null
    order by w.namespace_id, w.name`,
);

/** Of the specs in a range of ids that have available units. `namespaceName` answers undefined for one that is none of the caller's. */
export async function oldestWaiting(
  bucket: Bucket,
  specIds: readonly [from: number, to: number],
  namespaceName: (id: number) => string | undefined,
): Promise<OldestWaiting[]> {
  const rows = await bucket.run(readOldestWaiting, specIds);
  return rows.flatMap((row) => {
    const namespace = namespaceName(Number(row.namespace_id));
    return namespace === undefined ? [] : [{ namespace, workSpec: nameFromBytes(row.name), seconds: Math.max(0, Number(row.seconds)) }];
  });
}
