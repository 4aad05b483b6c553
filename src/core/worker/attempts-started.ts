import type { Row } from '../../database/index.js';
import { freshUntil } from '../attempt/attempt-place.js';
import { claimedUnitsFromRows } from '../attempt/claimed-units.js';
import type { PostgresAttempt } from '../attempt/postgres-attempt.js';
import { instant, nameFromBytes } from '../instant.js';
import { PostgresWorkSpec } from '../work-spec/postgres-work-spec.js';
import { claimedAttempt } from './claim-pass.js';
import type { PostgresWorker } from './postgres-worker.js';

interface Start {
  readonly specId: number;
  readonly lifetimeMs: number;
  /** When the statement was sent, by performance.now(). */
  readonly beganAt: number;
}

/** The attempts that addAndStartUnits has made. Never rejects: what cannot be read is held until its lease ends, and is added all the same. */
export async function attemptsStarted(worker: PostgresWorker, { specId, lifetimeMs, beganAt }: Start, row: Row): Promise<PostgresAttempt[]> {
  const { bucket, namespace } = worker;
  const { telemetry, database } = bucket.backend;
  try {
    const terms = {
      startTime: instant(row.now),
      expirationTime: instant(row.expires_at),
      freshUntil: freshUntil(beganAt, lifetimeMs),
      firstNumber: Number(row.least),
    };
    const units = await claimedUnitsFromRows(bucket, specId, [row], { isOurs: () => true, terms });
    const workSpec = new PostgresWorkSpec(namespace, specId, nameFromBytes(row.spec_name));
    const attempts = units.map((unit) => claimedAttempt(worker, workSpec, unit));
    telemetry?.onAnswered?.({ namespace: namespace.name, attempts, durationMs: performance.now() - beganAt, failed: false });
    return attempts;
  } catch (error) {
    database.logger.warn(`an attempt has begun that nobody works on before its lease ends: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}
