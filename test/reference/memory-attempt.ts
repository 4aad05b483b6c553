import type { DataDictionary } from '../../src/codec/index.js';
import type { AttemptStatus } from '../../src/core/attempt/attempt-status.js';
import type { Attempt, AttemptState } from '../../src/core/attempt/attempt.js';
import { LostLeaseError } from '../../src/errors/index.js';
import { checkDuration } from '../../src/options/index.js';
import { checkOptionalData, DEFAULT_LIFETIME_MS } from './arguments.js';
import { expireAttempt, failAttempt, finishAttempt, renewAttempt, retryAttempt } from './attempt-actions.js';
import { copyData } from './copy-data.js';
import { expireOverdue } from './expiry.js';
import type { MemoryWorkUnit } from './memory-work-unit.js';
import type { MemoryWorker } from './memory-worker.js';
import { requireAttempt, type AttemptRecord } from './state.js';

export class MemoryAttempt<Data extends DataDictionary = DataDictionary> implements Attempt<Data> {
  readonly number: number;
  readonly status: AttemptStatus;
  readonly data: Data;
  readonly startTime: Date;
  readonly endTime: Date | null;
  readonly expirationTime: Date;

  constructor(
    readonly workUnit: MemoryWorkUnit<Data>,
    readonly worker: MemoryWorker,
    readonly record: AttemptRecord,
  ) {
    this.number = record.number;
    const { status, startTime, endTime, expirationTime } = structuredClone({
      status: record.status,
      startTime: record.startTime,
      endTime: record.endTime,
      expirationTime: record.expirationTime,
    });
    this.status = status;
    this.data = copyData(record.data) as Data;
    this.startTime = startTime;
    this.endTime = endTime;
    this.expirationTime = expirationTime;
  }

  async read(): Promise<AttemptState<Data>> {
    requireAttempt(this.record);
    expireOverdue(this.record.unit.spec.namespace);
    const { status, data, startTime, endTime, expirationTime } = this.record;
    return { ...structuredClone({ status, startTime, endTime, expirationTime }), data: copyData(data) as Data };
  }

  async renew(lifetimeMs = DEFAULT_LIFETIME_MS, data?: DataDictionary): Promise<void> {
    checkDuration(lifetimeMs, 'lifetimeMs');
    checkOptionalData(data);
    renewAttempt(this.record, lifetimeMs, data);
  }

  async expire(data?: DataDictionary): Promise<void> {
    checkOptionalData(data);
    expireAttempt(this.record, data);
  }

  async finish(data?: DataDictionary): Promise<void> {
    checkOptionalData(data);
    finishAttempt(this.record, data);
  }

  async fail(data?: DataDictionary): Promise<void> {
    checkOptionalData(data);
    failAttempt(this.record, data);
  }

  async retry(data?: DataDictionary, delayMs = 0): Promise<void> {
    checkOptionalData(data);
    checkDuration(delayMs, 'delayMs');
    retryAttempt(this.record, data, delayMs);
  }

  /** Like a report: one that is overdue, but not yet found to be, still holds. */
  async requireHeld(): Promise<void> {
    requireAttempt(this.record);
    const { status, unit } = this.record;
    if (status !== 'pending' || unit.active !== this.record) throw new LostLeaseError();
  }
}
