import { int8Array, statement, type Row } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';

/**
 * What became of units: one row for each that exists; `ended` is null while it can still run. Indexes: work_unit (id), work_spec (id),
 * attempt (unit_id, number), one probe a unit: LATERAL with OFFSET, or a planner without statistics may read all of history.
 * Parameters: unit ids.
 */
const readOutcomesOfUnits = statement(
  'notify.read-outcomes',
  (s) => `
    select u.id, u.ended, u.active_attempt, case when u.ended is not null then coalesce(a.data, u.data) end as data
    from unnest($1::bigint[]) as wanted (id)
    cross join lateral (select * from ${s}.work_unit u where u.id = wanted.id offset 0) u
    cross join lateral (select from ${s}.work_spec p where p.id = u.spec_id offset 0) p
    left join lateral (
      select h.data from ${s}.attempt h where h.unit_id = u.id and h.number = u.active_attempt offset 0
    ) a on u.ended is not null`,
);

/** How many units one statement reads. */
const mostAtOnce = 1_000;

interface Asked {
  readonly resolve: (row: Row | null) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads what became of units; what is asked for at the same time is read together. */
export class OutcomeReader {
  readonly #bucket: Bucket;
  #asked = new Map<number, Asked[]>();

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** The row of an ended unit, null while it can still run. Raises Gone, and what statements raise. */
  read(unitId: number): Promise<Row | null> {
    if (this.#asked.size === 0) setImmediate(() => void this.#readAll());
    return new Promise((resolve, reject) => {
      const asked = this.#asked.get(unitId) ?? [];
      asked.push({ resolve, reject });
      this.#asked.set(unitId, asked);
    });
  }

  async #readAll(): Promise<void> {
    const all = [...this.#asked];
    this.#asked = new Map();
    for (let at = 0; at < all.length; at += mostAtOnce) await this.#readSome(all.slice(at, at + mostAtOnce));
  }

  async #readSome(some: readonly (readonly [unitId: number, asked: readonly Asked[]])[]): Promise<void> {
    try {
      const rows = await this.#bucket.run(readOutcomesOfUnits, [int8Array(some.map(([unitId]) => unitId))]);
      const byId = new Map(rows.map((row) => [Number(row.id), row]));
      for (const [unitId, asked] of some) {
        const row = byId.get(unitId);
        for (const { resolve, reject } of asked) {
          if (row === undefined) reject(new GoneError());
          else resolve(row.ended === null ? null : row);
        }
      }
    } catch (error) {
      for (const { reject } of some.flatMap(([, asked]) => asked)) reject(error);
    }
  }
}
