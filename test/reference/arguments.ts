import { encodeData, type DataDictionary } from '../../src/codec/index.js';
import type { AttemptReport } from '../../src/core/attempt/attempt-report.js';
import type { NewWorkUnit } from '../../src/core/work-spec/work-spec.js';
import type { WorkUnitQuery } from '../../src/core/work-spec/work-unit-query.js';
import type { AttemptRequest } from '../../src/core/worker/attempt-request.js';
import type { WorkUnitName } from '../../src/core/work-unit/work-unit-name.js';
import { workUnitStatuses } from '../../src/core/work-unit/work-unit-status.js';
import type { WorkUnitMeta } from '../../src/core/work-unit/work-unit.js';
import { BadPriorityError, InvalidArgumentError } from '../../src/errors/index.js';
import {
  checkDateOrNull,
  checkDuration,
  checkInteger,
  checkList,
  checkName,
  checkNumber,
  checkOptions,
  kindOf,
  maxNameBytes,
} from '../../src/options/index.js';
import type { UnitToAdd } from './add-units.js';
import type { CheckedRequest } from './claim.js';
import { bytesOf } from './order.js';

/** How long a lease holds, and how long a worker is taken for alive, unless said otherwise. */
export const DEFAULT_LIFETIME_MS = 15 * 60 * 1000;

/** Dictionaries that CBOR cannot hold raise InvalidArgument. */
export function checkData(data: DataDictionary): void {
  encodeData(data);
}

export function checkOptionalData(data: DataDictionary | undefined): void {
  if (data !== undefined) checkData(data);
}

/** A work unit's name that something is to be stored under. */
export function checkedKey(name: WorkUnitName): Uint8Array {
  checkUnitName(name, 'name');
  const key = bytesOf(name);
  if (key.length === 0 || key.length > maxNameBytes) throw new InvalidArgumentError('name', `must have 1 to ${maxNameBytes} bytes`);
  return key;
}

/** A work unit's name to look for: one that no unit can have is simply not found. */
export function checkUnitName(name: unknown, field: string): WorkUnitName {
  if (typeof name !== 'string' && !(name instanceof Uint8Array)) throw new InvalidArgumentError(field, 'must be text or bytes');
  if (typeof name === 'string' && !name.isWellFormed()) throw new InvalidArgumentError(field, 'must be well-formed');
  return name;
}

export function checkedPriority(priority: number): number {
  if (!Number.isFinite(priority)) throw new BadPriorityError();
  return priority;
}

/** What is left out counts as 0 and null. */
export function checkedUnitMeta(meta: Partial<WorkUnitMeta> | undefined): WorkUnitMeta {
  const { priority = 0, notBefore = null } = checkOptions(meta, 'meta', ['priority', 'notBefore']);
  const time = checkDateOrNull(notBefore, 'notBefore');
  return { priority: checkedPriority(priority), notBefore: time === null ? null : new Date(time) };
}

export function checkedUnit({ name, data, meta }: NewWorkUnit): UnitToAdd {
  const key = checkedKey(name);
  checkData(data);
  return { key, data, ...checkedUnitMeta(meta) };
}

/** A limit of 0 is no mistake: it asks for nothing. */
export function checkLimit(limit: number | undefined): void {
  if (limit !== undefined) checkInteger(limit, 'limit', { least: 0 });
}

export function checkQuery(query: WorkUnitQuery): void {
  const { names, statuses, previousName, limit } = checkOptions(query, 'query', ['names', 'statuses', 'previousName', 'limit']);
  if (names !== undefined) checkList(names, 'names', checkUnitName);
  if (previousName !== undefined) checkUnitName(previousName, 'previousName');
  if (statuses !== undefined) checkList(statuses, 'statuses', checkStatus);
  checkLimit(limit);
}

function checkStatus(status: unknown, field: string): void {
  if (!workUnitStatuses.some((known) => known === status)) {
    throw new InvalidArgumentError(field, `must be among ${workUnitStatuses.join(', ')}`);
  }
}

export function checkedRequest<Data extends DataDictionary>(given: AttemptRequest<Data> | undefined): CheckedRequest {
  const known = ['numberOfWorkUnits', 'lifetimeMs', 'workSpecs', 'runtimes', 'availableGb'] as const;
  const request = checkOptions(given, 'request', known);
  const { numberOfWorkUnits = 1, lifetimeMs = DEFAULT_LIFETIME_MS, workSpecs, runtimes, availableGb } = request;
  checkNumber(numberOfWorkUnits, 'numberOfWorkUnits');
  checkDuration(lifetimeMs, 'lifetimeMs');
  const nameOf = (spec: unknown): unknown => (typeof spec === 'object' && spec !== null && 'name' in spec ? spec.name : spec);
  const names =
    workSpecs === undefined ? undefined : checkList(workSpecs, 'workSpecs', (spec, field) => checkName(nameOf(spec), field));
  if (runtimes !== undefined) checkList(runtimes, 'runtimes', checkName);
  if (availableGb !== undefined) checkNumber(availableGb, 'availableGb');
  return {
    numberOfWorkUnits: Math.max(1, Math.floor(numberOfWorkUnits)),
    lifetimeMs,
    ...(names !== undefined && { workSpecs: names }),
    ...(runtimes !== undefined && { runtimes }),
    ...(availableGb !== undefined && { availableGb }),
  };
}

/** Why somebody cancels. */
export function checkReason(reason: unknown): void {
  if (typeof reason !== 'string' || !reason.isWellFormed()) throw new InvalidArgumentError('reason', 'must be well-formed text');
}

export function checkReports(reports: readonly AttemptReport[]): void {
  checkList(reports, 'reports', (report, field) => {
    const { attempt, data } = checkOptions(report as AttemptReport, field, ['attempt', 'data']);
    checkObject(attempt, `${field}.attempt`);
    checkOptionalData(data);
  });
}

export function checkObject(value: unknown, field: string): void {
  if (typeof value !== 'object' || value === null) throw new InvalidArgumentError(field, `must be an object, not ${kindOf(value)}`);
}
