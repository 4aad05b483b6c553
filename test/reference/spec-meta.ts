import type { WorkSpecMeta } from '../../src/core/work-spec/work-spec-meta.js';
import { InvalidArgumentError } from '../../src/errors/index.js';
import { checkBoolean, checkDateOrNull, checkDuration, checkInteger, checkNumber, kindOf } from '../../src/options/index.js';

/** Checks what `setMeta` is given; the change itself leaves alone what is not given and what the definition has fixed. */
export function changedMeta(changes: Partial<WorkSpecMeta>): (meta: WorkSpecMeta) => WorkSpecMeta {
  if (typeof changes !== 'object' || changes === null) throw new InvalidArgumentError('meta', `must be an object, not ${kindOf(changes)}`);
  for (const [field, check] of Object.entries(checks)) {
    const value: unknown = changes[field as keyof typeof checks];
    if (value !== undefined) check(value, field);
  }
  return (meta) => {
    const { canBeContinuous, nextWorkSpecName, runtime } = meta;
    const merged = { ...meta, ...given(changes), canBeContinuous, nextWorkSpecName, runtime };
    return { ...merged, continuous: merged.continuous && canBeContinuous, availableCount: 0, pendingCount: 0 };
  };
}

const checks = {
  priority: checkNumber,
  weight: checkNumber,
  paused: checkBoolean,
  continuous: checkBoolean,
  intervalMs: checkDuration,
  nextContinuous: checkDateOrNull,
  maxRunning: checkLimit,
  maxAttemptsReturned: checkLimit,
  maxRetries: checkLimit,
  minMemoryGb: checkNumber,
} as const;

function checkLimit(value: unknown, field: string): number {
  return checkInteger(value, field, { least: 0 });
}

/** A member that is undefined counts as left out. */
function given(changes: Partial<WorkSpecMeta>): Partial<WorkSpecMeta> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}
