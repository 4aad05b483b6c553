import type { Attempt } from '../../core/attempt/attempt.js';
import type { CoordinateError } from '../../errors/index.js';
import type { LeaseKeeperOptions } from './lease-keeper.js';

/** Tells that an attempt is lost. An error in whoever is told must not keep the other leases from being renewed. */
export function reportLost({ onLost, logger }: LeaseKeeperOptions, attempt: Attempt, error: CoordinateError): void {
  try {
    onLost(attempt, error);
  } catch (thrown) {
    logger.error(`onLost() threw: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}
