import type { DataDictionary } from '../../codec/index.js';
import type { TransactionOptions } from '../coordinate.js';
import type { Namespace } from '../namespace/namespace.js';
import type { Summary } from '../summary/summary.js';
import type { WorkUnitName } from '../work-unit/work-unit-name.js';
import type { WorkUnitPage, WorkUnitPart } from '../work-unit/work-unit-page.js';
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

/** How `addWorkUnits` adds what comes from an iterable. */
export interface AddStreamOptions extends TransactionOptions {
  /** Most units in one batch, each a transaction of its own. A batch never holds more than about 4 MB of data. @default 1000 */
  readonly batchSize?: number;
  /** Stops it: no unit is asked for, no batch begun any more; the reason is raised once what is being written has ended. */
  readonly signal?: AbortSignal;
}

/**
 * What to do, how important it is, how many at once, and the units to do it to. Raises Gone once it was deleted.
 *
 * `Data` is the type of its units' data as they are read, `Input` that of what is given to add them: the same, unless a schema makes
 * one of the other (see `namespace.setWorkSpec`). A parameter that is to take any spec whose units are read as `Data` is a
 * `WorkSpec<Data, never>`.
 */
export interface WorkSpec<Data extends DataDictionary = DataDictionary, Input extends DataDictionary = Data> {
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

  /**
   * Adds or replaces one unit; resolves once it is committed. Calls that are made at the same time go to the database together: of the
   * same name twice the last call wins, and an error of the database is told to all of them. A unit that somebody has locked keeps
   * only calls of its own name waiting. Calls made before the connection is closed come to their end. A call with `options.client`
   * goes alone.
   * Raises InvalidArgument for data that cannot be stored, or that the spec's schema does not take; BadPriority; Gone.
   */
  addWorkUnit(
    name: WorkUnitName,
    data: Input,
    meta?: Partial<WorkUnitMeta>,
    options?: TransactionOptions,
  ): Promise<WorkUnit<Data>>;
  /**
   * Adds or replaces many units in one statement, all or none: data and meta are replaced, a finished or failed unit can run
   * again, a pending one goes on undisturbed. Of the same name twice, the last wins.
   * Resolves to the number of distinct names. Raises InvalidArgument, which names the unit by its place (`units[3].data.url`);
   * BadPriority; Gone.
   */
  addWorkUnits(units: readonly NewWorkUnit<Input>[], options?: TransactionOptions): Promise<number>;
  /**
   * Adds what comes from an iterable, such as an async generator or a stream of objects, however many there are: in batches that are
   * committed as they go, not all or none. At most two batches are held in memory; while both are being written no unit is
   * asked for. When the iterable gives nothing for about 100 ms, what has come is written. Within and across batches the last of the
   * same name wins. Resolves to the number of units that came.
   *
   * If the iterable throws, or a unit is bad (InvalidArgument names its place, as `units[1234567].data.url`), what came before it
   * is in; if a batch cannot be written, so are those before it. The error is raised once nothing is being written any more; the
   * iterator is closed, but not waited for if it has yet to answer. To go on after an error add all again: adding a unit twice is no harm unless it has ended meanwhile,
   * as it would then run again.
   *
   * With `options.client` one batch at a time is written on that client, and its transaction decides about all. An iterator, such
   * as a generator, that is given a second time then raises InvalidArgument: make it inside the transaction, which may run again.
   *
   * @example
   * await spec.addWorkUnits(
   *   (async function* () {
   *     for await (const line of createInterface({ input: createReadStream('urls.txt') })) yield { name: line, data: {} };
   *   })(),
   * );
   */
  addWorkUnits(
    units: AsyncIterable<NewWorkUnit<Input>> | Iterable<NewWorkUnit<Input>>,
    options?: AddStreamOptions,
  ): Promise<number>;

  /** The unit of this name; raises NoSuchWorkUnit. */
  workUnit(name: WorkUnitName): Promise<WorkUnit<Data>>;
  /** The units that match, ordered by name, bytewise. */
  workUnits(query?: WorkUnitQuery): Promise<WorkUnit<Data>[]>;
  /**
   * The first page of the units that match, ordered by name, with status and meta and, as `parts` say, their data and attempts: all of a unit as
   * it was at one moment, in a single statement. A page has no more than `query.limit` units, 500, and about 4 MB of data, whichever
   * comes first; `next` says how to go on. `workUnitPages()` goes through all of them.
   *
   * @example
   * const { units, next } = await spec.readWorkUnits({ statuses: ['failed'], limit: 100 }, ['data', 'attempts']);
   */
  readWorkUnits<Part extends WorkUnitPart = never>(query?: WorkUnitQuery, parts?: readonly Part[]): Promise<WorkUnitPage<Data, Part>>;
  /** How many units have which status; statuses no unit has are left out. */
  countWorkUnitStatus(): Promise<Partial<Record<WorkUnitStatus, number>>>;
  summarize(): Promise<Summary>;

  setWorkUnitPriorities(query: WorkUnitQuery, priority: number): Promise<void>;
  /** Adds `by` to the priority of each. */
  adjustWorkUnitPriorities(query: WorkUnitQuery, by: number): Promise<void>;
  /** Deletes the units that match, and all their attempts, in batches; resolves to how many units there were. */
  deleteWorkUnits(query?: WorkUnitQuery): Promise<number>;
}
