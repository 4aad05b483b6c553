import type { DataDictionary } from '../../src/codec/index.js';
import type { Explanation } from '../../src/core/work-unit/explanation.js';
import type { WorkUnit, WorkUnitMeta } from '../../src/core/work-unit/work-unit.js';
import type { WorkUnitStatus } from '../../src/core/work-unit/work-unit-status.js';
import { checkedPriority, checkedUnitMeta, checkReason } from './arguments.js';
import { failAttempt } from './attempt-actions.js';
import { copyData } from './copy-data.js';
import { expireOverdue } from './expiry.js';
import { explainUnit } from './explain.js';
import { MemoryAttempt } from './memory-attempt.js';
import type { MemoryWorkSpec } from './memory-work-spec.js';
import { MemoryWorker } from './memory-worker.js';
import { requireUnit, unitStatus, type AttemptRecord, type UnitRecord } from './state.js';

export class MemoryWorkUnit<Data extends DataDictionary = DataDictionary> implements WorkUnit<Data> {
  readonly name: string;

  constructor(
    readonly workSpec: MemoryWorkSpec<Data>,
    readonly record: UnitRecord,
  ) {
    this.name = Buffer.from(record.key).toString();
  }

  get key(): Uint8Array {
    return Uint8Array.from(this.record.key);
  }

  async data(): Promise<Data> {
    const { active, data } = this.looked();
    return copyData(active?.data ?? data) as Data;
  }

  async ownData(): Promise<Data> {
    return copyData(this.looked().data) as Data;
  }

  async status(): Promise<WorkUnitStatus> {
    return unitStatus(this.looked(), this.record.spec.namespace.store.clock.now());
  }

  async meta(): Promise<WorkUnitMeta> {
    const { priority, notBefore } = this.looked();
    return structuredClone({ priority, notBefore });
  }

  async setMeta(meta: Partial<WorkUnitMeta>): Promise<void> {
    const { priority, notBefore } = checkedUnitMeta(meta);
    const unit = this.looked();
    unit.priority = priority;
    unit.notBefore = notBefore;
  }

  async priority(): Promise<number> {
    return this.looked().priority;
  }

  async setPriority(priority: number): Promise<void> {
    checkedPriority(priority);
    this.looked().priority = priority;
  }

  async activeAttempt(): Promise<MemoryAttempt<Data> | null> {
    const { active } = this.looked();
    return active === null ? null : this.attempt(active);
  }

  async clearActiveAttempt(): Promise<void> {
    this.looked().active = null;
  }

  async cancel(reason = ''): Promise<boolean> {
    checkReason(reason);
    const { active } = this.looked();
    if (active?.status !== 'pending') return false;
    failAttempt(active, { ...active.data, error: { name: 'CancelledError', code: 'Cancelled', message: reason } });
    return true;
  }

  async attempts(): Promise<MemoryAttempt<Data>[]> {
    return this.looked().attempts.map((attempt) => this.attempt(attempt));
  }

  async numAttempts(): Promise<number> {
    return this.looked().attempts.length;
  }

  async explain(): Promise<Explanation> {
    return explainUnit(this.looked());
  }

  /** The unit, still there and with nothing overdue in its namespace. */
  private looked(): UnitRecord {
    requireUnit(this.record);
    expireOverdue(this.record.spec.namespace);
    return this.record;
  }

  private attempt(attempt: AttemptRecord): MemoryAttempt<Data> {
    return new MemoryAttempt(this, new MemoryWorker(this.workSpec.namespace, attempt.worker), attempt);
  }
}
