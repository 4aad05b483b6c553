import { decodeData, encodeData, type DataDictionary } from '../../codec/index.js';
import { int8Array, sqlState, type Executor, type Row } from '../../database/index.js';
import { BadPriorityError, ChangedNameError, GoneError, InvalidArgumentError, NoSuchWorkUnitError } from '../../errors/index.js';
import { checkBoolean, checkInteger, checkOptions, kindOf } from '../../options/index.js';
import type { Bucket } from '../backend.js';
import type { TransactionOptions } from '../coordinate.js';
import { bytes } from '../instant.js';
import type { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { runAndWake } from '../notify/wake.js';
import { nonZeroCounts } from '../summary/count-all-units.js';
import { countUnits } from '../summary/count-units.js';
import type { Summary } from '../summary/summary.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { addBatch, addBatchForIds } from '../work-unit/add-units.js';
import { checkPriority, checkUnitName, checkUnitParts, checkUnitQuery } from '../work-unit/check-unit.js';
import { listUnits, type UnitQuery } from '../work-unit/list-units.js';
import { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import { readUnits } from '../work-unit/read-units.js';
import { UnitBatch } from '../work-unit/unit-batch.js';
import type { WorkUnitName } from '../work-unit/work-unit-name.js';
import type { WorkUnitPage, WorkUnitPart } from '../work-unit/work-unit-page.js';
import type { WorkUnitStatus } from '../work-unit/work-unit-status.js';
import { changeUnits, deleteUnits, findUnit } from '../work-unit/work-unit-statements.js';
import type { WorkUnitMeta } from '../work-unit/work-unit.js';
import { addStream, isIterable } from './add-stream.js';
import { checkSpecMeta } from './check-meta.js';
import { defineWorkSpec } from './define-work-spec.js';
import { metaFromData, workSpecName } from './meta-from-data.js';
import { prepareItem, prepareUnit, type DataSchema } from './prepare-unit.js';
import { metaFromRow } from './work-spec-from-row.js';
import type { WorkSpecMeta } from './work-spec-meta.js';
import { changeWorkSpec, readWorkSpec } from './work-spec-statements.js';
import type { AddStreamOptions, NewWorkUnit, WorkSpec, WorkSpecData } from './work-spec.js';
import type { WorkUnitQuery } from './work-unit-query.js';

/** How many units of a query are changed or deleted in one transaction. */
const batchSize = 2_000;

/** How many batches of a stream of units are in flight at most. */
const mostInFlight = 2;

/** A work spec in one bucket of one database. */
export class PostgresWorkSpec<Data extends DataDictionary = DataDictionary, Input extends DataDictionary = Data>
  implements WorkSpec<Data, Input>
{
  readonly namespace: PostgresNamespace;
  readonly id: number;
  readonly name: string;
  readonly #schema: DataSchema;

  constructor(namespace: PostgresNamespace, id: number, name: string, schema?: DataSchema) {
    this.namespace = namespace;
    this.id = id;
    this.name = name;
    this.#schema = schema;
  }

  get bucket(): Bucket {
    return this.namespace.bucket;
  }

  async data(): Promise<WorkSpecData> {
    return decodeData(bytes((await this.#read()).data)) as WorkSpecData;
  }

  async setData(data: DataDictionary): Promise<void> {
    const encoded = encodeData(data, 'data');
    if (workSpecName(data) !== this.name) throw new ChangedNameError();
    await this.#read();
    const id = await defineWorkSpec(this.bucket, this.namespace.id, this.name, encoded, metaFromData(data));
    this.bucket.candidates.forget(this.namespace.id);
    if (id !== this.id) throw new GoneError();
  }

  async meta(options?: { readonly counts?: boolean }): Promise<WorkSpecMeta> {
    const { counts = false } = checkOptions(options, 'options', ['counts']);
    const meta = metaFromRow(await this.#read());
    if (!checkBoolean(counts, 'options.counts')) return meta;
    const { available = 0, pending = 0 } = await this.countWorkUnitStatus();
    return { ...meta, availableCount: available, pendingCount: pending };
  }

  async setMeta(meta: Partial<WorkSpecMeta>): Promise<void> {
    const change = checkSpecMeta(meta, 'meta');
    // It may have been paused, or held back by its limit.
    const values = [
      this.id,
      change.priority,
      change.weight,
      change.paused,
      change.continuous,
      change.nextContinuous !== undefined,
      change.nextContinuous?.toISOString(),
      change.intervalMs,
      change.maxRunning,
      change.maxAttemptsReturned,
      change.maxRetries,
      change.minMemoryGb,
    ];
    const rows = await runAndWake(this.bucket, this.namespace.id, [changeWorkSpec, values]);
    if (rows.length === 0) throw new GoneError();
    this.bucket.candidates.forget(this.namespace.id);
  }

  async addWorkUnit(
    name: WorkUnitName,
    data: Input,
    meta?: Partial<WorkUnitMeta>,
    options?: TransactionOptions,
  ): Promise<PostgresWorkUnit<Data>> {
    return this.#adding(() => this.#addOne(name, data, meta, options), typeof name === 'string' ? name : undefined);
  }

  async #addOne(
    name: WorkUnitName,
    data: Input,
    meta: Partial<WorkUnitMeta> | undefined,
    options: TransactionOptions | undefined,
  ): Promise<PostgresWorkUnit<Data>> {
    checkOptions(options, 'options', ['client']);
    const executor = this.#clientOf(options);
    const fields = { name: 'name', data: 'data', meta: 'meta' };
    const prepared = prepareUnit({ name, data, ...(meta !== undefined && { meta }) }, fields, this.#schema, this.#stamp);
    if (executor === undefined) {
      const key = prepared instanceof Promise ? checkUnitName(name, 'name') : prepared.name;
      return this.#unit(await this.bucket.adds.add(this.id, key, prepared), key);
    }
    // Without waiting where there is nothing to wait for: what the caller sends next on this client must come after it.
    const unit = prepared instanceof Promise ? await prepared : prepared;
    const batch = new UnitBatch();
    batch.add(unit);
    const idOf = await addBatchForIds(this.bucket, this.id, batch, { on: executor });
    return this.#unit(idOf(unit.name), unit.name);
  }

  async addWorkUnits(
    units: readonly NewWorkUnit<Input>[] | AsyncIterable<NewWorkUnit<Input>> | Iterable<NewWorkUnit<Input>>,
    options?: AddStreamOptions,
  ): Promise<number> {
    if (Array.isArray(units)) return this.#adding(() => this.#addAll(units, options));
    if (!isIterable(units)) throw new InvalidArgumentError('units', `must be an array or an iterable, not ${kindOf(units)}`);
    return this.#adding(() => this.#addStream(units, options));
  }

  async workUnit(name: WorkUnitName): Promise<PostgresWorkUnit<Data>> {
    const key = checkUnitName(name, 'name');
    const [row] = await this.bucket.run(findUnit, [this.id, key]);
    if (row === undefined) throw new GoneError();
    if (row.id === null) throw new NoSuchWorkUnitError(Buffer.from(key).toString('utf8'));
    return this.#unitOf(row);
  }

  async workUnits(query?: WorkUnitQuery): Promise<PostgresWorkUnit<Data>[]> {
    const rows = await listUnits(this.bucket, this.id, checkUnitQuery(query, 'query'));
    if (rows.length === 0) await this.#read();
    return rows.map((row) => this.#unitOf(row));
  }

  async readWorkUnits<Part extends WorkUnitPart = never>(query?: WorkUnitQuery, parts?: readonly Part[]): Promise<WorkUnitPage<Data, Part>> {
    const page = await readUnits(this, checkUnitQuery(query, 'query'), checkUnitParts(parts, 'parts'));
    if (page.units.length === 0) await this.#read();
    return page as unknown as WorkUnitPage<Data, Part>;
  }

  async countWorkUnitStatus(): Promise<Partial<Record<WorkUnitStatus, number>>> {
    const [row] = await this.bucket.look(countUnits, [this.id, this.id + 1, this.bucket.backend.now()]);
    if (row === undefined) throw new GoneError();
    return Object.fromEntries(nonZeroCounts(row));
  }

  async summarize(): Promise<Summary> {
    const counts = Object.entries(await this.countWorkUnitStatus()) as [WorkUnitStatus, number][];
    return counts.map(([status, count]) => ({
      namespace: this.namespace.name,
      workSpec: this.name,
      status,
      count,
    }));
  }

  async setWorkUnitPriorities(query: WorkUnitQuery, priority: number): Promise<void> {
    const to = checkPriority(priority);
    await this.#change(checkUnitQuery(query, 'query'), to, null);
  }

  async adjustWorkUnitPriorities(query: WorkUnitQuery, by: number): Promise<void> {
    const change = checkPriority(by);
    await this.#change(checkUnitQuery(query, 'query'), null, change);
  }

  async deleteWorkUnits(query?: WorkUnitQuery): Promise<number> {
    let deleted = 0;
    const checked = checkUnitQuery(query, 'query');
    await this.#inBatches(checked, async (ids) => {
      // Those that were pending may have kept others of a limited spec waiting.
      const values = [ids, checked.statuses ?? null, this.bucket.backend.now()];
      const [row] = await runAndWake(this.bucket, this.namespace.id, [deleteUnits, values]);
      deleted += Number(row?.deleted);
    });
    return deleted;
  }

  /** Inside of what stands around operations, if anything does. */
  #adding<T>(add: () => Promise<T>, workUnit?: string): Promise<T> {
    const around = this.bucket.backend.telemetry?.around;
    if (around === undefined) return add();
    const operation = { kind: 'add', namespace: this.namespace.name, workSpec: this.name } as const;
    return around(workUnit === undefined ? operation : { ...operation, workUnit }, add);
  }

  get #stamp(): Telemetry['stamp'] {
    return this.bucket.backend.telemetry?.stamp;
  }

  async #addAll(units: readonly unknown[], options: TransactionOptions | undefined): Promise<number> {
    checkOptions(options, 'options', ['client']);
    const executor = this.#clientOf(options);
    const batch = new UnitBatch();
    // By index: the holes of a sparse array are visited, too.
    for (let index = 0; index < units.length; index++) {
      const prepared = prepareItem(units[index], `units[${index}]`, this.#schema, this.#stamp);
      batch.add(prepared instanceof Promise ? await prepared : prepared);
    }
    if (units.length > 0) return addBatch(this.bucket, this.id, batch, executor);
    await this.#read(executor);
    return 0;
  }

  async #addStream(units: Iterable<unknown> | AsyncIterable<unknown>, options: AddStreamOptions | undefined): Promise<number> {
    const checked = checkOptions(options, 'options', ['client', 'batchSize', 'signal']);
    const executor = this.#clientOf(checked);
    const { signal } = checked;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new InvalidArgumentError('options.signal', `must be an AbortSignal, not ${kindOf(signal)}`);
    }
    if (executor !== undefined) this.#checkUnused(units);
    const count = await addStream(units, {
      prepare: (item, index) => prepareItem(item, `units[${index}]`, this.#schema, this.#stamp),
      write: (batch) => addBatch(this.bucket, this.id, batch, executor),
      ...(signal && { signal }),
      mostInFlight: executor === undefined ? mostInFlight : 1,
      ...(checked.batchSize !== undefined && {
        batchSize: checkInteger(checked.batchSize, 'options.batchSize', { least: 1 }),
      }),
    });
    if (count === 0) await this.#read(executor);
    return count;
  }

  /** A transaction that is run again begins with nothing: it must not be committed without what came from an iterator the first time. */
  #checkUnused(units: Iterable<unknown> | AsyncIterable<unknown>): void {
    const { spentIterators } = this.bucket.backend;
    if (spentIterators.has(units)) {
      const problem = 'must not be an iterator that was used before, as it gives nothing more: make a new one each time the transaction runs';
      throw new InvalidArgumentError('units', problem);
    }
    if ('next' in units) spentIterators.add(units);
  }

  /** What runs statements in the caller's transaction; undefined when there is none. */
  #clientOf(options: TransactionOptions | undefined): Executor | undefined {
    return options?.client === undefined ? undefined : this.bucket.backend.executor(options, 'options');
  }

  async #change(query: UnitQuery, priority: number | null, by: number | null): Promise<void> {
    await this.#inBatches(query, async (ids) => {
      const values = [ids, query.statuses ?? null, priority, by, false, null, this.bucket.backend.now()];
      await this.bucket.run(changeUnits, values).catch((error: unknown) => {
        // 22003: the sum is beyond what a double can hold.
        throw error instanceof Error && sqlState(error.cause) === '22003' ? new BadPriorityError() : error;
      });
    });
  }

  /** Works through the units of a query in order of name, a batch at a time. */
  async #inBatches(query: UnitQuery, work: (ids: Buffer) => Promise<void>): Promise<void> {
    let left = query.limit ?? Number.POSITIVE_INFINITY;
    let previousName = query.previousName;
    for (;;) {
      const limit = Math.min(left, batchSize);
      const page = { ...query, limit, ...(previousName && { previousName }) };
      const rows = await listUnits(this.bucket, this.id, page, { walk: true });
      if (rows.length > 0) await work(int8Array(rows.map((row) => Number(row.id))));
      else if (left === (query.limit ?? Number.POSITIVE_INFINITY)) await this.#read();
      left -= rows.length;
      previousName = bytes(rows.at(-1)?.name);
      if (rows.length < limit || left <= 0) return;
    }
  }

  async #read(on?: Executor): Promise<Row> {
    const [row] = await this.bucket.run(readWorkSpec, [this.id], on);
    if (row === undefined) throw new GoneError();
    return row;
  }

  #unitOf(row: Row): PostgresWorkUnit<Data> {
    return this.#unit(Number(row.id), bytes(row.name));
  }

  /** Without an id: somebody deleted the unit just after it was added. It is gone like any other deleted unit. */
  #unit(id: number | undefined, name: Uint8Array): PostgresWorkUnit<Data> {
    return new PostgresWorkUnit<Data>(this.#plain, id ?? 0, name);
  }

  /** What the spec takes is no part of its units' type. */
  get #plain(): PostgresWorkSpec<Data> {
    return this as unknown as PostgresWorkSpec<Data>;
  }
}
