import { BadPriorityError, InvalidArgumentError } from '../../errors/index.js';
import { checkDateOrNull, checkInteger, checkList, checkOptions, kindOf, maxNameBytes } from '../../options/index.js';
import type { WorkUnitQuery } from '../work-spec/work-unit-query.js';
import type { UnitQuery } from './list-units.js';
import { workUnitParts, type WorkUnitPart } from './work-unit-page.js';
import { workUnitStatuses, type WorkUnitStatus } from './work-unit-status.js';
import type { WorkUnitMeta } from './work-unit.js';

/** The bytes of a unit's name. */
export function checkUnitName(value: unknown, field: string): Uint8Array {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new InvalidArgumentError(field, `must be a string or bytes, not ${kindOf(value)}`);
  }
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new InvalidArgumentError(field, 'must be well-formed Unicode (it has a lone surrogate)');
  }
  const key = typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
  if (key.length < 1 || key.length > maxNameBytes) {
    throw new InvalidArgumentError(field, `must be 1 to ${maxNameBytes} bytes long, not ${key.length}`);
  }
  return key;
}

/** A priority: any finite number. */
export function checkPriority(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new BadPriorityError();
  // -0 and 0 are the same place in the queue.
  return value === 0 ? 0 : value;
}

/** The meta of a unit; what is left out counts as 0 and null. */
export function checkUnitMeta(value: Partial<WorkUnitMeta> | undefined, field: string): WorkUnitMeta {
  const { priority = 0, notBefore = null } = checkOptions(value, field, ['priority', 'notBefore']);
  return { priority: checkPriority(priority), notBefore: checkDateOrNull(notBefore, `${field}.notBefore`) };
}

export function checkUnitQuery(value: WorkUnitQuery | undefined, field: string): UnitQuery {
  const query = checkOptions(value, field, ['names', 'statuses', 'previousName', 'limit']);
  const { names, statuses, previousName, limit } = query;
  return {
    ...(names !== undefined && { names: checkList(names, `${field}.names`, checkUnitName) }),
    ...(statuses !== undefined && { statuses: checkList(statuses, `${field}.statuses`, checkUnitStatus) }),
    ...(previousName !== undefined && { previousName: checkUnitName(previousName, `${field}.previousName`) }),
    ...(limit !== undefined && { limit: checkInteger(limit, `${field}.limit`, { least: 0 }) }),
  };
}

/** What is to be read of units; left out: nothing more than is always. */
export function checkUnitParts(value: readonly WorkUnitPart[] | undefined, field: string): readonly WorkUnitPart[] {
  return checkList(value ?? [], field, (item, its) => {
    const part = workUnitParts.find((known) => known === item);
    if (part !== undefined) return part;
    throw new InvalidArgumentError(its, `must be one of ${workUnitParts.join(', ')}, not ${typeof item === 'string' ? item : kindOf(item)}`);
  });
}

function checkUnitStatus(value: unknown, field: string): WorkUnitStatus {
  const status = workUnitStatuses.find((known) => known === value);
  if (status === undefined) {
    throw new InvalidArgumentError(field, `must be one of ${workUnitStatuses.join(', ')}, not ${typeof value === 'string' ? value : kindOf(value)}`);
  }
  return status;
}
