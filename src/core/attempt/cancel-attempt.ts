import { encodeData } from '../../codec/index.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { kindOf } from '../../options/index.js';
import { cancelPayload } from '../notify/payload.js';
import { send } from '../notify/send.js';
import { tellEnded } from '../telemetry/tell.js';
import type { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import { endActive } from './batch-reports.js';
import { readableData } from './readable-data.js';

/**
 * Fails the running attempt of a unit, and tells its worker; resolves to whether there was one. If it ends at this moment, or
 * another one starts, that one is what counts. Raises Gone.
 */
export async function cancelAttempt(unit: PostgresWorkUnit, reason: unknown): Promise<boolean> {
  if (typeof reason !== 'string' || !reason.isWellFormed()) {
    throw new InvalidArgumentError('reason', `must be a well-formed string, not ${kindOf(reason)}`);
  }
  const { bucket, workSpec } = unit;
  for (;;) {
    const attempt = await unit.activeAttempt();
    if (attempt?.status !== 'pending') return false;
    const { number } = attempt;
    const error = { name: 'CancelledError', code: 'Cancelled', message: reason };
    const report = {
      unitId: unit.id,
      number,
      specId: workSpec.id,
      data: encodeData({ ...readableData(attempt), error }),
      hasOutput: false,
    };
    const ended = await endActive(bucket, 'failed', [report], bucket.backend.database, { change: 'cancelled' });
    if (!ended.has(number)) continue;
    tellEnded(bucket.backend, { status: 'failed', attempts: [attempt] }, undefined);
    await send(bucket, [cancelPayload(workSpec.namespace.id, number)]);
    return true;
  }
}
