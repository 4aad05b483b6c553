import type { Explanation, Reason } from '../../src/core/work-unit/explanation.js';
import { countUnits, specsByName, unitsByName, unitStatus, type AttemptRecord, type SpecRecord, type UnitRecord } from './state.js';

/** A runtime that no active worker has asked for in so long is one that nobody offers. */
const LATELY_MS = 15 * 60 * 1000;

/** Why a unit is, or is not, running. The text says it all, but in no words that are meant to be read. */
export function explainUnit(unit: UnitRecord): Explanation {
  const now = unit.spec.namespace.store.clock.now();
  const reasons = unit.active === null ? reasonsToWait(unit, now) : [reasonOfAttempt(unit.active)];
  return { status: unitStatus(unit, now), reasons, text: `${unitStatus(unit, now)} ${JSON.stringify(reasons)}` };
}

function reasonOfAttempt({ number, status, worker, endTime, expirationTime }: AttemptRecord): Reason {
  if (status === 'pending') return { kind: 'held', attempt: number, worker: worker.name, until: new Date(expirationTime) };
  const kind = status === 'finished' ? 'finished' : 'failed';
  return { kind, attempt: number, endTime: new Date(endTime ?? expirationTime) };
}

function reasonsToWait(unit: UnitRecord, now: Date): Reason[] {
  const { meta } = unit.spec;
  const pending = countUnits(unit.spec, 'pending', now);
  const attempts = unit.attempts.length;
  const isDelayed = unit.notBefore !== null && now < unit.notBefore;
  const reasons: (Reason | false)[] = [
    isDelayed && { kind: 'delayed', until: new Date(unit.notBefore ?? now) },
    meta.paused && { kind: 'paused' },
    meta.weight <= 0 && { kind: 'weightless', weight: meta.weight },
    meta.maxRunning > 0 && pending >= meta.maxRunning && { kind: 'limit-reached', maxRunning: meta.maxRunning, pending },
    outrankedBySpec(unit.spec, now),
    outrankedByUnits(unit, now),
    !isAskedFor(unit.spec, now) && { kind: 'no-worker', runtime: meta.runtime },
    meta.maxRetries > 0 && attempts >= meta.maxRetries && { kind: 'retries-spent', attempts, maxRetries: meta.maxRetries },
  ];
  return reasons.filter((reason) => reason !== false);
}

/** By the first of those of the highest priority that have units to hand out. */
function outrankedBySpec(spec: SpecRecord, now: Date): Reason | false {
  const [first] = specsByName(spec.namespace)
    .filter((other) => other.meta.priority > spec.meta.priority && canHandOut(other, now))
    .sort((a, b) => b.meta.priority - a.meta.priority);
  return first !== undefined && { kind: 'outranked-by-spec', workSpec: first.name, priority: first.meta.priority };
}

function canHandOut(spec: SpecRecord, now: Date): boolean {
  const { paused, weight, maxRunning } = spec.meta;
  const hasRoom = maxRunning <= 0 || countUnits(spec, 'pending', now) < maxRunning;
  return !paused && weight > 0 && hasRoom && countUnits(spec, 'available', now) > 0;
}

function isAskedFor({ namespace, meta }: SpecRecord, now: Date): boolean {
  const lately = new Date(now.getTime() - LATELY_MS);
  const times = [...namespace.workers.values()]
    .filter(({ active }) => active)
    .flatMap(({ runtimesAskedFor }) => [runtimesAskedFor.get(null), runtimesAskedFor.get(meta.runtime)]);
  return times.some((time) => time !== undefined && time > lately);
}

function outrankedByUnits(unit: UnitRecord, now: Date): Reason | false {
  const ahead = unitsByName(unit.spec).filter((other) => {
    const isFirst = other.priority > unit.priority || (other.priority === unit.priority && other.id < unit.id);
    return isFirst && unitStatus(other, now) === 'available';
  }).length;
  return unitStatus(unit, now) === 'available' && ahead > 0 && { kind: 'outranked-by-units', ahead, atLeast: false };
}
