import type { DataDictionary } from '../../codec/index.js';
import type { TransactionOptions } from '../coordinate.js';
import type { Namespace } from '../namespace/namespace.js';
import type { Summary } from '../summary/summary.js';
import type { WorkUnitName } from '../work-unit/work-unit-name.js';
import type { WorkUnitStatus } from '../work-unit/work-unit-status.js';
import type { WorkUnit, WorkUnitMeta } from '../work-unit/work-unit.js';
import type { WorkSpecMeta } from './work-spec-meta.js';
import type { WorkUnitQuery } from './work-unit-query.js';

/** The definition of a work spec: `name`, the keys the scheduler reads (see model), and any others, kept as they are. */
export interface WorkSpecData extends DataDictionary {
  readonly name: string;
}

/** One unit to add. */
export interface NewWorkUnit<Data extends DataDictionary = DataDictionary> {
  readonly name: WorkUnitName;
  readonly data: Data;
  readonly meta?: Partial<WorkUnitMeta>;
}

/** What to do, how important it is, how many at once, and the units to do it to. Raises Gone once it was deleted. */
export interface WorkSpec<Data extends DataDictionary = DataDictionary> {
  readonly name: string;
  readonly namespace: Namespace;

  /** The definition. */
  data(): Promise<WorkSpecData>;
  /**
   * Redefines the spec: every meta field is reset from the data, except that a nextContinuous in the future stays.
   * Raises NoWorkSpecName, BadWorkSpecName, ChangedName.
   */
  setData(data: DataDictionary): Promise<void>;

  /** With `counts`, availableCount and pendingCount are filled in; it costs a count of pending and delayed units. */
  meta(options?: { readonly counts?: boolean }): Promise<WorkSpecMeta>;
  /** Changes the fields given. `continuous: true` on a spec that cannot be continuous is cleared, not an error. */
  setMeta(meta: Partial<WorkSpecMeta>): Promise<void>;

  /** Adds or replaces one unit. */
  addWorkUnit(
    name: WorkUnitName,
    data: Data,
    meta?: Partial<WorkUnitMeta>,
    options?: TransactionOptions,
  ): Promise<WorkUnit<Data>>;
  /**
   * Adds or replaces many units in one statement, all or none: data and meta are replaced, a finished or failed unit can run
   * again, a pending one goes on undisturbed. Of the same name twice, the last wins.
   * Resolves to the number of distinct names.
   */
  addWorkUnits(units: readonly NewWorkUnit<Data>[], options?: TransactionOptions): Promise<number>;

  /** The unit of this name; raises NoSuchWorkUnit. */
  workUnit(name: WorkUnitName): Promise<WorkUnit<Data>>;
  /** The units that match, ordered by name, bytewise. */
  workUnits(query?: WorkUnitQuery): Promise<WorkUnit<Data>[]>;
  /** How many units have which status; statuses no unit has are left out. */
  countWorkUnitStatus(): Promise<Partial<Record<WorkUnitStatus, number>>>;
  summarize(): Promise<Summary>;

  setWorkUnitPriorities(query: WorkUnitQuery, priority: number): Promise<void>;
  /** Adds `by` to the priority of each. */
  adjustWorkUnitPriorities(query: WorkUnitQuery, by: number): Promise<void>;
  /** Deletes the units that match, and all their attempts, in batches; resolves to how many units there were. */
  deleteWorkUnits(query?: WorkUnitQuery): Promise<number>;
}
