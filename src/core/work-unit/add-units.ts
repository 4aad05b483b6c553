import { encodeData, type DataDictionary } from '../../codec/index.js';
import { byteaArray, float8Array, timestamptzArray, type Executor, type Row, type Statement } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { bytes } from '../instant.js';
import { addedPayload } from '../notify/payload.js';
import { runAndWake } from '../notify/wake.js';
import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import { addUnits, addUnitsForIds, findUnitIds } from './add-statements.js';
import { keyOf, UnitBatch, type EncodedUnit } from './unit-batch.js';

/** A unit to add, checked. */
export interface UnitToAdd {
  readonly name: Uint8Array;
  readonly data: DataDictionary;
  readonly priority: number;
  readonly notBefore: Date | null;
}

/** Adds or replaces units of one spec, all or none. Raises Gone. Resolves to the number of distinct names. */
export async function addUnitsToSpec(
  bucket: Bucket,
  specId: number,
  units: readonly UnitToAdd[],
  on: Executor,
  dataField: (index: number) => string,
): Promise<number> {
  const batch = new UnitBatch();
  for (const [index, unit] of units.entries()) {
    batch.add({ ...unit, data: encodeData(unit.data, dataField(index)) });
  }
  return addBatch(bucket, specId, batch, on);
}

/** Adds or replaces the units of a batch, all or none. Raises Gone. Resolves to the number of distinct names. */
export async function addBatch(bucket: Bucket, specId: number, batch: UnitBatch, on?: Executor): Promise<number> {
  const { units } = batch;
  await send(bucket, specId, addUnits, units, on);
  return units.length;
}

/**
 * As addBatch; resolves to a function that tells the id of the unit of a name: undefined if somebody has deleted it since.
 * One round trip, unless somebody else added one of the names at the same moment.
 */
export async function addBatchForIds(
  bucket: Bucket,
  specId: number,
  batch: UnitBatch,
  on?: Executor,
): Promise<(name: Uint8Array) => number | undefined> {
  const units = batch.units.toSorted((a, b) => Buffer.compare(a.name, b.name));
  const row = await send(bucket, specId, addUnitsForIds, units, on);
  const ids = typeof row.ids === 'string' ? row.ids.split(',').map(Number) : [];
  const byName = new Map<string, number>();
  if (ids.length === units.length) {
    for (const [index, { name }] of units.entries()) byName.set(keyOf(name), ids[index] ?? 0);
  } else {
    const found = await bucket.run(findUnitIds, [specId, byteaArray(units.map(({ name }) => name))], on);
    for (const { id, name } of found) byName.set(keyOf(bytes(name)), Number(id));
  }
  return (name) => byName.get(keyOf(name));
}

/** Every add goes through here: without `on`, that is in a transaction of the queue's own. */
async function send(
  bucket: Bucket,
  specId: number,
  statement: Statement,
  units: readonly EncodedUnit[],
  on: Executor | undefined,
): Promise<Row> {
  const values = [
    specId,
    byteaArray(units.map(({ name }) => name)),
    byteaArray(units.map(({ data }) => data)),
    float8Array(units.map(({ priority }) => priority)),
    timestamptzArray(units.map(({ notBefore }) => notBefore)),
    bucket.backend.now(),
  ];
  const namespaceId = namespaceOfSpec(specId);
  // Not of a spec that is gone.
  const announcement = (rows: readonly Row[]): string[] =>
    Number(rows[0]?.specs) === 0 ? [] : [addedPayload(namespaceId, specId, units.length)];
  const [row] = await runAndWake(bucket, namespaceId, [statement, values], on, announcement);
  if (row === undefined || Number(row.specs) === 0) throw new GoneError();
  bucket.counts.count();
  bucket.candidates.added(specId);
  return row;
}
