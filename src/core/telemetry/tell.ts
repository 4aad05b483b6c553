import type { AttemptVerdict } from '../attempt/attempt-report.js';
import type { PostgresAttempt } from '../attempt/postgres-attempt.js';
import type { Backend } from '../backend.js';
import type { TransactionOptions } from '../coordinate.js';
import type { EndedAttempts } from './telemetry.js';

let told = 0;

/** Tells that attempts have ended: when that is committed, as far as it is known here, which it is not in a transaction begun elsewhere. */
export function tellEnded(
  { telemetry, database }: Backend,
  ended: EndedAttempts,
  options: TransactionOptions | undefined,
): void {
  if (telemetry?.onEnded === undefined || ended.attempts.length === 0) return;
  const tell = (): void => telemetry.onEnded?.(ended);
  const client = options?.client;
  // Each by itself: tasks of one key would be done as one.
  const task = { key: `telemetry ${++told}`, payloads: [], run: async () => tell() };
  if (client === undefined || !database.afterCommit(client, task)) tell();
}

/** As tellEnded, of those that were not refused. */
export function tellVerdicts(
  backend: Backend,
  status: EndedAttempts['status'],
  verdicts: readonly AttemptVerdict[],
  options: TransactionOptions | undefined,
): void {
  if (backend.telemetry?.onEnded === undefined) return;
  const attempts = verdicts.flatMap(({ attempt, error }) => (error === null ? [attempt] : []));
  tellEnded(backend, { status, attempts }, options);
}

/** Answers a request for work, and tells of it. */
export async function tellAnswered(
  { telemetry }: Backend,
  namespace: string,
  request: () => Promise<PostgresAttempt[]>,
): Promise<PostgresAttempt[]> {
  if (telemetry === undefined) return request();
  const begin = performance.now();
  const answer = (attempts: readonly PostgresAttempt[], failed: boolean): void =>
    telemetry.onAnswered?.({ namespace, attempts, durationMs: performance.now() - begin, failed });
  try {
    const attempts = await (telemetry.around?.({ kind: 'request', namespace }, request) ?? request());
    answer(attempts, false);
    return attempts;
  } catch (error) {
    answer([], true);
    throw error;
  }
}
