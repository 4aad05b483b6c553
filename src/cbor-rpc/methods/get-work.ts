import { encodeValue, PythonTuple } from '../../codec/index.js';
import type { PostgresAttempt } from '../../core/attempt/postgres-attempt.js';
import { CoordinateError } from '../../errors/index.js';
import { clientValue } from '../values/client-value.js';
import { readOptions } from '../values/read-options.js';
import { readInteger, readNumber, readText, readTextList } from '../values/read-value.js';
import { parameter, type Method } from './method.js';

/** Most units for one call. A client that wants more calls again. */
const mostJobs = 1_000;

/** Seconds: without a lease_time, or with one that makes no sense. */
export const defaultLeaseSeconds = 300;
const longestLeaseSeconds = 86_400;

/** Gives a worker one unit, or up to max_jobs of them, all of one work spec. */
export const getWork: Method = {
  parameters: [parameter.worker, parameter.options],
  run: async ({ namespace, maxBytes, takeBacks }, workerId, options) => {
    const { available_gb, lease_time = 0, max_jobs = 1, work_spec_names } = readOptions(options, {
      available_gb: readNumber,
      lease_time: readNumber,
      max_jobs: readInteger,
      work_spec_names: readTextList,
    });
    const worker = await namespace.worker(readText(workerId, 'worker_id'));
    const attempts = await worker.requestAttempts({
      numberOfWorkUnits: Math.min(Math.max(1, max_jobs), mostJobs),
      lifetimeMs: leaseSeconds(lease_time) * 1000,
      // What runs in another language than Python is not for these clients.
      runtimes: [''],
      ...(available_gb !== undefined && { availableGb: available_gb }),
      ...(work_spec_names !== undefined && work_spec_names.length > 0 && { workSpecs: work_spec_names }),
    });
    takeBacks.push(() => Promise.all(attempts.map(giveBack)));
    if (max_jobs > 1) return [await fitting(attempts, maxBytes), null];
    return [attempts.map(workOf)[0] ?? new PythonTuple([null, null, null]), null];
  },
};

function leaseSeconds(asked: number): number {
  return asked >= 1 && asked <= longestLeaseSeconds ? asked : defaultLeaseSeconds;
}

function workOf({ workUnit, data }: PostgresAttempt): PythonTuple {
  return new PythonTuple([workUnit.workSpec.name, workUnit.key, data]);
}

/** As many of the units as fit into an answer; the others are given back, for the client would never hear of them. */
async function fitting(attempts: readonly PostgresAttempt[], maxBytes: number): Promise<PythonTuple[]> {
  const work: PythonTuple[] = [];
  let size = 100;
  for (const attempt of attempts) {
    const unit = workOf(attempt);
    size += encodeValue(clientValue(unit)).length;
    if (size <= maxBytes || work.length === 0) work.push(unit);
    else await giveBack(attempt);
  }
  return work;
}

/** Whoever has ended or taken the attempt meanwhile has done what was to be done. */
async function giveBack(attempt: PostgresAttempt): Promise<void> {
  try {
    await attempt.expire();
  } catch (error) {
    if (!(error instanceof CoordinateError)) throw error;
  }
}
