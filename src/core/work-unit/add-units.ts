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

export interface AddForIdsOptions {
  /** A transaction of the caller's. @default one of the queue's own */
  readonly on?: Executor | undefined;
  /** How long the statement waits for each lock, such as `50ms`, before it fails with 55P03. @default as the session has it */
  readonly lockTimeout?: string;
}

/**
 * As addBatch; resolves to a function that tells the id of the unit of a name: undefined if somebody has deleted it since.
 * One round trip, unless somebody else added one of the names at the same moment.
 */
export async function addBatchForIds(
  bucket: Bucket,
  specId: number,
  batch: UnitBatch,
  { on, lockTimeout }: AddForIdsOptions = {},
): Promise<(name: Uint8Array) => number | undefined> {
  const { database } = bucket.backend;
  const units = batch.units.toSorted((a, b) => Buffer.compare(a.name, b.name));
  const row = await send(bucket, specId, addUnitsForIds, units, on, [lockTimeout ?? null]);
  const ids = typeof row.ids === 'string' ? row.ids.split(',').map(Number) : [];
  const byName = new Map<string, number>();
  if (ids.length === units.length) {
    for (const [index, { name }] of units.entries()) byName.set(keyOf(name), ids[index] ?? 0);
  } else {
    // What is added must not be reported as Closed because close() was called between the trips.
    const names = byteaArray(units.map(({ name }) => name));
    const found = await database.continuing(() => bucket.run(findUnitIds, [specId, names], on));
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
  more: readonly unknown[] = [],
): Promise<Row> {
  const values = [
    specId,
    byteaArray(units.map(({ name }) => name)),
    byteaArray(units.map(({ data }) => data)),
    float8Array(units.map(({ priority }) => priority)),
    timestamptzArray(units.map(({ notBefore }) => notBefore)),
    bucket.backend.now(),
    ...more,
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
