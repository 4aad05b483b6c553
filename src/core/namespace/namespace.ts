import type { DataDictionary } from '../../codec/index.js';
import type { AttemptReport, AttemptVerdict, RenewReport } from '../attempt/attempt-report.js';
import type { Coordinate, TransactionOptions } from '../coordinate.js';
import type { Summary } from '../summary/summary.js';
import type { WorkSpec } from '../work-spec/work-spec.js';
import type { Worker } from '../worker/worker.js';

/** Which workers `namespace.workers()` lists. */
export interface WorkerListOptions {
  /** Only names from this one on, bytewise. */
  readonly start?: string;
  /** At most so many. @default 1000 */
  readonly limit?: number;
  /** Only workers that have not been deactivated. @default false */
  readonly activeOnly?: boolean;
}

/** Work specs and workers that share nothing with those of other namespaces. Raises Gone once it was destroyed. */
export interface Namespace {
  readonly name: string;
  readonly coordinate: Coordinate;

  /**
   * Creates or redefines the work spec `data.name`. The type argument is the type of its units' data.
   * Raises NoWorkSpecName (no name), BadWorkSpecName (not a string, or empty).
   */
  setWorkSpec<Data extends DataDictionary = DataDictionary>(data: DataDictionary): Promise<WorkSpec<Data>>;
  /** The work spec of this name; raises NoSuchWorkSpec. */
  workSpec<Data extends DataDictionary = DataDictionary>(name: string): Promise<WorkSpec<Data>>;
  /** Removes the spec with its units and attempts; raises NoSuchWorkSpec. Workers still busy with it get Gone. */
  destroyWorkSpec(name: string): Promise<void>;
  /** The names of all work specs, bytewise ordered. */
  workSpecNames(): Promise<string[]>;

  /** Finds the worker of this name, or creates it: active, no parent. */
  worker(name: string): Promise<Worker>;
  /** A page of workers, ordered by name. */
  workers(options?: WorkerListOptions): Promise<Worker[]>;

  /** Finishes many attempts in one round trip, with a verdict for each, in the order given. */
  finishAll(reports: readonly AttemptReport[], options?: TransactionOptions): Promise<AttemptVerdict[]>;
  /** Fails many attempts in one round trip. */
  failAll(reports: readonly AttemptReport[], options?: TransactionOptions): Promise<AttemptVerdict[]>;
  /** Renews many leases in one round trip. */
  renewAll(reports: readonly RenewReport[], lifetimeMs?: number): Promise<AttemptVerdict[]>;

  summarize(): Promise<Summary>;
  /** Removes the namespace and all it holds. Idempotent. */
  destroy(): Promise<void>;
}
