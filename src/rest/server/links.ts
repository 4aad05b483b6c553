import type { Attempt } from '../../core/attempt/attempt.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import type { WorkSpec } from '../../core/work-spec/work-spec.js';
import type { WorkUnit } from '../../core/work-unit/work-unit.js';
import type { Worker } from '../../core/worker/worker.js';
import { encodeName } from '../wire/index.js';

/*
 * The URLs of objects, as paths. Clients follow them and build none of their own, so they may change; `routes.ts` must then change too.
 */

export function namespaceUrl({ name }: Pick<Namespace, 'name'>): string {
  return `/namespace/${encodeName(name)}`;
}

export function workSpecUrl({ namespace, name }: Pick<WorkSpec, 'namespace' | 'name'>): string {
  return `${namespaceUrl(namespace)}/work_spec/${encodeName(name)}`;
}

export function workUnitUrl({ workSpec, key }: Pick<WorkUnit, 'workSpec' | 'key'>): string {
  return `${workSpecUrl(workSpec)}/work_unit/${encodeName(key)}`;
}

export function workerUrl({ namespace, name }: Pick<Worker, 'namespace' | 'name'>): string {
  return `${namespaceUrl(namespace)}/worker/${encodeName(name)}`;
}

/** Its number is in it: no two attempts share a URL. */
export function attemptUrl({ workUnit, worker, number }: Pick<Attempt, 'workUnit' | 'worker' | 'number'>): string {
  return `${workUnitUrl(workUnit)}/attempt/${encodeName(worker.name)}/${number}`;
}
