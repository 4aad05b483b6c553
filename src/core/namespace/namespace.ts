import type { DataDictionary } from '../../codec/index.js';
import type { AttemptReport, AttemptVerdict, EndAllOptions, RenewReport } from '../attempt/attempt-report.js';
import type { Coordinate } from '../coordinate.js';
import type { SchemaOptions } from '../schema/schema-options.js';
import type { SchemaInput, SchemaOutput, StandardSchema } from '../schema/standard-schema.js';
import type { OldestWaiting } from '../summary/oldest-waiting.js';
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
   * Creates or redefines the work spec `data.name`, with a schema that checks the data of units added through the object this resolves
   * to, and gives them their types. A unit that it does not take raises InvalidArgument: `details.field` is such as
   * `units[3].data.address.zip`, `details.problem` what the schema says first, `cause` all that it says.
   * Raises NoWorkSpecName (no name), BadWorkSpecName (not a string, or empty).
   *
   * @example
   * const schema = z.object({ url: z.url(), depth: z.number().default(0) });
   * const spec = await namespace.setWorkSpec({ name: 'fetch' }, { schema });
   * await spec.addWorkUnit('home', { url: 'https://example.org/' });
   */
  setWorkSpec<Schema extends StandardSchema<DataDictionary>>(
    data: DataDictionary,
    options: SchemaOptions<Schema>,
  ): Promise<WorkSpec<SchemaOutput<Schema>, SchemaInput<Schema>>>;
  /** The same without a schema: any data are taken. The type argument is the type of its units' data. */
  setWorkSpec<Data extends DataDictionary = DataDictionary>(data: DataDictionary): Promise<WorkSpec<Data>>;
  /** The work spec of this name, with a schema as for `setWorkSpec`; raises NoSuchWorkSpec. */
  workSpec<Schema extends StandardSchema<DataDictionary>>(
    name: string,
    options: SchemaOptions<Schema>,
  ): Promise<WorkSpec<SchemaOutput<Schema>, SchemaInput<Schema>>>;
  /** The work spec of this name; raises NoSuchWorkSpec. The type argument is the type of its units' data. */
  workSpec<Data extends DataDictionary = DataDictionary>(name: string): Promise<WorkSpec<Data>>;
  /** Removes the spec with its units and attempts; raises NoSuchWorkSpec. Workers still busy with it get Gone. */
  destroyWorkSpec(name: string): Promise<void>;
  /** The names of all work specs, bytewise ordered. */
  workSpecNames(): Promise<string[]>;

  /** Finds the worker of this name, or creates it: active, no parent. */
  worker(name: string): Promise<Worker>;
  /** A page of workers, ordered by name. */
  workers(options?: WorkerListOptions): Promise<Worker[]>;

  /**
   * Finishes many attempts in one round trip, with a verdict for each, in the order given. They end first; then the units of their outputs
   * are added: one that names a unit which the same call finishes makes it run again.
   */
  finishAll(reports: readonly AttemptReport[], options?: EndAllOptions): Promise<AttemptVerdict[]>;
  /** Fails many attempts in one round trip. */
  failAll(reports: readonly AttemptReport[], options?: EndAllOptions): Promise<AttemptVerdict[]>;
  /** Renews many leases in one round trip. */
  renewAll(reports: readonly RenewReport[], lifetimeMs?: number): Promise<AttemptVerdict[]>;

  summarize(): Promise<Summary>;
  /**
   * How long a unit of each work spec with available units has waited at most, since it was added or its notBefore has passed; as far as 25
   * units from either end of the order of claiming tell: among them is what is stuck in front, and what others outrank for ever.
   * Always by the time of the database.
   */
  oldestWaiting(): Promise<OldestWaiting[]>;
  /** Removes the namespace and all it holds. Idempotent. */
  destroy(): Promise<void>;
}
