import type { DataDictionary } from '../../src/codec/index.js';
import type { AttemptReport, AttemptVerdict, RenewReport } from '../../src/core/attempt/attempt-report.js';
import type { Coordinate } from '../../src/core/coordinate.js';
import type { Namespace, WorkerListOptions } from '../../src/core/namespace/namespace.js';
import { schemaOf, type SchemaOptions } from '../../src/core/schema/schema-options.js';
import type { SchemaInput, SchemaOutput, StandardSchema } from '../../src/core/schema/standard-schema.js';
import type { OldestWaiting } from '../../src/core/summary/oldest-waiting.js';
import type { Summary } from '../../src/core/summary/summary.js';
import { metaFromData, workSpecName } from '../../src/core/work-spec/meta-from-data.js';
import type { WorkSpecData } from '../../src/core/work-spec/work-spec.js';
import { CoordinateError, InvalidArgumentError, NoSuchWorkSpecError, WrongBackendError } from '../../src/errors/index.js';
import { checkDuration, checkName } from '../../src/options/index.js';
import { checkData, checkLimit, checkReports, DEFAULT_LIFETIME_MS } from './arguments.js';
import { failAttempt, finishAttempt, finishTogether, renewAttempt } from './attempt-actions.js';
import { copyData } from './copy-data.js';
import { MemoryAttempt } from './memory-attempt.js';
import { MemoryWorkSpec } from './memory-work-spec.js';
import { MemoryWorker } from './memory-worker.js';
import { expireOverdue } from './expiry.js';
import { oldestWaiting } from './oldest-waiting.js';
import { compareText } from './order.js';
import { requireAttempt, requireNamespace, requireOpen, specsByName, type AttemptRecord, type NamespaceRecord, type WorkerRecord } from './state.js';
import { summarizeNamespace } from './summarize.js';

type Report = (attempt: AttemptRecord, data: DataDictionary | undefined) => void;

export class MemoryNamespace implements Namespace {
  readonly name: string;

  constructor(
    readonly coordinate: Coordinate,
    readonly record: NamespaceRecord,
  ) {
    this.name = record.name;
  }

  setWorkSpec<Schema extends StandardSchema<DataDictionary>>(
    data: DataDictionary,
    options: SchemaOptions<Schema>,
  ): Promise<MemoryWorkSpec<SchemaOutput<Schema>, SchemaInput<Schema>>>;
  setWorkSpec<Data extends DataDictionary = DataDictionary>(data: DataDictionary): Promise<MemoryWorkSpec<Data>>;
  async setWorkSpec(data: DataDictionary, options?: SchemaOptions): Promise<MemoryWorkSpec> {
    schemaOf(options);
    checkData(data);
    const name = checkName(workSpecName(data), 'data.name');
    requireNamespace(this.record);
    const existing = this.record.specs.get(name);
    if (existing === undefined) {
      const copy = copyData(data) as WorkSpecData;
      this.record.specs.set(name, { namespace: this.record, name, data: copy, meta: metaFromData(data), units: new Map() });
    } else {
      await new MemoryWorkSpec(this, existing).setData(data);
    }
    return options === undefined ? this.workSpec(name) : this.workSpec(name, options);
  }

  workSpec<Schema extends StandardSchema<DataDictionary>>(
    name: string,
    options: SchemaOptions<Schema>,
  ): Promise<MemoryWorkSpec<SchemaOutput<Schema>, SchemaInput<Schema>>>;
  workSpec<Data extends DataDictionary = DataDictionary>(name: string): Promise<MemoryWorkSpec<Data>>;
  async workSpec(name: string, options?: SchemaOptions): Promise<MemoryWorkSpec> {
    const schema = schemaOf(options);
    checkName(name, 'name');
    requireNamespace(this.record);
    const spec = this.record.specs.get(name);
    if (spec === undefined) throw new NoSuchWorkSpecError(name);
    return new MemoryWorkSpec(this, spec, schema);
  }

  async destroyWorkSpec(name: string): Promise<void> {
    checkName(name, 'name');
    requireNamespace(this.record);
    if (!this.record.specs.delete(name)) throw new NoSuchWorkSpecError(name);
  }

  async workSpecNames(): Promise<string[]> {
    requireNamespace(this.record);
    return specsByName(this.record).map(({ name }) => name);
  }

