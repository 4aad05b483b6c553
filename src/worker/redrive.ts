import { hostname } from 'node:os';
import type { Attempt } from '../core/attempt/attempt.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { NewWorkUnit } from '../core/work-spec/work-spec.js';
import type { WorkUnitName } from '../core/work-unit/work-unit-name.js';
import { checkInteger, checkList, checkName, checkOptions } from '../options/index.js';
import type { DeadLetter } from './dead-letter.js';
import { inTransaction } from './in-transaction.js';

export interface RedriveOptions {
  /** Only these units of the dead-letter work spec, by their names there. @default all */
  readonly names?: readonly WorkUnitName[];
  /** At most so many. @default all */
  readonly limit?: number;
}

const batchSize = 500;
const leaseMs = 60_000;

/**
 * Gives dead units back to the work specs they came from, with the data and the priority they had; resolves to how many. The letters
 * end as finished, each in the transaction that adds its unit. They count as tried anew: the retry policy begins again.
 *
 * @example
 * await redrive(namespace, 'dead'); // after the bug is mended
 */
export async function redrive(namespace: Namespace, deadLetter: string, options?: RedriveOptions): Promise<number> {
  const { names, limit = Number.MAX_SAFE_INTEGER } = checkOptions(options, 'options', ['names', 'limit']);
  checkName(deadLetter, 'deadLetter', { mayBeEmpty: false });
  let left = checkInteger(limit, 'options.limit', { least: 0 });
  const given = names === undefined ? undefined : checkList(names, 'options.names', (name) => name as WorkUnitName);
  const spec = await namespace.workSpec<DeadLetter>(deadLetter);
  const worker = await namespace.worker(`redrive ${hostname()}:${process.pid}`);
  let redriven = 0;
  try {
    if (given !== undefined) {
      const units = await spec.workUnits({ names: given, statuses: ['available', 'delayed'], limit: left });
      const attempts: Attempt<DeadLetter>[] = [];
      for (const unit of units) attempts.push(await worker.makeAttempt(unit, leaseMs));
      return await giveBack(namespace, attempts);
    }
    while (left > 0) {
      const request = { workSpecs: [spec], numberOfWorkUnits: Math.min(left, batchSize), lifetimeMs: leaseMs };
      const attempts = await worker.requestAttempts(request);
      if (attempts.length === 0) break;
      redriven += await giveBack(namespace, attempts);
      left -= attempts.length;
    }
    return redriven;
  } finally {
    await worker.deactivate();
  }
}

async function giveBack(namespace: Namespace, attempts: readonly Attempt<DeadLetter>[]): Promise<number> {
  const bySpec = new Map<string, NewWorkUnit[]>();
  for (const { data } of attempts) {
    const unit = { name: data.name, data: data.data, meta: { priority: data.priority } };
    bySpec.set(data.workSpec, [...(bySpec.get(data.workSpec) ?? []), unit]);
  }
  // Raises NoSuchWorkSpec before anything has been changed; the leases end by themselves.
  const specs = await Promise.all([...bySpec.keys()].toSorted().map((name) => namespace.workSpec(name)));
  await inTransaction(namespace.coordinate, async (options) => {
    for (const spec of specs) await spec.addWorkUnits(bySpec.get(spec.name) ?? [], options);
    for (const { error } of await namespace.finishAll(attempts.map((attempt) => ({ attempt })), options)) {
      if (error !== null) throw error;
    }
  });
  return attempts.length;
}
