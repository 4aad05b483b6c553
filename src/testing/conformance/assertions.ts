import assert from 'node:assert/strict';
import type { Attempt } from '../../core/attempt/attempt.js';
import type { AttemptStatus } from '../../core/attempt/attempt-status.js';
import type { WorkUnit } from '../../core/work-unit/work-unit.js';
import type { WorkUnitStatus } from '../../core/work-unit/work-unit-status.js';
import * as errors from '../../errors/index.js';
import type { ConformanceContext } from './conformance-case.js';

/** The documented errors that the interfaces can raise by themselves. */
const errorClasses = {
  NoWorkSpecName: errors.NoWorkSpecNameError,
  BadWorkSpecName: errors.BadWorkSpecNameError,
  ChangedName: errors.ChangedNameError,
  LostLease: errors.LostLeaseError,
  NotPending: errors.NotPendingError,
  WrongBackend: errors.WrongBackendError,
  BadPriority: errors.BadPriorityError,
  Gone: errors.GoneError,
  NoSuchNamespace: errors.NoSuchNamespaceError,
  NoSuchWorkSpec: errors.NoSuchWorkSpecError,
  NoSuchWorkUnit: errors.NoSuchWorkUnitError,
  InvalidArgument: errors.InvalidArgumentError,
  Closed: errors.ClosedError,
} as const;

type RaisedCode = keyof typeof errorClasses;

/** Asserts that the action raises this error, by class and by code, and gives it back. */
export async function raises(code: RaisedCode, action: () => Promise<unknown>): Promise<errors.CoordinateError> {
  return raisesOneOf([code], action);
}

/** Asserts that the action raises Gone or, over a wire, the more specific NoSuch…. */
export async function raisesGone(
  { overTheWire }: Pick<ConformanceContext, 'overTheWire'>,
  action: () => Promise<unknown>,
): Promise<void> {
  await raisesOneOf(overTheWire ? ['Gone', 'NoSuchNamespace', 'NoSuchWorkSpec', 'NoSuchWorkUnit'] : ['Gone'], action);
}

/**
 * Asserts that the action raises InvalidArgument and that `details.field` names one of these arguments. A path that leads to it,
 * or on from it, will do: `units[2].name` names `name`, and `data.x` names `data`.
 */
export async function raisesInvalid(fields: string | readonly string[], action: () => Promise<unknown>): Promise<void> {
  const error = await raises('InvalidArgument', action);
  const named = String(error.details.field);
  const members = named.replaceAll(/\[.*?\]/g, '').split('.');
  assert.ok([fields].flat().some((field) => members.includes(field)), `details.field is ${named}, not ${String(fields)}`);
}

/** Asserts that the action raises any of these errors, by class and by code, and gives it back. */
export async function raisesOneOf(
  codes: readonly RaisedCode[],
  action: () => Promise<unknown>,
): Promise<errors.CoordinateError> {
  const expected = codes.join(' or ');
  const error = await action().then(
    () => assert.fail(`expected ${expected}, but nothing was raised`),
    (raised: unknown) => raised,
  );
  if (error instanceof assert.AssertionError) throw error;
  assert.ok(error instanceof errors.CoordinateError, `expected ${expected}, but ${String(error)} was raised`);
  const code = codes.find((each) => each === error.code);
  assert.ok(code !== undefined, `expected ${expected}, but ${error.code} was raised: ${error.message}`);
  assert.ok(error instanceof errorClasses[code], `the ${code} raised is not of its class`);
  return error;
}

export async function assertUnitStatus(unit: WorkUnit, status: WorkUnitStatus): Promise<void> {
  assert.equal(await unit.status(), status, `status of unit ${unit.name}`);
}

export async function assertAttemptStatus(attempt: Attempt, status: AttemptStatus): Promise<void> {
  assert.equal((await attempt.read()).status, status, `status of attempt ${attempt.number}`);
}

/** Asserts that these are the same attempts in the same order. */
export function assertAttempts(actual: readonly Attempt[], expected: readonly Attempt[]): void {
  assert.deepEqual(
    actual.map(({ number }) => number),
    expected.map(({ number }) => number),
  );
}

/** Asserts that the unit's active attempt is this one. */
export async function assertActive(unit: WorkUnit, expected: Attempt | null): Promise<void> {
  const active = await unit.activeAttempt();
  assert.equal(active?.number ?? null, expected?.number ?? null, `active attempt of unit ${unit.name}`);
}
