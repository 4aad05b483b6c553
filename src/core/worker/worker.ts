import type { DataDictionary } from '../../codec/index.js';
import type { Attempt } from '../attempt/attempt.js';
import type { Namespace } from '../namespace/namespace.js';
import type { WorkUnit } from '../work-unit/work-unit.js';
import type { AttemptRequest } from './attempt-request.js';

/** A worker as it is in the database at one moment. */
export interface WorkerState {
  /** The name of its parent, or null. */
  readonly parent: string | null;
  readonly active: boolean;
  /** "" until the first update. */
  readonly mode: string;
  /** Null until the first update. */
  readonly data: DataDictionary | null;
  readonly expiration: Date;
  readonly lastUpdate: Date;
}

/** A heartbeat. */
export interface WorkerUpdate {
  readonly data: DataDictionary | null;
  /** When this was said. @default the connection's clock */
  readonly now?: Date;
  /** When to give the worker up. @default 15 minutes after `now` */
  readonly expiration?: Date;
  /** @default '' */
  readonly mode?: string;
}

/** A page of a worker's attempts. */
export interface AttemptListOptions {
  /** Only attempts with a greater number. @default 0 */
  readonly after?: number;
  /** At most so many. @default 1000 */
  readonly limit?: number;
}

/** Somebody who does work. Raises Gone once its namespace was destroyed. */
export interface Worker {
  readonly name: string;
  readonly namespace: Namespace;

  read(): Promise<WorkerState>;
  /** Makes it active and records what is given. */
  update(update: WorkerUpdate): Promise<void>;
  deactivate(): Promise<void>;
  /** Raises WrongBackend when the parent belongs to another connection, InvalidArgument when it is of another namespace. */
  setParent(parent: Worker | null): Promise<void>;
  /** Ordered by name. */
  children(): Promise<Worker[]>;

  /**
   * Asks for work. All attempts are of one work spec (given as objects, the specs lend them the type of their data); none when there is nothing to do. Raises nothing for a race that was lost:
   * it looks again.
   */
  requestAttempts<Data extends DataDictionary = DataDictionary>(request?: AttemptRequest<Data>): Promise<Attempt<Data>[]>;
  /** Forces an attempt (15 minutes by default) whatever the unit's state; the former active attempt is superseded. */
  makeAttempt<Data extends DataDictionary>(unit: WorkUnit<Data>, lifetimeMs?: number): Promise<Attempt<Data>>;
  /** The same for many units in one statement, in the order given: all, or none if one of them is gone. Each unit once. */
  makeAttempts<Data extends DataDictionary>(units: readonly WorkUnit<Data>[], lifetimeMs?: number): Promise<Attempt<Data>[]>;

  /** Its pending attempts, also those that are no longer their unit's active one; by number. */
  activeAttempts(): Promise<Attempt[]>;
  /** Everything it ever did, but for deleted units; by number, a page at a time. */
  allAttempts(options?: AttemptListOptions): Promise<Attempt[]>;
  /** The pending attempts of all its children that are their unit's active one, read at one moment; by number. */
  childAttempts(): Promise<Attempt[]>;
}
