import { encodeData, type DataDictionary } from '../../codec/index.js';
import { byteaArray, float8Array, statement, timestamptzArray, type Executor } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';

/** A unit to add, checked. */
export interface UnitToAdd {
  readonly name: Uint8Array;
  readonly data: DataDictionary;
  readonly priority: number;
  readonly notBefore: Date | null;
}

/**
 * Adds or replaces units. The spec's row is locked against deletion (KEY SHARE, like a foreign key would) until the transaction
 * ends, or units could be added to a spec that is being destroyed.
 *
 * Names that are new take one path through the statement; those that exist already, or were added by somebody else a moment ago,
 * go to upsert_units, which locks the units' rows by id. READ COMMITTED: that function must see what is there after its locks.
 * Names are inserted in bytewise order, so that two that add the same names do not wait for each other in a circle.
 *
 * Index: work_unit (spec_id, name). Parameters: spec id, names, data, priorities, notBefores, now.
 */
const addUnits = statement(
  'work-unit.add',
  (s) => `
    with spec as materialized (
      select id from ${s}.work_spec where id = $1::bigint for key share
    ),
    given as materialized (
      select spec.id as spec_id, unit.name, unit.data, unit.priority, unit.not_before
      from spec, unnest($2::bytea[], $3::bytea[], $4::float8[], $5::timestamptz[]) as unit (name, data, priority, not_before)
    ),
    added as (
      insert into ${s}.work_unit (spec_id, name, data, priority, not_before)
      select spec_id, name, data, priority, not_before from given order by name
      on conflict (spec_id, name) do nothing
      returning spec_id, id, name, priority, not_before
    ),
    available as (
      insert into ${s}.ready (segment, spec_id, rank, name, unit_id, attempts)
      select (select last_value from ${s}.ready_segment), spec_id, -priority, name, id, 0 from added
      where not_before is null or not_before <= coalesce($6::timestamptz, statement_timestamp())
    ),
    waiting as (
      insert into ${s}.delayed (spec_id, unit_id, not_before, attempts)
      select spec_id, id, not_before, 0 from added
      where not_before > coalesce($6::timestamptz, statement_timestamp())
    ),
    counted as (
      insert into ${s}.unit_count (spec_id, kind, delta)
      select spec_id, 'all', count(*) from added group by spec_id
    )
    select
      (select count(*) from spec) as specs,
      case when (select count(*) from added) < cardinality($2::bytea[]) then (
        select ${s}.upsert_units(
          $1::bigint, array_agg(g.name), array_agg(g.data), array_agg(g.priority), array_agg(g.not_before),
          coalesce($6::timestamptz, statement_timestamp())
        )
        from given g
        where g.name not in (select name from added)
        having count(*) > 0
      ) end as existing`,
);

/** Adds or replaces units of one spec, all or none. Raises Gone. Resolves to the number of distinct names. */
export async function addUnitsToSpec(
  bucket: Bucket,
  specId: number,
  units: readonly UnitToAdd[],
  on: Executor,
  dataField: (index: number) => string,
): Promise<number> {
  // Of the same name twice the last one counts; the statement can touch a row only once.
  const byName = new Map<string, { unit: UnitToAdd; data: Buffer }>();
  for (const [index, unit] of units.entries()) {
    const data = encodeData(unit.data, dataField(index));
    byName.set(Buffer.from(unit.name.buffer, unit.name.byteOffset, unit.name.length).toString('latin1'), { unit, data });
  }
  const distinct = [...byName.values()];
  const rows = await bucket.run(
    addUnits,
    [
      specId,
      byteaArray(distinct.map(({ unit }) => unit.name)),
      byteaArray(distinct.map(({ data }) => data)),
      float8Array(distinct.map(({ unit }) => unit.priority)),
      timestamptzArray(distinct.map(({ unit }) => unit.notBefore)),
      bucket.backend.now(),
    ],
    on,
  );
  if (Number(rows[0]?.specs) === 0) throw new GoneError();
  return distinct.length;
}
