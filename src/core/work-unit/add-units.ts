import { encodeData, type DataDictionary } from '../../codec/index.js';
import { byteaArray, float8Array, sqlState, timestamptzArray, type Executor, type Row, type Statement } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { bytes } from '../instant.js';
import { addedPayload } from '../notify/payload.js';
import { runAndWake, type Confirmation } from '../notify/wake.js';
import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import { addNewUnits, addNewUnitsInRanges, addUnits, addUnitsForIds, findUnitIds } from './add-statements.js';
import { addNewUnitsEarly, planEarlyAdd } from './add-early.js';
import { addForIdleWorker, findIdleWorker } from './hand-over.js';
import { keyOf, UnitBatch, type EncodedUnit } from './unit-batch.js';

/** How many of the names that are likely to be new are looked up before they are inserted. */
const mostLookedUp = 8;

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
  await send(bucket, specId, units, { wantsIds: false, on });
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
 * One round trip, unless names exist where they were likely to be new, or somebody else added one of them at the same moment.
 */
export async function addBatchForIds(
  bucket: Bucket,
  specId: number,
  batch: UnitBatch,
  { on, lockTimeout }: AddForIdsOptions = {},
): Promise<(name: Uint8Array) => number | undefined> {
  const { database } = bucket.backend;
  const { units } = batch;
  const row = await send(bucket, specId, units, { wantsIds: true, on, ...(lockTimeout !== undefined && { lockTimeout }) });
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

interface SendOptions extends AddForIdsOptions {
  readonly wantsIds: boolean;
}

/** Every add goes through here: without `on`, that is in a transaction of the queue's own. */
async function send(bucket: Bucket, specId: number, units: readonly EncodedUnit[], options: SendOptions): Promise<Row> {
  const row = await sendUntilAdded(bucket, specId, units, options);
  bucket.counts.count();
  bucket.candidates.added(specId);
  return row;
}

/** Fewer are likely to be claimed a few at a time: a range of them would only be broken up. */
const leastInReadyRange = 50;

/** As new ones, where that is likely to do; else, and if it did not, as such that may exist. */
async function sendUntilAdded(bucket: Bucket, specId: number, units: readonly EncodedUnit[], { wantsIds, on, lockTimeout }: SendOptions): Promise<Row> {
  const payloads = [byteaArray(units.map(({ name }) => name)), byteaArray(units.map(({ data }) => data))];
  const priorities = units.map(({ priority }) => priority);
  const namespaceId = namespaceOfSpec(specId);
  // Not of a spec that is gone.
  const announcement = (rows: readonly Row[]): string[] =>
    Number(rows[0]?.specs) === 0 ? [] : [addedPayload(namespaceId, specId, units.length)];
  const run = async (statement: Statement, values: readonly unknown[], confirmation?: Confirmation): Promise<Row | undefined> => {
    const [row] = await runAndWake(bucket, namespaceId, [statement, [specId, ...payloads, ...values]], { on, announcement, confirmation });
    return Number(row?.specs) === 0 ? undefined : row;
  };
  const addOrReplace = async (): Promise<Row> => {
    const meta = [float8Array(priorities), timestamptzArray(units.map(({ notBefore }) => notBefore)), bucket.backend.now()];
    const row = await (wantsIds ? run(addUnitsForIds, [...meta, lockTimeout ?? null]) : run(addUnits, meta));
    if (row === undefined) throw new GoneError();
    bucket.names.added(specId, { metExisting: row.existing !== null });
    return row;
  };
  if (on !== undefined || !bucket.names.areLikelyNew(specId) || units.some(({ notBefore }) => notBefore !== null)) return addOrReplace();
  const { database } = bucket.backend;
  // Both trips are one piece of work, which comes to its end even if close() is called between them.
  const end = database.begin();
  try {
    const sample = byteaArray(sampleOf(units));
    const options = [lockTimeout ?? null, wantsIds];
    const addNew = async (): Promise<Row | undefined> => {
      const [first] = priorities;
      const areAlike = priorities.every((priority) => priority === first);
      if (areAlike && units.length >= leastInReadyRange) return run(addNewUnitsInRanges, [first, sample, ...options]);
      const each = areAlike && first === 0 ? null : float8Array(priorities);
      const idle = findIdleWorker(bucket, specId, units);
      if (idle !== undefined) {
        const row = await addForIdleWorker(bucket, idle, { specId, count: units.length, values: [...payloads, each, sample], wantsIds });
        if (row !== 'locked') return row;
      }
      const early = planEarlyAdd(bucket, namespaceId, units.length);
      return database.continuing(() =>
        early === undefined
          ? run(addNewUnits, [each, sample, ...options])
          : run(addNewUnitsEarly, [each, sample, ...options, ...early.values], early.confirmation),
      );
    };
    const row = await database.continuing(addNew).catch(ifNamesExist);
    return row ?? (await database.continuing(addOrReplace));
  } finally {
    end();
  }
}

/** A few names spread over all: of a batch that is there already, or half of it, one of these nearly always is. */
function sampleOf(units: readonly EncodedUnit[]): Uint8Array[] {
  const names: Uint8Array[] = [];
  const step = Math.max(1, (units.length - 1) / (mostLookedUp - 1));
  for (let at = 0; Math.round(at) < units.length; at += step) {
    const unit = units[Math.round(at)];
    if (unit !== undefined) names.push(unit.name);
  }
  return names;
}

/** 23505: the unique index has met a name that exists. */
function ifNamesExist(error: unknown): undefined {
  if (sqlState(error) !== '23505') throw error;
}
