import type { DataDictionary } from '../codec/index.js';
import type { Attempt } from '../core/attempt/attempt.js';
import type { IsolatedHandler } from './isolated/isolated-handler.js';
import type { DataOf, ResultOf } from './job-types.js';
import type { RetryPolicy } from './retry-policy.js';
import type { Verdict } from './verdict.js';
import type { WorkerLogger } from './worker-logger.js';

/** What a handler is told about the unit it is to work on. */
export interface HandlerContext<Data extends DataDictionary = DataDictionary> {
  readonly data: Data;
  /** The unit's name as text; `key` is its exact bytes. */
  readonly name: string;
  readonly key: Uint8Array;
  /** The attempt's number: ever growing, so it serves as a fencing token. */
  readonly number: number;
  readonly workSpec: string;
  /** The attempt itself, for transactions of your own: `attempt.requireHeld({ client })`, `attempt.finish(data, { client })`. */
  readonly attempt: Attempt<Data>;
  /**
   * Fires when the work is in vain or must end soon. `signal.reason` is a CoordinateError: LostLease, NotPending, Gone (others have
   * the unit), Cancelled, ShuttingDown, RunTimeExceeded (its maximum run time is nearly over).
   */
  readonly signal: AbortSignal;
  /** Replaces the attempt's data, for others to see, and extends the lease. Raises LostLease, NotPending, Gone. */
  progress(data: DataDictionary): Promise<void>;
  /** The worker's logger; each line carries the work spec, the unit and the attempt's number. */
  readonly log: WorkerLogger;
}

/** What a handler may answer: data that replace the attempt's (their `output` makes units of the next work spec), nothing, or a verdict. */
export type HandlerAnswer<Result = DataDictionary | void> = Result | Verdict;

/** Does the work of one unit. What it throws makes the attempt a retried or failed one, as the retry policy has it. */
export type Handler<Data extends DataDictionary = DataDictionary, Result = DataDictionary | void> = (
  context: HandlerContext<Data>,
) => HandlerAnswer<Result> | Promise<HandlerAnswer<Result>>;

/** One attempt's answer out of a batch. An `Error` counts as if a handler of its own had thrown it. */
export type BatchAnswer<Result = DataDictionary | void> = Result | Verdict | Error;

/** Does the work of many units at once; answers for each, in the order given. What it throws counts for all of them. */
export type BatchHandler<Data extends DataDictionary = DataDictionary, Result = DataDictionary | void> = (
  batch: readonly HandlerContext<Data>[],
  signal: AbortSignal,
) => Promise<readonly BatchAnswer<Result>[]> | readonly BatchAnswer<Result>[];

/** What can be set for each handler. */
export interface HandlerSettings {
  /**
   * The longest a handler may run, in milliseconds. A tenth of it before (5 s at most) its signal fires; then the attempt is taken
   * from it and counts as failed by a RunTimeExceeded error. @default 3600000 (an hour)
   */
  readonly maxRunMs?: number;
  /** What becomes of a unit whose handler throws. A work spec's own key `retry` outranks it, field by field. */
  readonly retry?: RetryPolicy;
}

/** A handler with settings. */
export interface SingleHandler<Data extends DataDictionary, Result> extends HandlerSettings {
  readonly run: Handler<Data, Result>;
}

/** A handler that takes many units at once. Each batch takes one of the worker's slots; its work spec is asked for on its own. */
export interface BatchHandlerOptions<Data extends DataDictionary, Result> extends HandlerSettings {
  readonly runBatch: BatchHandler<Data, Result>;
  /** At most so many. @default 100 */
  readonly batchSize?: number;
}

/** Any form of handler for one work spec or task. */
export type AnyHandler<Data extends DataDictionary = DataDictionary, Result = DataDictionary | void> =
  | Handler<Data, Result>
  | SingleHandler<Data, Result>
  | BatchHandlerOptions<Data, Result>
  | (IsolatedHandler & HandlerSettings);

/**
 * The handlers of a worker, by work spec or task. `Jobs` says for each the type of its units' data, or is a `Job` to say what its handler
 * returns as well.
 *
 * @example
 * interface Jobs {
 *   fetch: Job<{ url: string }, { status: number }>;
 *   thumbnail: { width: number };
 * }
 */
export type Handlers<Jobs> = { readonly [Name in keyof Jobs]?: AnyHandler<DataOf<Jobs[Name]>, ResultOf<Jobs[Name]>> };
