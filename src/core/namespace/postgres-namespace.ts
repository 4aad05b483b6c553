import { encodeData, type DataDictionary } from '../../codec/index.js';
import type { Executor } from '../../database/index.js';
import { GoneError, NoSuchWorkSpecError } from '../../errors/index.js';
import { checkBoolean, checkDuration, checkInteger, checkName, checkOptions } from '../../options/index.js';
import { endAll, renewAll } from '../attempt/batch-reports.js';
import type { AttemptReport, AttemptVerdict, EndAllOptions, RenewReport } from '../attempt/attempt-report.js';
import { defaultLifetimeMs } from '../attempt/lifetime.js';
import type { Bucket } from '../backend.js';
import type { Coordinate, TransactionOptions } from '../coordinate.js';
import { nameFromBytes } from '../instant.js';
import type { EventsOptions } from '../notify/event-stream.js';
import { NamespaceEvents } from '../notify/namespace-events.js';
import { countAllUnits } from '../summary/count-all-units.js';
import { oldestWaiting, type OldestWaiting } from '../summary/oldest-waiting.js';
import { schemaOf, type SchemaOptions } from '../schema/schema-options.js';
import type { SchemaInput, SchemaOutput, StandardSchema } from '../schema/standard-schema.js';
import type { Summary } from '../summary/summary.js';
import { metaFromData, workSpecName } from '../work-spec/meta-from-data.js';
import { PostgresWorkSpec } from '../work-spec/postgres-work-spec.js';
import { defineWorkSpec } from '../work-spec/define-work-spec.js';
import { destroySpecs } from '../work-spec/destroy-work-specs.js';
import { specIdRange } from '../work-spec/spec-ids.js';
import { findWorkSpec, listWorkSpecs } from '../work-spec/work-spec-statements.js';
import { PostgresWorker } from '../worker/postgres-worker.js';
import { createWorker, findWorker, listActiveWorkers, listWorkers } from '../worker/worker-statements.js';
import { namespaceExists } from './namespace-statements.js';
import type { Namespace, WorkerListOptions } from './namespace.js';

/** A namespace in one bucket of one database. */
export class PostgresNamespace implements Namespace {
  readonly coordinate: Coordinate;
  readonly bucket: Bucket;
  readonly id: number;
  readonly name: string;

  constructor(of: { coordinate: Coordinate; bucket: Bucket; id: number; name: string }) {
    this.coordinate = of.coordinate;
    this.bucket = of.bucket;
    this.id = of.id;
    this.name = of.name;
  }

  setWorkSpec<Schema extends StandardSchema<DataDictionary>>(
    data: DataDictionary,
    options: SchemaOptions<Schema>,
  ): Promise<PostgresWorkSpec<SchemaOutput<Schema>, SchemaInput<Schema>>>;
  setWorkSpec<Data extends DataDictionary = DataDictionary>(data: DataDictionary): Promise<PostgresWorkSpec<Data>>;
  async setWorkSpec(data: DataDictionary, options?: SchemaOptions): Promise<PostgresWorkSpec> {
    const schema = schemaOf(options);
    const encoded = encodeData(data, 'data');
    const name = checkName(workSpecName(data), 'data.name', { mayBeEmpty: false });
    const id = await defineWorkSpec(this.bucket, this.id, name, encoded, metaFromData(data));
    this.bucket.candidates.forget(this.id);
    return new PostgresWorkSpec(this, id, name, schema);
  }

  workSpec<Schema extends StandardSchema<DataDictionary>>(
    name: string,
    options: SchemaOptions<Schema>,
  ): Promise<PostgresWorkSpec<SchemaOutput<Schema>, SchemaInput<Schema>>>;
  workSpec<Data extends DataDictionary = DataDictionary>(name: string): Promise<PostgresWorkSpec<Data>>;
  async workSpec(name: string, options?: SchemaOptions): Promise<PostgresWorkSpec> {
    const schema = schemaOf(options);
    const [row] = await this.bucket.run(findWorkSpec, [this.id, Buffer.from(checkName(name, 'name'))]);
    if (row === undefined) {
      await this.checkExists();
      throw new NoSuchWorkSpecError(name);
    }
    return new PostgresWorkSpec(this, Number(row.id), name, schema);
  }

