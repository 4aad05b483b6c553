import assert from 'node:assert/strict';
import type { DataDictionary } from '../../codec/index.js';
import type { Attempt } from '../../core/attempt/attempt.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import type { AttemptRequest } from '../../core/worker/attempt-request.js';
import type { Worker } from '../../core/worker/worker.js';
import type { WorkSpec } from '../../core/work-spec/work-spec.js';
import type { WorkUnit } from '../../core/work-unit/work-unit.js';

export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
/** How long a lease holds when nothing is said. */
export const leaseMs = 15 * minuteMs;

/** A work spec, `spec` unless the definition says otherwise, with units of these names and no data. */
export async function specWith(
  namespace: Namespace,
  names: readonly string[],
  definition: DataDictionary = {},
): Promise<WorkSpec> {
  const spec = await namespace.setWorkSpec({ name: 'spec', ...definition });
  if (names.length > 0) await spec.addWorkUnits(names.map((name) => ({ name, data: {} })));
  return spec;
}

/** One attempt of a request that must be answered with exactly one. */
export async function claim(worker: Worker, request?: AttemptRequest): Promise<Attempt> {
  const attempts = await worker.requestAttempts(request);
  assert.equal(attempts.length, 1, 'one attempt should have been handed out');
  return attempts[0] as Attempt;
}

/** The names of the units a request is answered with, in order. */
export async function claimNames(worker: Worker, request?: AttemptRequest): Promise<string[]> {
  return (await worker.requestAttempts(request)).map(({ workUnit }) => workUnit.name);
}

/** A unit with the data `{ from: 'unit' }` that a worker holds for 15 minutes. */
export interface Held {
  readonly spec: WorkSpec;
  readonly unit: WorkUnit;
  readonly worker: Worker;
  readonly attempt: Attempt;
}

export async function heldUnit(namespace: Namespace, definition: DataDictionary = {}): Promise<Held> {
  const spec = await specWith(namespace, [], definition);
  const unit = await spec.addWorkUnit('unit', { from: 'unit' });
  const worker = await namespace.worker('worker');
  return { spec, unit, worker, attempt: await claim(worker, { workSpecs: [spec.name] }) };
}

/** As `heldUnit`, but the unit was then given to another worker: `attempt` is still pending and no longer active. */
export async function supersededAttempt(
  namespace: Namespace,
  definition: DataDictionary = {},
): Promise<Held & { readonly successor: Attempt }> {
  const held = await heldUnit(namespace, definition);
  const other = await namespace.worker('other worker');
  return { ...held, successor: await other.makeAttempt(held.unit) };
}

export function namesOf(named: readonly { readonly name: string }[]): string[] {
  return named.map(({ name }) => name);
}
