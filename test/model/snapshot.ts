import type { Coordinate } from '../../src/core/coordinate.js';
import type { Namespace } from '../../src/core/namespace/namespace.js';
import type { WorkSpec } from '../../src/core/work-spec/work-spec.js';
import type { WorkUnit } from '../../src/core/work-unit/work-unit.js';
import type { Worker } from '../../src/core/worker/worker.js';
import {
  attemptNumberView,
  dataView,
  summaryView,
  wholeAttemptView,
  workerStateView,
  workSpecMetaView,
  workUnitMetaView,
} from './view.js';

/** Everything that can be observed of a coordinate. Reading it expires whatever is overdue. */
export async function snapshot(coordinate: Coordinate): Promise<unknown> {
  const namespaces = await coordinate.namespaces();
  return {
    summary: summaryView(await coordinate.summarize()),
    names: namespaces.map(({ name }) => name),
    namespaces: await keyed(namespaces, (namespace) => `'${namespace.name}'`, namespaceState),
  };
}

async function namespaceState(namespace: Namespace): Promise<unknown> {
  const names = await namespace.workSpecNames();
  const workers = await namespace.workers();
  return {
    names,
    specs: await keyed(names, String, async (name) => workSpecState(await namespace.workSpec(name))),
    workerNames: workers.map(({ name }) => name),
    workers: await keyed(workers, ({ name }) => name, workerState),
    summary: summaryView(await namespace.summarize()),
  };
}

async function workSpecState(spec: WorkSpec): Promise<unknown> {
  const units = await spec.workUnits();
  return {
    data: dataView(await spec.data()),
    meta: workSpecMetaView(await spec.meta({ counts: true })),
    counts: await spec.countWorkUnitStatus(),
    unitNames: units.map(({ name }) => name),
    units: await keyed(units, ({ key }) => Buffer.from(key).toString('latin1'), workUnitState),
  };
}

async function workUnitState(unit: WorkUnit): Promise<unknown> {
  const attempts = await unit.attempts();
  const active = await unit.activeAttempt();
  return {
    name: unit.name,
    status: await unit.status(),
    data: dataView(await unit.data()),
    meta: workUnitMetaView(await unit.meta()),
    numAttempts: await unit.numAttempts(),
    attempts: await inOrder(attempts, wholeAttemptView),
    active: active === null ? null : attemptNumberView(active),
  };
}

async function workerState(worker: Worker): Promise<unknown> {
  return {
    state: workerStateView(await worker.read()),
    children: (await worker.children()).map(({ name }) => name),
    activeAttempts: (await worker.activeAttempts()).map(attemptNumberView),
    allAttempts: (await worker.allAttempts()).map(attemptNumberView),
    childAttempts: (await worker.childAttempts()).map(attemptNumberView),
  };
}

async function keyed<T>(items: readonly T[], key: (item: T) => string, read: (item: T) => Promise<unknown>): Promise<unknown> {
  return Object.fromEntries(await inOrder<T, [string, unknown]>(items, async (item) => [key(item), await read(item)]));
}

async function inOrder<T, R>(items: readonly T[], read: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await read(item));
  return results;
}
