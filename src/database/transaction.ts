import type { PoolClient } from 'pg';
import type { PreparedStatement } from './statement.js';

/** A row as it comes from the driver: turn it into an object in a `from-row` function. */
export type Row = Readonly<Record<string, unknown>>;

/** What runs prepared statements: the pool, or a transaction. */
export interface Executor {
  run(statement: PreparedStatement, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** What a caller's own transaction runs on, by shape: `pg` clients have it, and so can any other driver's. */
export interface ForeignClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** A transaction that this database has begun. */
export interface Transaction extends Executor, ForeignClient {
  /** The `pg` client it runs on. */
  readonly client: PoolClient;
  /** A transaction inside this one (a savepoint): if it throws, only what it did is undone. */
  nested<T>(body: (transaction: Transaction) => Promise<T>): Promise<T>;
}

export interface TransactionSettings {
  /** @default 'read committed' */
  readonly isolation?: 'read committed' | 'serializable';
  /** Stops trying again, and rolls back at the next statement, when it fires. */
  readonly signal?: AbortSignal;
}

/** A statement with its values. */
export type StatementStep = readonly [statement: PreparedStatement, values: readonly unknown[]];

/** A command, or a statement with its values. */
export type TransactionStep = string | StatementStep;

/** What is done on the same client once a transaction is committed; its failure is told to the logger, and undoes nothing. */
export interface AfterCommit {
  /** Neighbours of one key are done as one, with the payloads of all. */
  readonly key: string;
  readonly payloads: readonly string[];
  /** Done after the others, all of one key as one. @default false */
  readonly isLast?: boolean;
  readonly run: (on: Executor, payloads: readonly string[]) => Promise<unknown>;
}

/** Of a transaction whose steps are known beforehand. */
export interface OneTripSettings {
  readonly isolation?: TransactionSettings['isolation'] | 'repeatable read';
  /** Told each time that it begins again because it has met others. */
  readonly onRetry?: () => void;
}
