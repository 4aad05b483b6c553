import { hostname } from 'node:os';
import type { Attempt } from '../core/attempt/attempt.js';
import type { TransactionOptions } from '../core/coordinate.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import { InvalidArgumentError, NoSuchWorkSpecError } from '../errors/index.js';
import { checkInteger, checkName, checkOptions } from '../options/index.js';
import type { DeadLetter } from './dead-letter.js';
import { errorData } from './error-data.js';
import { inTransaction } from './in-transaction.js';

export interface RedriveOptions {
  /** At most so many, those of the highest priority first. @default all */
  readonly limit?: number;
}

/** What has become of dead letters. */
export interface Redriven {
  /** How many units are available again. */
  readonly redriven: number;
  /** How many letters could not be given back, as their work spec is no more or they are no letters: they have failed. */
  readonly failed: number;
}

const batchSize = 200;
const leaseMs = 60_000;

/**
 * Gives dead units back to the work specs they came from, with the data and the priority they had. Their letters end as finished, in the
 * transaction that adds the units; two that redrive at once share them. The retry policy begins anew. Letters that are not to come
 * back can be deleted before. Raises NoSuchWorkSpec, and InvalidArgument if the dead-letter work spec is paused.
 *
 * @example
 * const { redriven } = await redrive(namespace, 'dead'); // after the bug is mended
 */
export async function redrive(namespace: Namespace, deadLetter: string, options?: RedriveOptions): Promise<Redriven> {
  const { limit = Number.MAX_SAFE_INTEGER } = checkOptions(options, 'options', ['limit']);
  const most = checkInteger(limit, 'options.limit', { least: 0 });
  const spec = await namespace.workSpec<DeadLetter>(checkName(deadLetter, 'deadLetter', { mayBeEmpty: false }));
  if ((await spec.meta()).paused) throw new InvalidArgumentError('deadLetter', 'is paused: setMeta({ paused: false }) first');
  const worker = await namespace.worker(`redrive ${hostname()}:${process.pid}`);
  let [redriven, failed] = [0, 0];
  try {
    while (redriven + failed < most) {
      const request = { workSpecs: [spec], numberOfWorkUnits: Math.min(most - redriven - failed, batchSize), lifetimeMs: leaseMs };
      const attempts = await worker.requestAttempts(request);
      if (attempts.length === 0) break;
      const done = await giveBack(namespace, attempts);
      redriven += done.redriven;
      failed += done.failed;
    }
    return { redriven, failed };
  } finally {
    await worker.deactivate();
  }
}

/** Whatever happens, no letter stays in our hands. */
async function giveBack(namespace: Namespace, letters: readonly Attempt<DeadLetter>[]): Promise<Redriven> {
  const bySpec = groupBySpec(letters);
  let [redriven, failed] = [0, 0];
  const open = new Set(letters);
  try {
    for (const [name, ofSpec] of bySpec) {
      const problem = await giveBackTo(namespace, name, ofSpec);
      for (const letter of ofSpec) {
        if (problem !== null) await letter.fail({ ...letter.data, redriveError: errorData(problem) });
        open.delete(letter);
      }
      if (problem === null) redriven += ofSpec.length;
      else failed += ofSpec.length;
    }
    return { redriven, failed };
  } finally {
    for (const letter of open) await letter.expire().catch(() => undefined);
  }
}

/** Resolves to why these letters can not be given back, ever; null if they have been. */
async function giveBackTo(namespace: Namespace, name: string, letters: readonly Attempt<DeadLetter>[]): Promise<Error | null> {
  try {
    const spec = await namespace.workSpec(name);
    await inTransaction(namespace.coordinate, (options) => giveBackIn(spec, letters, options));
    return null;
  } catch (error) {
    if (error instanceof NoSuchWorkSpecError || error instanceof InvalidArgumentError) return error;
    throw error;
  }
}

async function giveBackIn(spec: WorkSpec, letters: readonly Attempt<DeadLetter>[], options: TransactionOptions): Promise<void> {
  await spec.addWorkUnits(letters.map(({ data }) => ({ name: data.name, data: data.data, meta: { priority: data.priority } })), options);
  if (options.client !== undefined) for (const letter of letters) await letter.requireHeld({ client: options.client });
  for (const { error } of await spec.namespace.finishAll(letters.map((attempt) => ({ attempt })), options)) {
    if (error !== null) throw error;
  }
}

function groupBySpec(letters: readonly Attempt<DeadLetter>[]): Map<string, Attempt<DeadLetter>[]> {
  const groups = new Map<string, Attempt<DeadLetter>[]>();
  for (const letter of letters) groups.set(letter.data.workSpec, [...(groups.get(letter.data.workSpec) ?? []), letter]);
  return groups;
}
