import type { AttemptVerdict } from '../../core/attempt/attempt-report.js';
import type { Attempt } from '../../core/attempt/attempt.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import { GoneError } from '../../errors/index.js';

/** Renews leases; resolves to what became of each. Rejects only if that is not known, such as when the connection is lost. */
export async function renewTogether(
  namespace: Namespace,
  attempts: readonly Attempt[],
  lifetimeMs: number,
): Promise<readonly AttemptVerdict[]> {
  try {
    return await namespace.renewAll(
      attempts.map((attempt) => ({ attempt })),
      lifetimeMs,
    );
  } catch (error) {
    // A namespace that was destroyed is no verdict on an attempt, but means the same for each.
    if (error instanceof GoneError) return attempts.map((attempt) => ({ attempt, error }));
    throw error;
  }
}
