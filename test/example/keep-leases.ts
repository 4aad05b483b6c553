import type { Attempt, Namespace } from 'pg-coordinate';
import { leaseMs } from './flow.js';

/** Renews the leases of attempts for as long as this process lives and works on them. */
export function keepLeases(namespace: Namespace, attempts: readonly Attempt[]): { stop(): void } {
  const renew = (): void => {
    const reports = attempts.map((attempt) => ({ attempt }));
    // Whether a renewal succeeds makes no difference here: a report on an attempt that was lost is refused.
    namespace.renewAll(reports, leaseMs).catch(() => undefined);
  };
  const timer = setInterval(renew, leaseMs / 3);
  return { stop: () => clearInterval(timer) };
}
