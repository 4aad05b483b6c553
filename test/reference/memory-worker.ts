import type { DataDictionary } from '../../src/codec/index.js';
import type { AttemptRequest } from '../../src/core/worker/attempt-request.js';
import type { AttemptListOptions, Worker, WorkerState, WorkerUpdate } from '../../src/core/worker/worker.js';
import type { WorkUnit } from '../../src/core/work-unit/work-unit.js';
import { InvalidArgumentError, WrongBackendError } from '../../src/errors/index.js';
import { checkDate, checkDuration, checkInteger, checkList, checkOptions } from '../../src/options/index.js';
import { checkData, checkedRequest, checkLimit, checkObject, DEFAULT_LIFETIME_MS } from './arguments.js';
import { startAttempt } from './attempt-actions.js';
import { claim } from './claim.js';
import { copyData } from './copy-data.js';
import { expireOverdue } from './expiry.js';
import { MemoryAttempt } from './memory-attempt.js';
import type { MemoryNamespace } from './memory-namespace.js';
import { MemoryWorkSpec } from './memory-work-spec.js';
import { MemoryWorkUnit } from './memory-work-unit.js';
import { compareText } from './order.js';
import { attemptsByNumber, requireUnit, requireWorker, type AttemptRecord, type NamespaceRecord, type WorkerRecord } from './state.js';

export class MemoryWorker implements Worker {
  readonly name: string;

  constructor(
    readonly namespace: MemoryNamespace,
    readonly record: WorkerRecord,
  ) {
    this.name = record.name;
  }

  async read(): Promise<WorkerState> {
    requireWorker(this.record);
    const { parent, active, mode, data, expiration, lastUpdate } = this.record;
    const own = structuredClone({ active, mode, expiration, lastUpdate });
    return { ...own, parent: parent?.name ?? null, data: data === null ? null : copyData(data) };
  }

  async update(update: WorkerUpdate): Promise<void> {
    const { data, now, expiration, mode = '' } = checkOptions(update, 'update', ['data', 'now', 'expiration', 'mode']);
    if (data !== null) checkData(data);
    if (now !== undefined) checkDate(now, 'now');
    if (expiration !== undefined) checkDate(expiration, 'expiration');
    if (typeof mode !== 'string') throw new InvalidArgumentError('mode', 'must be a string');
    requireWorker(this.record);
    const said = now ?? this.record.namespace.store.clock.now();
    const until = expiration ?? new Date(said.getTime() + DEFAULT_LIFETIME_MS);
    const times = structuredClone({ lastUpdate: said, expiration: until });
    Object.assign(this.record, { active: true, mode, data: data === null ? null : copyData(data), ...times });
  }

  async deactivate(): Promise<void> {
    requireWorker(this.record);
    this.record.active = false;
  }

  async setParent(parent: Worker | null): Promise<void> {
    const record = parent === null ? null : this.ownRecord(parent, MemoryWorker, 'parent', (worker) => worker.namespace);
    requireWorker(this.record);
    if (record !== null) requireWorker(record);
    this.record.parent = record;
  }

  async children(): Promise<MemoryWorker[]> {
    requireWorker(this.record);
    return this.childRecords()
      .sort((a, b) => compareText(a.name, b.name))
      .map((child) => new MemoryWorker(this.namespace, child));
  }

  async requestAttempts<Data extends DataDictionary = DataDictionary>(given?: AttemptRequest<Data>): Promise<MemoryAttempt<Data>[]> {
    const request = checkedRequest(given);
    this.look();
    const now = this.record.namespace.store.clock.now();
    for (const runtime of request.runtimes ?? [null]) this.record.runtimesAskedFor.set(runtime, now);
    return claim(this.record, request).map((attempt) => this.attempt(attempt) as MemoryAttempt<Data>);
  }

  async makeAttempt<Data extends DataDictionary>(
    unit: WorkUnit<Data>,
    lifetimeMs = DEFAULT_LIFETIME_MS,
  ): Promise<MemoryAttempt<Data>> {
    const record = this.ownRecord(unit, MemoryWorkUnit, 'unit', ({ spec }) => spec.namespace);
    checkDuration(lifetimeMs, 'lifetimeMs');
    this.look();
    requireUnit(record);
    return this.attempt(startAttempt(this.record, record, lifetimeMs)) as MemoryAttempt<Data>;
  }

  async makeAttempts<Data extends DataDictionary>(units: readonly WorkUnit<Data>[], lifetimeMs = DEFAULT_LIFETIME_MS): Promise<MemoryAttempt<Data>[]> {
    const records = checkList(units, 'units', (unit, field) => this.ownRecord(unit as WorkUnit<Data>, MemoryWorkUnit, field, ({ spec }) => spec.namespace));
    checkDuration(lifetimeMs, 'lifetimeMs');
    this.look();
    records.forEach(requireUnit);
    return records.map((record) => this.attempt(startAttempt(this.record, record, lifetimeMs)) as MemoryAttempt<Data>);
  }

  async activeAttempts(): Promise<MemoryAttempt[]> {
    this.look();
    return this.attempts(({ worker, status }) => worker === this.record && status === 'pending');
  }

  async allAttempts({ after = 0, limit = 1000 }: AttemptListOptions = {}): Promise<MemoryAttempt[]> {
    checkInteger(after, 'after');
    checkLimit(limit);
    this.look();
    return this.attempts(({ worker, number }) => worker === this.record && number > after).slice(0, limit);
  }

  async childAttempts(): Promise<MemoryAttempt[]> {
    this.look();
    const children = new Set(this.childRecords());
    return this.attempts((attempt) => {
      const isActive = attempt.status === 'pending' && attempt.unit.active === attempt;
      return isActive && children.has(attempt.worker);
    });
  }

  /** Raises Gone; afterwards nothing in the namespace is overdue. */
  private look(): void {
    requireWorker(this.record);
    expireOverdue(this.record.namespace);
  }

  private childRecords(): WorkerRecord[] {
    return [...this.record.namespace.workers.values()].filter(({ parent }) => parent === this.record);
  }

  private attempts(isMeant: (attempt: AttemptRecord) => boolean): MemoryAttempt[] {
    return attemptsByNumber(this.record.namespace).filter(isMeant).map((attempt) => this.attempt(attempt));
  }

  private attempt(attempt: AttemptRecord): MemoryAttempt {
    const spec = new MemoryWorkSpec(this.namespace, attempt.unit.spec);
    return new MemoryAttempt(new MemoryWorkUnit(spec, attempt.unit), new MemoryWorker(this.namespace, attempt.worker), attempt);
  }

  /** The record of another object, which must be of the same connection and the same namespace as this worker. */
  private ownRecord<Record>(
    object: unknown,
    type: abstract new (...args: never[]) => { readonly record: Record },
    field: string,
    namespaceOf: (record: Record) => NamespaceRecord,
  ): Record {
    checkObject(object, field);
    if (!(object instanceof type)) throw new WrongBackendError();
    const namespace = namespaceOf(object.record);
    if (namespace.store !== this.record.namespace.store) throw new WrongBackendError();
    if (namespace.name !== this.record.namespace.name) throw new InvalidArgumentError(field, 'must be of the same namespace');
    return object.record;
  }
}