  async destroyWorkSpec(name: string): Promise<void> {
    const destroyed = await destroySpecs(this.bucket, this.id, checkName(name, 'name'));
    this.bucket.candidates.forget(this.id);
    if (destroyed > 0) return;
    await this.checkExists();
    throw new NoSuchWorkSpecError(name);
  }

  async workSpecNames(): Promise<string[]> {
    const rows = await this.bucket.run(listWorkSpecs, [this.id]);
    if (rows.length === 0) throw new GoneError();
    return rows.filter((row) => row.name !== null).map((row) => nameFromBytes(row.name));
  }

  async worker(name: string): Promise<PostgresWorker> {
    const key = Buffer.from(checkName(name, 'name'));
    const [found] = await this.bucket.run(findWorker, [this.id, key]);
    const row = found ?? (await this.bucket.run(createWorker, [this.id, key, this.bucket.backend.now()]))[0];
    if (row === undefined) throw new GoneError();
    return new PostgresWorker(this, Number(row.id), name);
  }

  async workers(options?: WorkerListOptions): Promise<PostgresWorker[]> {
    const { start = '', limit = 1_000, activeOnly = false } = checkOptions(options, 'options', [
      'start',
      'limit',
      'activeOnly',
    ]);
    const list = checkBoolean(activeOnly, 'options.activeOnly') ? listActiveWorkers : listWorkers;
    const from = Buffer.from(checkName(start, 'options.start'));
    const rows = await this.bucket.run(list, [this.id, from, checkInteger(limit, 'options.limit', { least: 0 })]);
    if (rows.length === 0) await this.checkExists();
    return rows.map((row) => new PostgresWorker(this, Number(row.id), nameFromBytes(row.name)));
  }

  finishAll(reports: readonly AttemptReport[], options?: EndAllOptions): Promise<AttemptVerdict[]> {
    return this.#verdicts(endAll(this, 'finished', reports, options), options);
  }

  failAll(reports: readonly AttemptReport[], options?: EndAllOptions): Promise<AttemptVerdict[]> {
    return this.#verdicts(endAll(this, 'failed', reports, options), options);
  }

  async renewAll(reports: readonly RenewReport[], lifetimeMs = defaultLifetimeMs): Promise<AttemptVerdict[]> {
    return this.#verdicts(renewAll(this, reports, checkDuration(lifetimeMs, 'lifetimeMs')));
  }

  /**
   * What happens in the namespace from now on, as long as somebody listens: `for await (const event of namespace.events())`. It is live from
   * the moment the first `next()` resolves its start, or `await events.ready`. Not durable: `missed` says that something may not have been
   * told. Aborting the signal ends the iteration, as breaking out of the loop does. Raises InvalidArgument; iterating
   * raises Gone, and Closed.
   *
   * While anybody listens, each change of attempts costs the one who makes it a statement more.
   */
  events(options?: EventsOptions): NamespaceEvents {
    return new NamespaceEvents(this, options);
  }

  async summarize(): Promise<Summary> {
    const rows = await countAllUnits(this.bucket, specIdRange(this.id), () => this.name);
    if (rows.length === 0) await this.checkExists();
    return rows;
  }

  async oldestWaiting(): Promise<OldestWaiting[]> {
    const oldest = await oldestWaiting(this.bucket, specIdRange(this.id), () => this.name);
    if (oldest.length === 0) await this.checkExists();
    return oldest;
  }

  async destroy(): Promise<void> {
    await destroySpecs(this.bucket, this.id, null);
    this.bucket.candidates.forget(this.id);
  }

  /** Attempts are gone one by one, or with the namespace: that is no verdict on an attempt. */
  async #verdicts(of: Promise<AttemptVerdict[]>, options?: TransactionOptions): Promise<AttemptVerdict[]> {
    const verdicts = await of;
    if (verdicts.some(({ error }) => error instanceof GoneError)) {
      await this.checkExists(this.bucket.backend.executor(options, 'options'));
    }
    return verdicts;
  }

  /** Raises Gone if the namespace was destroyed. */
  async checkExists(on?: Executor): Promise<void> {
    const rows = await this.bucket.backend.run(namespaceExists, [this.id], on);
    if (rows.length === 0) throw new GoneError();
  }
}
