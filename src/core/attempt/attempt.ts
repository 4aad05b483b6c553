import type { DataDictionary } from '../../codec/index.js';
import type { TransactionOptions } from '../coordinate.js';
import type { WorkUnit } from '../work-unit/work-unit.js';
import type { Worker } from '../worker/worker.js';
import type { AttemptStatus } from './attempt-status.js';

/** An attempt as it is in the database at one moment. */
export interface AttemptState<Data extends DataDictionary = DataDictionary> {
  readonly status: AttemptStatus;
  /** Of an Attempt they are decoded when they are first asked for: raises BadCbor if somebody has written there what is no CBOR. */
  readonly data: Data;
  readonly startTime: Date;
  /** Null while pending. */
  readonly endTime: Date | null;
  readonly expirationTime: Date;
}

/**
 * One worker's try at one unit, held by a lease that ends at its expirationTime. Its status, data and times are those of the moment
 * when this object was obtained; `read()` tells those of now. All methods raise Gone once the unit, its spec
 * or its namespace was deleted.
 */
export interface Attempt<Data extends DataDictionary = DataDictionary> extends AttemptState<Data> {
  /** Ever growing, never given twice: serves as a fencing token. */
  readonly number: number;
  readonly workUnit: WorkUnit<Data>;
  readonly worker: Worker;

  /** The attempt as it is now. */
  read(): Promise<AttemptState<Data>>;

  /**
   * Extends the lease to so long from now (15 minutes by default); data, if given, replace the attempt's.
   * Raises NotPending; LostLease when it is no longer the unit's active attempt (the data are stored, the attempt is expired).
   */
  renew(lifetimeMs?: number, data?: DataDictionary): Promise<void>;
  /** Gives the unit back. No effect on an attempt that is expired already; raises NotPending on any other that has ended. */
  expire(data?: DataDictionary): Promise<void>;
  /**
   * Ends the unit's work well, and makes units of the data's `output` in the next work spec, in the same transaction.
   * Allowed on a failed attempt too; else raises NotPending.
   */
  finish(data?: DataDictionary, options?: TransactionOptions): Promise<void>;
  /** Ends the unit's work badly. Raises NotPending. */
  fail(data?: DataDictionary, options?: TransactionOptions): Promise<void>;
  /** Gives the unit back, to run again no sooner than in so many milliseconds. Raises NotPending. */
  retry(data?: DataDictionary, delayMs?: number, options?: TransactionOptions): Promise<void>;

  /**
   * The fence: raises LostLease unless the attempt is still held, and keeps it so until the end of the caller's transaction. Call
   * it in the transaction of a side effect, and the side effect of a worker that has lost its lease rolls back.
   */
  requireHeld(options: Required<TransactionOptions>): Promise<void>;
}
