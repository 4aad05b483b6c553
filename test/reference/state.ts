import type { DataDictionary } from '../../src/codec/index.js';
import type { ManualClock } from '../../src/clock/index.js';
import type { AttemptStatus } from '../../src/core/attempt/attempt-status.js';
import type { WorkSpecData } from '../../src/core/work-spec/work-spec.js';
import type { WorkSpecMeta } from '../../src/core/work-spec/work-spec-meta.js';
import type { WorkUnitStatus } from '../../src/core/work-unit/work-unit-status.js';
import { ClosedError, GoneError } from '../../src/errors/index.js';
import { compareText } from './order.js';

/** Everything one coordinate holds. */
export interface Store {
  readonly clock: ManualClock;
  readonly random: () => number;
  readonly namespaces: Map<string, NamespaceRecord>;
  lastAttemptNumber: number;
  closed: boolean;
}

export interface NamespaceRecord {
  readonly store: Store;
  readonly name: string;
  readonly specs: Map<string, SpecRecord>;
  readonly workers: Map<string, WorkerRecord>;
}

export interface SpecRecord {
  readonly namespace: NamespaceRecord;
  readonly name: string;
  data: WorkSpecData;
  /** Its counts are always 0. */
  meta: WorkSpecMeta;
  /** By the name's bytes in hexadecimal, which sorts as the bytes do. */
  readonly units: Map<string, UnitRecord>;
}

export interface UnitRecord {
  readonly spec: SpecRecord;
  readonly id: string;
  readonly key: Uint8Array;
  readonly addedAt: Date;
  data: DataDictionary;
  priority: number;
  notBefore: Date | null;
  active: AttemptRecord | null;
  /** Oldest first. */
  readonly attempts: AttemptRecord[];
}

export interface WorkerRecord {
  readonly namespace: NamespaceRecord;
  readonly name: string;
  parent: WorkerRecord | null;
  active: boolean;
  mode: string;
  data: DataDictionary | null;
  expiration: Date;
  lastUpdate: Date;
  /** When it last asked for work of each runtime; null: of any. */
  readonly runtimesAskedFor: Map<string | null, Date>;
}

export interface AttemptRecord {
  readonly number: number;
  readonly unit: UnitRecord;
  readonly worker: WorkerRecord;
  status: AttemptStatus;
  data: DataDictionary;
  readonly startTime: Date;
  endTime: Date | null;
  expirationTime: Date;
}

/** Each `require…` raises Gone unless the record is still what its store holds, itself and all it belongs to. */
export function requireOpen(store: Store): void {
  if (store.closed) throw new ClosedError();
}

export function requireNamespace(namespace: NamespaceRecord): void {
  requireOpen(namespace.store);
  if (namespace.store.namespaces.get(namespace.name) !== namespace) throw new GoneError();
}

export function requireSpec(spec: SpecRecord): void {
  requireNamespace(spec.namespace);
  if (spec.namespace.specs.get(spec.name) !== spec) throw new GoneError();
}

export function requireUnit(unit: UnitRecord): void {
  requireSpec(unit.spec);
  if (unit.spec.units.get(unit.id) !== unit) throw new GoneError();
}

/** Workers are deleted only with their namespace. */
export function requireWorker(worker: WorkerRecord): void {
  requireNamespace(worker.namespace);
}

/** Attempts are deleted only with their unit. */
export function requireAttempt(attempt: AttemptRecord): void {
  requireUnit(attempt.unit);
}

export function unitStatus(unit: UnitRecord, now: Date): WorkUnitStatus {
  const status = unit.active?.status;
  if (status === 'pending' || status === 'finished' || status === 'failed') return status;
  return unit.notBefore !== null && now < unit.notBefore ? 'delayed' : 'available';
}

export function specsByName(namespace: NamespaceRecord): SpecRecord[] {
  return [...namespace.specs.values()].sort((a, b) => compareText(a.name, b.name));
}

/** All units of a spec, ordered by name, bytewise. */
export function unitsByName(spec: SpecRecord): UnitRecord[] {
  return [...spec.units.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** How many units of a spec have this status. */
export function countUnits(spec: SpecRecord, status: WorkUnitStatus, now: Date): number {
  return unitsByName(spec).filter((unit) => unitStatus(unit, now) === status).length;
}

/** All attempts of a namespace, by number. */
export function attemptsByNumber(namespace: NamespaceRecord): AttemptRecord[] {
  return [...namespace.specs.values()]
    .flatMap((spec) => [...spec.units.values()].flatMap((unit) => unit.attempts))
    .sort((a, b) => a.number - b.number);
}
