import { sqlState, type Row } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { attemptPayloads } from '../notify/payload.js';
import { send } from '../notify/send.js';
import { makeAttempt } from './report-attempts.js';
import { skipLostNumbers } from './skip-lost-numbers.js';

/** Makes an attempt of a unit whatever its state; resolves to its number, and whether the unit had an attempt under way. Raises Gone. */
export async function forceAttempt(
  bucket: Bucket,
  namespaceId: number,
  unitId: number,
  workerId: number,
  lifetimeMs: number,
): Promise<{ readonly number: number; readonly superseded: boolean }> {
  const force = (): Promise<readonly Row[]> =>
    bucket.run(makeAttempt, [unitId, workerId, lifetimeMs, bucket.backend.now(), namespaceId]);
  const rows = await force().catch(async (error: unknown) => {
    if (sqlState(error) !== 'PC002') throw error;
    await skipLostNumbers(bucket);
    return force();
  });
  bucket.counts.count();
  const number = rows[0]?.number;
  if (number === null || number === undefined) throw new GoneError();
  if (rows[0]?.watched === true) {
    await send(bucket, attemptPayloads('started', namespaceId, [{ unitId, number: Number(number) }]));
  }
  return { number: Number(number), superseded: rows[0]?.superseded === true };
}
