import { InvalidArgumentError } from '../../errors/index.js';
import { checkBoolean, checkDateOrNull, checkDuration, checkInteger, checkNumber, checkOptions } from '../../options/index.js';
import type { WorkSpecMeta } from './work-spec-meta.js';

const settable = {
  priority: checkNumber,
  weight: checkNumber,
  paused: checkBoolean,
  continuous: checkBoolean,
  nextContinuous: checkDateOrNull,
  intervalMs: checkDuration,
  maxRunning: limit,
  maxAttemptsReturned: limit,
  maxRetries: limit,
  minMemoryGb: checkNumber,
} as const;

const ignored = ['canBeContinuous', 'nextWorkSpecName', 'runtime', 'availableCount', 'pendingCount'] as const;

/** The fields of a `setMeta` that are to change; those that cannot be set are left out. */
export function checkSpecMeta(value: Partial<WorkSpecMeta>, field: string): Partial<WorkSpecMeta> {
  if (value === undefined) throw new InvalidArgumentError(field, 'must be an object, not undefined');
  const known = [...(Object.keys(settable) as (keyof typeof settable)[]), ...ignored];
  const meta = checkOptions(value, field, known);
  const checked: Record<string, unknown> = {};
  for (const [key, check] of Object.entries(settable)) {
    const given = meta[key as keyof typeof settable];
    if (given !== undefined) checked[key] = check(given, `${field}.${key}`);
  }
  return checked;
}

function limit(value: unknown, field: string): number {
  return checkInteger(value, field, { least: 0 });
}
