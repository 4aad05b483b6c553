import { int8Array, sqlState, type Row } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import { attemptPayloads } from '../notify/payload.js';
import { send } from '../notify/send.js';
import type { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import type { PostgresWorker } from '../worker/postgres-worker.js';
import { findAttempts } from './find-attempts.js';
import { PostgresAttempt } from './postgres-attempt.js';
import { makeAttempts } from './report-attempts.js';
import { skipLostNumbers } from './skip-lost-numbers.js';

export interface ForcedAttempt {
  readonly attempt: PostgresAttempt;
  /** Whether the unit had another attempt under way. */
  readonly superseded: boolean;
}

/** Makes an attempt of each unit whatever its state, in one statement, and reads them in another: all, or none. Raises Gone. */
export async function forceAttempts(worker: PostgresWorker, units: readonly PostgresWorkUnit[], lifetimeMs: number): Promise<ForcedAttempt[]> {
  const { bucket, namespace } = worker;
  const ids = int8Array(units.map(({ id }) => id));
  const force = (): Promise<readonly Row[]> => bucket.run(makeAttempts, [ids, worker.id, lifetimeMs, bucket.backend.now(), namespace.id]);
  const rows = await force()
    .catch(async (error: unknown) => {
      if (sqlState(error) !== 'PC002') throw error;
      await skipLostNumbers(bucket);
      return force();
    })
    .catch((error: unknown) => {
      throw sqlState(error) === 'PC003' ? new GoneError() : error;
    });
  bucket.counts.count();
  const numbers = rows.map(({ number }) => Number(number));
  if (rows[0]?.watched === true) {
    await send(bucket, attemptPayloads('started', namespace.id, units.map(({ id }, index) => ({ unitId: id, number: numbers[index] ?? 0 }))));
  }
  const references = units.map(({ workSpec, key }, index) => ({ workSpec: workSpec.name, workUnit: key, number: numbers[index] ?? 0 }));
  return (await findAttempts(namespace, references)).map((attempt, index) => {
    if (!(attempt instanceof PostgresAttempt)) throw new GoneError();
    return { attempt, superseded: rows[index]?.superseded === true };
  });
}
