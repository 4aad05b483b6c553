import { byteaArray, type Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { listing, type Listing } from './listing.js';
import type { WorkUnitStatus } from './work-unit-status.js';

/** A query of units, checked. */
export interface UnitQuery {
  readonly names?: readonly Uint8Array[];
  readonly statuses?: readonly WorkUnitStatus[];
  readonly previousName?: Uint8Array;
  readonly limit?: number;
}

/** Index: work_unit (spec_id, name), one probe a name. Parameters: spec id, names, statuses or null, previous, limit, now. */
const listNamedUnits = listing(
  'named',
  6,
  (s) => `
    select u.id, u.name
    from (select distinct name from unnest($2::bytea[]) as n (name) where name > $4::bytea) n
    cross join lateral (
      select * from ${s}.work_unit u where u.spec_id = $1::bigint and u.name = n.name offset 0
    ) u
    where ($3::text[] is null or ${s}.unit_status(
        u.ended, (select true from ${s}.lease_of_unit l where l.unit_id = u.id) is true, u.not_before,
        coalesce($6::timestamptz, statement_timestamp())
      ) = any($3::text[]))
    order by u.name
    limit $5::bigint`,
);

/** Index: work_unit (spec_id, name), in its order from `previous` on, up to the limit. Parameters: spec id, previous, limit. */
const listUnitsInOrder = listing(
  'in-order',
  3,
  (s) => `
    select u.id, u.name
    from ${s}.work_unit u
    where u.spec_id = $1::bigint and u.name > $2::bytea
    order by u.name
    limit $3::bigint`,
);

/** The same, of some statuses: passes by all others on its way. Parameters: spec id, previous, limit, statuses, now. */
const listUnitsByStatus = listing(
  'by-status',
  5,
  (s) => `
    select u.id, u.name
    from ${s}.work_unit u
    where u.spec_id = $1::bigint and u.name > $2::bytea
      and ${s}.unit_status(
        u.ended, (select true from ${s}.lease_of_unit l where l.unit_id = u.id) is true, u.not_before,
        coalesce($5::timestamptz, statement_timestamp())
      ) = any($4::text[])
    order by u.name
    limit $3::bigint`,
);

/**
 * Of statuses of units that have not ended: reads the small tables of those, and no finished unit. Indexes: ready_order, ready_range_order,
 * the primary keys of delayed and lease, by spec. Parameters: spec id, previous, limit, statuses, now.
 */
const listUnendedUnits = listing(
  'unended',
  5,
  (s) => `
    select u.id, u.name
    from (
      select l.unit_id, true as leased, null::bigint as range from ${s}.any_lease l where l.spec_id = $1::bigint and 'pending' = any($4::text[])
      union all
      select r.unit_id, false, null from ${s}.ready r
      where r.generation = any((select ${s}.live_generations())::bigint[])
        and r.spec_id = $1::bigint and r.name > $2::bytea and $4::text[] && array['available', 'delayed']
      union all
      select unnest(r.unit_ids), false, r.id from ${s}.ready_range r
      where r.generation = any((select ${s}.live_generations())::bigint[])
        and r.spec_id = $1::bigint and r.last_name > $2::bytea and $4::text[] && array['available', 'delayed']
      union all
      select d.unit_id, false, null from ${s}.delayed d
      where d.spec_id = $1::bigint and $4::text[] && array['available', 'delayed']
    ) state
    join ${s}.work_unit u on u.id = state.unit_id
    where u.name > $2::bytea and (state.range is null or (u.waits_in = state.range and u.ended is null))
      and ${s}.unit_status(
        null, state.leased, u.not_before, coalesce($5::timestamptz, statement_timestamp())
      ) = any($4::text[])
    order by u.name
    limit $3::bigint`,
);

/**
 * Which of them finds the units of a query, and its parameters.
 *
 * Units that have not ended are found by their state, which takes no account of how many have ended, but reads all that have not; `walk`
 * goes by name instead, as is better for who goes through all of them page by page.
 */
export function listingOf(
  specId: number,
  { names, statuses, previousName = Buffer.alloc(0), limit: most }: UnitQuery,
  { now, walk }: { readonly now: string | null; readonly walk: boolean },
): readonly [Listing, unknown[]] {
  const limit = most ?? null;
  if (names !== undefined) return [listNamedUnits, [specId, byteaArray(names), statuses ?? null, previousName, limit, now]];
  if (statuses === undefined) return [listUnitsInOrder, [specId, previousName, limit]];
  const byStatus = walk || statuses.some((status) => status === 'finished' || status === 'failed');
  return [byStatus ? listUnitsByStatus : listUnendedUnits, [specId, previousName, limit, statuses, now]];
}

/** The ids and names of the units that match, in bytewise order of their names. What is overdue expires first, where a status is asked for. */
export function listUnits(bucket: Bucket, specId: number, query: UnitQuery, { walk = false } = {}): Promise<readonly Row[]> {
  const [{ list }, values] = listingOf(specId, query, { now: bucket.backend.now(), walk });
  return query.names === undefined && query.statuses === undefined ? bucket.run(list, values) : bucket.look(list, values);
}
