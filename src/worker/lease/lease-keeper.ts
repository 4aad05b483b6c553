import type { Attempt } from '../../core/attempt/attempt.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import type { Logger } from '../../database/index.js';
import type { CoordinateError } from '../../errors/index.js';

/** Renews the leases of attempts for as long as somebody works on them. */
export interface LeaseKeeper {
  /**
   * Begins to renew the attempt's lease, and stops by itself after so many milliseconds (Infinity: never). Of one that is held already
   * the time begins anew. To be called as soon as the attempt was claimed. Throws WrongBackend for an attempt of another connection.
   */
  hold(attempt: Attempt, runMs: number): void;
  /** Renews it no more. No effect on one that is not held. A renewal under way may still take effect. */
  release(attempt: Attempt): void;
  /** Releases all, and ends the thread and its connection. Idempotent. */
  stop(): Promise<void>;
}

/** Whose leases to keep, and how. */
export interface LeaseKeeperOptions {
  /** All attempts are of this namespace. */
  readonly namespace: Namespace;
  /** What a renewal makes of a lease, in milliseconds from then. Each is renewed when a quarter to a third of it has passed. */
  readonly lifetimeMs: number;
  /**
   * An attempt is no longer held by its worker, as the database says: LostLease, NotPending, Gone. It has been released. Called once
   * an attempt, and not for those that were released before.
   */
  readonly onLost: (attempt: Attempt, error: CoordinateError) => void;
  readonly logger: Logger;
}
