import { createHash } from 'node:crypto';
import type { DataDictionary } from '../codec/index.js';
import type { Attempt } from '../core/attempt/attempt.js';
import { readableData } from '../core/attempt/readable-data.js';
import { NoSuchWorkSpecError } from '../errors/index.js';
import { maxNameBytes } from '../options/index.js';
import { inTransaction } from './in-transaction.js';

/** A unit that has failed for good, as it is kept in the dead-letter work spec: the data of the unit there. */
export interface DeadLetter extends DataDictionary {
  /** Where it comes from, and its name there: text, or bytes if it is not UTF-8. */
  readonly workSpec: string;
  readonly name: string | Uint8Array;
  readonly priority: number;
  /** The attempt's, as the database has them: the unit's own, or those of the last progress(). */
  readonly data: DataDictionary;
  /** The last error: name, message, stack. */
  readonly error: DataDictionary;
  /** The newest attempts, oldest first. */
  readonly attempts: readonly DataDictionary[];
}

/** Enough to see a pattern. */
const mostAttempts = 20;

/** Fails an attempt and puts its unit into the dead-letter work spec, both or neither. Raises what `attempt.fail` does. */
export async function failToDeadLetter(
  attempt: Attempt,
  { data, unitData, error }: { readonly data: DataDictionary; readonly unitData: DataDictionary; readonly error: DataDictionary },
  deadLetter: string,
): Promise<void> {
  const { workUnit } = attempt;
  const { namespace } = workUnit.workSpec;
  const spec = await namespace.workSpec(deadLetter).catch(async (problem: unknown) => {
    // It is made when it is first needed.
    if (problem instanceof NoSuchWorkSpecError) return namespace.setWorkSpec({ name: deadLetter });
    throw problem;
  });
  const letter: DeadLetter = {
    workSpec: workUnit.workSpec.name,
    name: readableName(workUnit.key),
    priority: await workUnit.priority(),
    data: unitData,
    error,
    attempts: await historyOf(attempt),
  };
  await inTransaction(namespace.coordinate, async (options) => {
    // An attempt whose unit has moved on may be failed all the same, but then there is no dead unit.
    if (options.client !== undefined) await attempt.requireHeld({ client: options.client });
    await attempt.fail(data, options);
    await spec.addWorkUnits([{ name: letterName(workUnit.workSpec.name, workUnit.key), data: letter }], options);
  });
}

async function historyOf(attempt: Attempt): Promise<DataDictionary[]> {
  const all = await attempt.workUnit.attempts();
  return all
    .filter(({ number }) => number !== attempt.number)
    .slice(-mostAttempts)
    .map((earlier) => ({
      number: earlier.number,
      status: earlier.status,
      startTime: earlier.startTime,
      endTime: earlier.endTime,
      worker: earlier.worker.name,
      error: readableData(earlier).error ?? null,
    }));
}

function readableName(key: Uint8Array): string | Uint8Array {
  const text = Buffer.from(key).toString('utf8');
  return Buffer.from(text).equals(key) ? text : key;
}

/** The same unit has the same name however often it dies. Where both names do not fit, their digest takes their place. */
function letterName(workSpec: string, key: Uint8Array): Uint8Array {
  // No slash is left in the first part: two specs and names never make the same one.
  const name = Buffer.concat([Buffer.from(`${encodeURIComponent(workSpec)}/`), key]);
  if (name.length <= maxNameBytes) return name;
  return Buffer.from(createHash('sha256').update(name).digest('hex'));
}