  async worker(name: string): Promise<MemoryWorker> {
    checkName(name, 'name');
    requireNamespace(this.record);
    const worker = this.record.workers.get(name) ?? newWorker(this.record, name);
    this.record.workers.set(name, worker);
    return new MemoryWorker(this, worker);
  }

  async workers({ start = '', limit = 1000, activeOnly = false }: WorkerListOptions = {}): Promise<MemoryWorker[]> {
    checkName(start, 'start');
    checkLimit(limit);
    requireNamespace(this.record);
    return [...this.record.workers.values()]
      .filter(({ name, active }) => compareText(name, start) >= 0 && (active || !activeOnly))
      .sort((a, b) => compareText(a.name, b.name))
      .slice(0, limit)
      .map((worker) => new MemoryWorker(this, worker));
  }

  async finishAll(reports: readonly AttemptReport[]): Promise<AttemptVerdict[]> {
    const checked = this.checkReports(reports);
    // Those that are pending and active end together; the others follow one by one, and so does a second report on the same attempt.
    const together = checked.filter(
      ({ record }, index) =>
        record.status === 'pending' && record.unit.active === record && !isGone(record) &&
        checked.findIndex((first) => first.record === record) === index,
    );
    finishTogether(together.map(({ record, data }) => ({ attempt: record, data })));
    return checked.map((report) => {
      const { attempt, record, data } = report;
      return { attempt, error: together.includes(report) ? null : verdict(() => finishAttempt(record, data)) };
    });
  }

  async failAll(reports: readonly AttemptReport[]): Promise<AttemptVerdict[]> {
    return this.reportAll(reports, failAttempt);
  }

  async renewAll(reports: readonly RenewReport[], lifetimeMs = DEFAULT_LIFETIME_MS): Promise<AttemptVerdict[]> {
    checkDuration(lifetimeMs, 'lifetimeMs');
    return this.reportAll(reports, (attempt, data) => renewAttempt(attempt, lifetimeMs, data));
  }

  async summarize(): Promise<Summary> {
    requireNamespace(this.record);
    return summarizeNamespace(this.record);
  }

  async oldestWaiting(): Promise<OldestWaiting[]> {
    requireNamespace(this.record);
    expireOverdue(this.record);
    return oldestWaiting(this.record);
  }

  async destroy(): Promise<void> {
    const { store, name } = this.record;
    requireOpen(store);
    // An object of a namespace that is gone must not destroy the one that has its name now.
    if (store.namespaces.get(name) === this.record) store.namespaces.delete(name);
  }

  /** One after another, in the order given, each as if it were alone; what is wrong with one does not touch the others. */
  private reportAll(reports: readonly AttemptReport[], report: Report): AttemptVerdict[] {
    return this.checkReports(reports).map(({ attempt, record, data }) => ({ attempt, error: verdict(() => report(record, data)) }));
  }

  private checkReports(reports: readonly AttemptReport[]) {
    checkReports(reports);
    const checked = reports.map(({ attempt, data }) => ({ attempt, record: this.ownAttempt(attempt), data }));
    requireNamespace(this.record);
    return checked;
  }

  private ownAttempt(attempt: AttemptReport['attempt']): AttemptRecord {
    if (!(attempt instanceof MemoryAttempt)) throw new WrongBackendError();
    const { namespace } = attempt.record.unit.spec;
    if (namespace.store !== this.record.store) throw new WrongBackendError();
    if (namespace.name !== this.name) throw new InvalidArgumentError('attempt', 'must be of this namespace');
    return attempt.record;
  }
}

function isGone(attempt: AttemptRecord): boolean {
  return verdict(() => requireAttempt(attempt)) !== null;
}

function verdict(report: () => void): CoordinateError | null {
  try {
    report();
    return null;
  } catch (error) {
    if (error instanceof CoordinateError) return error;
    throw error;
  }
}

function newWorker(namespace: NamespaceRecord, name: string): WorkerRecord {
  const now = namespace.store.clock.now();
  const expiration = new Date(now.getTime() + DEFAULT_LIFETIME_MS);
  return { namespace, name, parent: null, active: true, mode: '', data: null, expiration, lastUpdate: now, runtimesAskedFor: new Map() };
}
