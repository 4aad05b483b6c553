import { canStartContinuous, chooseWorkSpec } from '../../src/core/scheduler/choose-work-spec.js';
import type { Candidate } from '../../src/core/scheduler/candidate.js';
import type { ScheduleRequest } from '../../src/core/scheduler/choose-work-spec.js';
import { addUnit } from './add-units.js';
import { startAttempt } from './attempt-actions.js';
import { endAttempt } from './expiry.js';
import {
  countUnits,
  specsByName,
  unitsByName,
  unitStatus,
  type AttemptRecord,
  type NamespaceRecord,
  type SpecRecord,
  type UnitRecord,
  type WorkerRecord,
} from './state.js';

/** A request, its arguments checked and its defaults filled in. */
export interface CheckedRequest extends ScheduleRequest {
  readonly numberOfWorkUnits: number;
  readonly lifetimeMs: number;
}

interface SpecCandidate extends Candidate {
  readonly spec: SpecRecord;
}

/**
 * What `requestAttempts` hands out. A spec whose available units turn out to have spent their retries is left for another
 * choice, so that a request comes back empty only when there is nothing to do.
 */
export function claim(worker: WorkerRecord, request: CheckedRequest): AttemptRecord[] {
  const { store } = worker.namespace;
  const now = store.clock.now();
  for (;;) {
    const chosen = chooseWorkSpec(candidatesOf(worker.namespace), request, now, store.random);
    if (chosen === null) return [];
    // The unit made by a continuous spec is new work, however often its name was used before: retries do not bar it.
    if (canStartContinuous(chosen, now)) {
      return [startAttempt(worker, continuousUnit(chosen.spec, now), request.lifetimeMs)];
    }
    const attempts = claimAvailable(worker, chosen.spec, request);
    if (attempts.length > 0) return attempts;
  }
}

/** In order of name, since the scheduler's random choice depends on the order. */
function candidatesOf(namespace: NamespaceRecord): SpecCandidate[] {
  const now = namespace.store.clock.now();
  return specsByName(namespace).map((spec) => ({
    ...spec.meta,
    spec,
    name: spec.name,
    available: countUnits(spec, 'available', now) > 0,
    pending: countUnits(spec, 'pending', now),
  }));
}

/** Batch after batch, until one leaves something to hand out or nothing is available any more. */
function claimAvailable(worker: WorkerRecord, spec: SpecRecord, request: CheckedRequest): AttemptRecord[] {
  const now = spec.namespace.store.clock.now();
  for (;;) {
    const batch = availableUnits(spec, now).slice(0, batchSize(spec, request.numberOfWorkUnits, now));
    const attempts = batch.map((unit) => attemptUnlessSpent(worker, unit, request.lifetimeMs));
    const handedOut = attempts.filter(({ status }) => status === 'pending');
    if (batch.length === 0 || handedOut.length > 0) return handedOut;
  }
}

function batchSize(spec: SpecRecord, asked: number, now: Date): number {
  const { meta } = spec;
  const pending = countUnits(spec, 'pending', now);
  return Math.min(
    asked,
    meta.maxAttemptsReturned > 0 ? meta.maxAttemptsReturned : Number.POSITIVE_INFINITY,
    meta.maxRunning > 0 ? meta.maxRunning - pending : Number.POSITIVE_INFINITY,
  );
}

/** Highest priority first, then by name, bytewise. */
function availableUnits(spec: SpecRecord, now: Date): UnitRecord[] {
  return unitsByName(spec)
    .filter((unit) => unitStatus(unit, now) === 'available')
    .sort((a, b) => b.priority - a.priority);
}

/** A unit that had all its attempts gets one more that fails at once. */
function attemptUnlessSpent(worker: WorkerRecord, unit: UnitRecord, lifetimeMs: number): AttemptRecord {
  const { maxRetries } = unit.spec.meta;
  const spent = maxRetries > 0 && unit.attempts.length >= maxRetries;
  const attempt = startAttempt(worker, unit, lifetimeMs);
  if (spent) {
    attempt.data = { traceback: 'too many retries' };
    endAttempt(attempt, 'failed', attempt.startTime);
  }
  return attempt;
}

/** One unit named by the time, made as any other is; the next one is due an interval later. */
function continuousUnit(spec: SpecRecord, now: Date): UnitRecord {
  spec.meta = { ...spec.meta, nextContinuous: new Date(now.getTime() + spec.meta.intervalMs) };
  const seconds = Math.floor(now.getTime() / 1000);
  const millis = String(now.getTime() - seconds * 1000).padStart(3, '0');
  return addUnit(spec, { key: new TextEncoder().encode(`${seconds}.${millis}`), data: {}, priority: 0, notBefore: null });
}
