import { attemptTimes, type AttemptTimes } from '../core/telemetry/attempt-times.js';
import type { Attempt } from '../core/attempt/attempt.js';
import { PostgresAttempt } from '../core/attempt/postgres-attempt.js';
import type { Bucket } from '../core/backend.js';
import type { PostgresCoordinate } from '../core/postgres-coordinate.js';
import type { OldestWaiting } from '../core/summary/oldest-waiting.js';
import type { Summary } from '../core/summary/summary.js';

/** An attempt whose times are to be looked up, and nothing that would keep its data in memory. */
export interface SampledAttempt {
  readonly bucket: Bucket;
  readonly unitId: number;
  readonly number: number;
  readonly namespace: string;
  readonly workSpec: string;
}

/** Null: the attempt is none of PostgreSQL's. */
export function sampled(attempt: Attempt): SampledAttempt | null {
  if (!(attempt instanceof PostgresAttempt)) return null;
  const { number, workUnit } = attempt as PostgresAttempt;
  const { bucket, id, workSpec } = workUnit;
  return { bucket, unitId: id, number, namespace: workSpec.namespace.name, workSpec: workSpec.name };
}

/** What one look at the database has told. */
export interface DatabaseReading {
  readonly summary: Summary;
  readonly oldest: readonly OldestWaiting[];
  readonly started: readonly (readonly [SampledAttempt, AttemptTimes])[];
  readonly ended: readonly (readonly [SampledAttempt, AttemptTimes])[];
}

/** Looks at the database: a handful of statements, whatever is in it. */
export async function readDatabase(
  coordinate: PostgresCoordinate,
  samples: { readonly started: readonly SampledAttempt[]; readonly ended: readonly SampledAttempt[] },
): Promise<DatabaseReading> {
  return {
    summary: await coordinate.summarize(),
    oldest: await coordinate.oldestWaiting(),
    started: await withTimes(samples.started),
    ended: await withTimes(samples.ended),
  };
}

async function withTimes(attempts: readonly SampledAttempt[]): Promise<(readonly [SampledAttempt, AttemptTimes])[]> {
  const found: (readonly [SampledAttempt, AttemptTimes])[] = [];
  for (const bucket of new Set(attempts.map((attempt) => attempt.bucket))) {
    const byNumber = new Map(attempts.filter((attempt) => attempt.bucket === bucket).map((attempt) => [attempt.number, attempt]));
    for (const times of await attemptTimes(bucket, [...byNumber.values()])) {
      const attempt = byNumber.get(times.number);
      if (attempt !== undefined) found.push([attempt, times]);
    }
  }
  return found;
}
