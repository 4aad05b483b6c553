import fc from 'fast-check';
import type { Attempt } from '../../src/core/attempt/attempt.js';
import type { Namespace } from '../../src/core/namespace/namespace.js';
import type { WorkSpec } from '../../src/core/work-spec/work-spec.js';
import type { WorkUnit } from '../../src/core/work-unit/work-unit.js';
import type { Worker } from '../../src/core/worker/worker.js';
import { NothingToDo, type Ref } from './command.js';
import { show } from './compare.js';
import type { Side } from './side.js';
import { namespaceNames, unitNames, workerNames, workSpecNames } from './values.js';

/** Ways to name objects. With `staleHandles` an object got earlier is used at times, which may have been deleted since. */
export interface Refs {
  readonly namespace: fc.Arbitrary<Ref<Namespace>>;
  readonly workSpec: fc.Arbitrary<Ref<WorkSpec>>;
  readonly workUnit: fc.Arbitrary<Ref<WorkUnit>>;
  readonly worker: fc.Arbitrary<Ref<Worker>>;
  /** An attempt as it was handed out, mostly a pending one: to find it looks at nothing. */
  readonly madeAttempt: fc.Arbitrary<Ref<Attempt>>;
  /** Any attempt of a unit, also those that were never handed out. */
  readonly unitAttempt: fc.Arbitrary<Ref<Attempt>>;
}

export function refs(staleHandles: boolean): Refs {
  const stale = staleHandles ? fc.integer({ min: 0, max: 9 }).map((n) => n >= 8) : fc.constant(false);
  const namespace = fc.tuple(namespaceNames, stale).map(([name, held]) => maybeHeld(namespaceRef(name), held));
  const workSpec = fc
    .tuple(namespaceNames, workSpecNames, stale)
    .map(([parent, name, held]) => maybeHeld(workSpecRef(namespaceRef(parent), name), held));
  const workUnit = fc
    .tuple(namespaceNames, workSpecNames, unitNames, stale)
    .map(([namespaceName, spec, name, held]) => maybeHeld(workUnitRef(workSpecRef(namespaceRef(namespaceName), spec), name), held));
  const worker = fc
    .tuple(namespaceNames, workerNames, stale)
    .map(([parent, name, held]) => maybeHeld(workerRef(namespaceRef(parent), name), held));
  const madeAttempt = fc.oneof(
    { weight: 5, arbitrary: fc.nat(3).map(pendingAttemptRef) },
    { weight: 2, arbitrary: fc.nat(2).map(madeAttemptRef) },
    { weight: 1, arbitrary: fc.nat(30).map(madeAttemptRef) },
  );
  const unitAttempt = fc.tuple(workUnit, fc.nat(3)).map(([unit, index]) => unitAttemptRef(unit, index));
  return { namespace, workSpec, workUnit, worker, madeAttempt, unitAttempt };
}

export function namespaceRef(name: string): Ref<Namespace> {
  return ref(`namespace(${show(name)})`, ({ coordinate }) => coordinate.namespace(name));
}

export function workSpecRef(namespace: Ref<Namespace>, name: string): Ref<WorkSpec> {
  return ref(`${namespace.text}.workSpec(${show(name)})`, async (side) => (await namespace.resolve(side)).workSpec(name));
}

function workUnitRef(spec: Ref<WorkSpec>, name: string | Uint8Array): Ref<WorkUnit> {
  return ref(`${spec.text}.workUnit(${show(name)})`, async (side) => (await spec.resolve(side)).workUnit(name));
}

function workerRef(namespace: Ref<Namespace>, name: string): Ref<Worker> {
  return ref(`${namespace.text}.worker(${show(name)})`, async (side) => (await namespace.resolve(side)).worker(name));
}

function ref<T>(text: string, find: (side: Side) => Promise<T>): Ref<T> {
  const resolve = async (side: Side) => {
    const found = await find(side);
    side.held.set(text, found);
    return found;
  };
  return { text, resolve };
}

/** The object as it was got last, if ever. */
function maybeHeld<T>(fresh: Ref<T>, isHeld: boolean): Ref<T> {
  if (!isHeld) return fresh;
  return {
    text: `held.${fresh.text}`,
    resolve: async (side) => (side.held.get(fresh.text) as T | undefined) ?? fresh.resolve(side),
  };
}

/** `back` counts from the attempt handed out last; so a shorter sequence still means the same ones. */
function madeAttemptRef(back: number): Ref<Attempt> {
  return {
    text: `madeAttempts.at(${-1 - back})`,
    resolve: async ({ made }) => {
      const attempt = made.at(-1 - (back % Math.max(1, made.length)));
      if (attempt === undefined) throw new NothingToDo();
      return attempt;
    },
  };
}

function pendingAttemptRef(back: number): Ref<Attempt> {
  return {
    text: `pendingAttempts.at(${-1 - back})`,
    resolve: async ({ made, world }) => {
      const index = world.pending.at(-1 - (back % Math.max(1, world.pending.length)));
      const attempt = index === undefined ? undefined : made[index];
      if (attempt === undefined) throw new NothingToDo();
      return attempt;
    },
  };
}

function unitAttemptRef(unit: Ref<WorkUnit>, index: number): Ref<Attempt> {
  return {
    text: `(await ${unit.text}.attempts())[${index}]`,
    resolve: async (side) => {
      const attempt = (await (await unit.resolve(side)).attempts())[index];
      if (attempt === undefined) throw new NothingToDo();
      return attempt;
    },
  };
}
