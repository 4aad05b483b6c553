import { statement } from '../../database/index.js';
import type { Bucket } from '../backend.js';

/** How many units one statement takes over. */
const mostAtOnce = 1_000;

/**
 * Brings units of generations that are none any more into the open one. There are none, unless the tables came out of a dump that was made
 * while there was work: it has the rows of one moment, but the sequences, which say what the generations are, of a later one.
 *
 * Rows of `ready` that are locked are just being claimed, changed or moved, and are no such units. A range is taken over even while somebody changes a unit of it (KEY SHARE; but not
 * FOR SHARE, see take_waiting_units).
 *
 * Indexes: ready_order and ready_range_order, the gaps between the generations. Parameters: how many at most.
 */
const adoptReady = statement(
  'work-unit.adopt-ready',
  (s) => `
    with alive as materialized (
      select
        (select last_value from ${s}.ready_open) as open,
        (select last_value from ${s}.ready_closed) as closed,
        (select last_value from ${s}.ready_sealed) as sealed
    ),
    gap as materialized (
      select after, before
      from alive cross join lateral (
        values (0, least(sealed, closed)), (least(sealed, closed), greatest(sealed, closed)), (greatest(sealed, closed), open)
      ) gap (after, before)
      where after < before
    ),
    lost as materialized (
      select place.ctid
      from gap cross join lateral (
        select r.ctid from ${s}.ready r
        where r.generation > gap.after and r.generation < gap.before
        order by r.generation limit $1::bigint
        for update skip locked
      ) place
    ),
    taken as (
      delete from ${s}.ready where ctid = any(array(select ctid from lost))
      returning spec_id, rank, name, unit_id, attempts
    ),
    lost_range as materialized (
      select place.ctid
      from gap cross join lateral (
        select r.ctid from ${s}.ready_range r
        where r.generation > gap.after and r.generation < gap.before
        order by r.generation limit $1::bigint
        for no key update skip locked
      ) place
    ),
    adopted_range as (
      update ${s}.ready_range set generation = (select last_value from ${s}.ready_open)
      where ctid = any(array(select ctid from lost_range))
      returning id
    ),
    adopted as (
      insert into ${s}.ready (generation, spec_id, rank, name, unit_id, attempts)
      select (select last_value from ${s}.ready_open), spec_id, rank, name, unit_id, attempts from taken
      returning unit_id
    )
    select (select count(*) from adopted) + (select count(*) from adopted_range) as adopted`,
);

/** Takes over what a dump has left behind, until nothing is left of it. */
export async function adoptReadyUnits(bucket: Bucket): Promise<void> {
  for (;;) {
    const [row] = await bucket.run(adoptReady, [mostAtOnce]);
    if (Number(row?.adopted) === 0) return;
  }
}
