import type { DataDictionary } from '../../src/codec/index.js';
import { outputUnits } from '../../src/core/chaining/output-units.js';
import { LostLeaseError, NotPendingError } from '../../src/errors/index.js';
import { addUnit } from './add-units.js';
import { copyData } from './copy-data.js';
import { endAttempt } from './expiry.js';
import { requireAttempt, type AttemptRecord, type UnitRecord, type WorkerRecord } from './state.js';

type Data = DataDictionary | undefined;

/** A new pending attempt, the unit's active one from now on. What was active before stays as it is. */
export function startAttempt(worker: WorkerRecord, unit: UnitRecord, lifetimeMs: number): AttemptRecord {
  const store = worker.namespace.store;
  const now = store.clock.now();
  store.lastAttemptNumber += 1;
  const attempt: AttemptRecord = {
    number: store.lastAttemptNumber,
    unit,
    worker,
    status: 'pending',
    data: copyData(unit.data),
    startTime: now,
    endTime: null,
    expirationTime: later(now, lifetimeMs),
  };
  unit.attempts.push(attempt);
  unit.active = attempt;
  return attempt;
}

export function renewAttempt(attempt: AttemptRecord, lifetimeMs: number, data: Data): void {
  requirePending(attempt);
  replaceData(attempt, data);
  const now = nowOf(attempt);
  if (attempt.unit.active !== attempt) {
    endAttempt(attempt, 'expired', now);
    throw new LostLeaseError();
  }
  attempt.expirationTime = later(now, lifetimeMs);
}

export function expireAttempt(attempt: AttemptRecord, data: Data): void {
  requireAttempt(attempt);
  if (attempt.status === 'expired') return;
  requirePending(attempt);
  replaceData(attempt, data);
  endAttempt(attempt, 'expired', nowOf(attempt));
}

export function finishAttempt(attempt: AttemptRecord, data: Data): void {
  requireAttempt(attempt);
  if (attempt.status !== 'pending' && attempt.status !== 'failed') throw new NotPendingError();
  replaceData(attempt, data);
  endAttempt(attempt, 'finished', nowOf(attempt));
  if (attempt.unit.active === attempt) chainOutput(attempt);
}

/** Finishes attempts that are their units' active ones as one: what their outputs make is made after all of them have ended. */
export function finishTogether(reports: readonly { readonly attempt: AttemptRecord; readonly data: Data }[]): void {
  for (const { attempt, data } of reports) {
    replaceData(attempt, data);
    endAttempt(attempt, 'finished', nowOf(attempt));
  }
  for (const { attempt } of reports) chainOutput(attempt);
}

export function failAttempt(attempt: AttemptRecord, data: Data): void {
  requirePending(attempt);
  replaceData(attempt, data);
  endAttempt(attempt, 'failed', nowOf(attempt));
}

export function retryAttempt(attempt: AttemptRecord, data: Data, delayMs: number): void {
  requirePending(attempt);
  replaceData(attempt, data);
  const now = nowOf(attempt);
  if (attempt.unit.active === attempt) attempt.unit.notBefore = later(now, delayMs);
  endAttempt(attempt, 'retryable', now);
}

/** Makes units of the finished attempt's output in the next work spec, if there is one. */
function chainOutput({ unit, data }: AttemptRecord): void {
  const { namespace, meta } = unit.spec;
  const next = namespace.specs.get(meta.nextWorkSpecName);
  if (next === undefined) return;
  const now = namespace.store.clock.now();
  for (const output of outputUnits(data.output)) {
    const notBefore = output.delayMs > 0 ? later(now, output.delayMs) : null;
    addUnit(next, { key: output.name, data: output.data, priority: output.priority, notBefore });
  }
}

function requirePending(attempt: AttemptRecord): void {
  requireAttempt(attempt);
  if (attempt.status !== 'pending') throw new NotPendingError();
}

function replaceData(attempt: AttemptRecord, data: Data): void {
  if (data !== undefined) attempt.data = copyData(data);
}

function nowOf(attempt: AttemptRecord): Date {
  return attempt.unit.spec.namespace.store.clock.now();
}

function later(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
