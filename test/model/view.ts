import { inspect } from 'node:util';
import type { DataDictionary } from '../../src/codec/index.js';
import type { Attempt } from '../../src/core/attempt/attempt.js';
import type { AttemptVerdict } from '../../src/core/attempt/attempt-report.js';
import type { Namespace } from '../../src/core/namespace/namespace.js';
import type { Summary } from '../../src/core/summary/summary.js';
import type { WorkSpec } from '../../src/core/work-spec/work-spec.js';
import type { WorkSpecMeta } from '../../src/core/work-spec/work-spec-meta.js';
import type { Explanation, Reason } from '../../src/core/work-unit/explanation.js';
import type { WorkUnit, WorkUnitMeta } from '../../src/core/work-unit/work-unit.js';
import type { Worker, WorkerState } from '../../src/core/worker/worker.js';
import { CoordinateError } from '../../src/errors/index.js';
import { AttemptNumber } from './attempt-numbers.js';

/** Each function here turns a result into a value that `difference` can compare. */
export function dataView(data: DataDictionary | null): string {
  // Shows the classes as well, so that 1 and CborFloat(1), a list and a tuple differ.
  return inspect(data, { depth: null, sorted: true, compact: true, breakLength: Number.POSITIVE_INFINITY });
}

export function timeView(time: Date | null): string | null {
  return time === null ? null : time.toISOString();
}

export function namespaceView({ name }: Namespace): unknown {
  return { namespace: name };
}

export function workSpecView({ name, namespace }: WorkSpec): unknown {
  return { namespace: namespace.name, workSpec: name };
}

export function workUnitView(unit: WorkUnit): unknown {
  return { workSpec: unit.workSpec.name, unit: unit.name, key: Buffer.from(unit.key).toString('hex') };
}

export function workerView({ name, namespace }: Worker): unknown {
  return { namespace: namespace.name, worker: name };
}

export function attemptNumberView(attempt: Attempt): AttemptNumber {
  return new AttemptNumber(attempt.worker.namespace.name, attempt.number);
}

export function attemptView(attempt: Attempt | null): unknown {
  if (attempt === null) return null;
  const { workUnit, worker, startTime, data } = attempt;
  return {
    number: attemptNumberView(attempt),
    unit: `${workUnit.workSpec.name}/${workUnit.name} by ${worker.name}`,
    startTime: timeView(startTime),
    data: dataView(data),
  };
}

/** An attempt with all that can be read of it. */
export async function wholeAttemptView(attempt: Attempt): Promise<unknown> {
  const { status, data, startTime, endTime, expirationTime } = await attempt.read();
  return {
    number: attemptNumberView(attempt),
    worker: attempt.worker.name,
    status,
    data: dataView(data),
    times: [startTime, endTime, expirationTime].map(timeView).join(' '),
  };
}

export function workSpecMetaView({ nextContinuous, ...meta }: WorkSpecMeta): unknown {
  return { ...meta, nextContinuous: timeView(nextContinuous) };
}

export function workUnitMetaView({ priority, notBefore }: WorkUnitMeta): unknown {
  return { priority, notBefore: timeView(notBefore) };
}

export function workerStateView({ parent, active, mode, data, expiration, lastUpdate }: WorkerState): unknown {
  return { parent, active, mode, data: dataView(data), expiration: timeView(expiration), lastUpdate: timeView(lastUpdate) };
}

/** Namespaces and specs in the order they come in; the order of the statuses of one spec is left open. */
export function summaryView(summary: Summary): unknown {
  const lines = summary.map(({ namespace, workSpec, status, count }) => ({ spec: `${namespace}/${workSpec}`, line: `${status} ${count}` }));
  const specs = [...new Set(lines.map(({ spec }) => spec))];
  return specs.map((spec) => [spec, ...lines.filter((line) => line.spec === spec).map(({ line }) => line).sort()].join(' '));
}

export function verdictView({ attempt, error }: AttemptVerdict): unknown {
  return { attempt: attemptNumberView(attempt), error: error === null ? null : errorView(error) };
}

/** The code, and the name of what there is not; anything that is no error of this package shows in full, and matches nothing. */
export function errorView(error: unknown): unknown {
  if (!(error instanceof CoordinateError)) return { unexpected: error instanceof Error ? (error.stack ?? error.message) : error };
  return error.code.startsWith('NoSuch') ? { error: error.code, name: error.details.name } : { error: error.code };
}

/**
 * What the model settles of an explanation: the status and its own reason; of an available unit also what else bars it. Which
 * units and specs come first, and whether a worker is about, is said more or less exactly by each implementation.
 */
export function explanationView(unit: WorkUnit): (explanation: Explanation) => unknown {
  const namespace = unit.workSpec.namespace.name;
  return ({ status, reasons }) => ({
    status,
    reasons: reasons
      .filter(({ kind }) => settledReasons[status].includes(kind))
      .map((reason) => reasonView(namespace, reason))
      .sort((a, b) => (a.kind < b.kind ? -1 : 1)),
  });
}

const settledReasons: Record<Explanation['status'], readonly Reason['kind'][]> = {
  available: ['paused', 'weightless', 'limit-reached', 'retries-spent'],
  delayed: ['delayed'],
  pending: ['held'],
  finished: ['finished'],
  failed: ['failed'],
};

function reasonView(namespace: string, reason: Reason): { readonly kind: string } {
  const times = Object.entries(reason).map(([key, value]: [string, unknown]) => [key, value instanceof Date ? timeView(value) : value]);
  const view = Object.fromEntries(times) as { readonly kind: string };
  const isOfAttempt = reason.kind === 'held' || reason.kind === 'finished' || reason.kind === 'failed';
  return isOfAttempt ? { ...view, attempt: new AttemptNumber(namespace, reason.attempt) } as { kind: string } : view;
}
