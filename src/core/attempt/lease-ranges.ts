import { int8Array, statement } from '../../database/index.js';
import { BackgroundTask } from '../background-task.js';
import type { Bucket } from '../backend.js';
import { mostOfLeaseRange } from './attempt-place.js';

/**
 * Deletes those of some ranges `r` that nobody is left in, but for units `u` that are just leaving. Looks from the back, as most workers begin at the
 * front: then it takes one look until the range is nearly empty; and none where a condition `isLeftByAll` says so. One that somebody has locked, as expiry may, is left to him.
 */
export const deleteEmpty = (
  s: string,
  { among, butFor = 'false', isLeftByAll = 'false' }: { readonly among: string; readonly butFor?: string; readonly isLeftByAll?: string },
): string => `
      delete from ${s}.lease_range where ctid = any(array(
        select r.ctid from ${s}.lease_range r
        where ${among} and (${isLeftByAll} or (
          select true
          from generate_series(cardinality(r.unit_ids), 1, -1) as m (position)
          cross join lateral (
            select from ${s}.work_unit u
            where u.id = r.unit_ids[m.position] and ${s}.is_in_lease_range(u, r.first_number + m.position - 1, r.waited_in) and (${butFor}) is not true offset 0
          ) u
          limit 1
        ) is null)
        for update skip locked
      ))`;

/** The range that an attempt was claimed in, by its number; there can be several if it was split, of which one has the unit. To be joined as `r`. */
export const rangeOf = (s: string, { unitId, number }: { readonly unitId: string; readonly number: string }): string => `
      cross join lateral (
        select
          r.ctid as place, r.spec_id, r.worker_id, r.started_at, r.expires_at, r.data, r.first_number,
          coalesce(r.attempts[(${number} - r.first_number)::integer + 1], 1) as attempts
        from ${s}.lease_range r
        where r.first_number <= ${number} and r.first_number > ${number} - ${mostOfLeaseRange}
          and r.unit_ids[(${number} - r.first_number)::integer + 1] = ${unitId}
        offset 0
      ) r`;

/**
 * Deletes the ranges of attempts, if nobody is left in them. Indexes: lease_range_number once an attempt, the primary key of work_unit mostly once a
 * range. Parameters: unit ids, numbers.
 */
const dropEmptyRanges = statement(
  'attempt.drop-empty-ranges',
  (s) => `
    ${deleteEmpty(s, {
      among: `r.ctid = any(array(
        select r.place from unnest($1::bigint[], $2::bigint[]) as given (unit_id, number)
        ${rangeOf(s, { unitId: 'given.unit_id', number: 'given.number' })}
      ))`,
    })}`,
);

interface Left {
  readonly unitId: number;
  readonly number: number;
}

/** How many ranges are remembered at most; what is forgotten goes when it runs out. */
const mostRemembered = 1_000;

/**
 * Ranges that attempts have left in ways that must not delete ranges, in a transaction of the user's for instance: they are looked at a little
 * later, and deleted if nobody is left in them.
 */
export class LeftRanges {
  readonly #task: BackgroundTask;
  /** An attempt of each, and how often it was looked at. By number, so that it is the newest to have left. */
  readonly #left = new Map<number, Left & { readonly looks: number }>();

  constructor(bucket: Bucket) {
    const { logger } = bucket.backend.database;
    this.#task = new BackgroundTask({ failure: 'ranges of leases could not be deleted', every: 100, run: () => this.#drop(bucket), logger });
  }

  /** `range`: of which the attempt is, if that is known. */
  left({ unitId, number }: Left, range: number | undefined): void {
    if (this.#left.size < mostRemembered) this.#left.set(range ?? number, { unitId, number, looks: 0 });
    this.#task.count();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  async #drop(bucket: Bucket): Promise<void> {
    const left = [...this.#left];
    this.#left.clear();
    await bucket.run(dropEmptyRanges, [int8Array(left.map(([, { unitId }]) => unitId)), int8Array(left.map(([, { number }]) => number))]);
    // Once more, for who was still in a transaction.
    for (const [key, each] of left) {
      if (each.looks === 0 && !this.#left.has(key)) this.#left.set(key, { ...each, looks: 1 });
    }
  }
}
