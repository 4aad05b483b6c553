import { sqlState } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { makeAttempt } from './report-attempts.js';
import { skipLostNumbers } from './skip-lost-numbers.js';

/** Makes an attempt of a unit whatever its state; resolves to its number. Raises Gone. */
export async function forceAttempt(
  bucket: Bucket,
  unitId: number,
  workerId: number,
  lifetimeMs: number,
): Promise<number> {
  const force = (): Promise<readonly { readonly number?: unknown }[]> =>
    bucket.run(makeAttempt, [unitId, workerId, lifetimeMs, bucket.backend.now()]);
  const rows = await force().catch(async (error: unknown) => {
    if (sqlState(error) !== 'PC002') throw error;
    await skipLostNumbers(bucket);
    return force();
  });
  bucket.counts.count();
  const number = rows[0]?.number;
  if (number === null || number === undefined) throw new GoneError();
  return Number(number);
}
