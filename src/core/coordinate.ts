import type { Namespace } from './namespace/namespace.js';
import type { Summary } from './summary/summary.js';

/** Which namespaces to list. */
export interface NamespaceQuery {
  /** Only those of these names. @default all */
  readonly names?: readonly string[];
}

/**
 * A connection to one queue, on PostgreSQL or through any other implementation of these interfaces. Everything below it shares
 * its clock and its pool; objects of two connections can not be combined (WrongBackend).
 */
export interface Coordinate extends AsyncDisposable {
  /** Finds the namespace of this name, creating it on first use. The name may be the empty string. */
  namespace(name: string): Promise<Namespace>;

  /** All namespaces, or those there are of some names, ordered by name. None is created. */
  namespaces(query?: NamespaceQuery): Promise<Namespace[]>;

  /** Counts of work units by namespace, work spec and status; zero rows are left out. */
  summarize(): Promise<Summary>;

  /**
   * The time by which the queue goes: the database's, or that of the clock given to `connect()`. Whoever makes a `notBefore` from it does not
   * depend on the clock of this machine.
   */
  now(): Promise<Date>;

  /** Closes the connection once what is under way has ended. Idempotent; any later use raises Closed. */
  close(): Promise<void>;
}

/** What runs a statement of the caller's own transaction: a `pg` client, or anything shaped like one. */
export interface TransactionClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** Lets an operation take part in a transaction that the caller has begun and will commit or roll back. */
export interface TransactionOptions {
  /**
   * The client on which that transaction is open. Without it the operation is a transaction of its own.
   * If the operation raises, PostgreSQL may have aborted the transaction: roll it back.
   */
  readonly client?: TransactionClient;
}
