import type { TransactionClient } from 'pg-coordinate';

/** A library that the tests write rows with, in the table `receipt (id text primary key)`. */
export interface Library {
  /** Runs `body` in a transaction of the library: commits, or rolls back when it throws. */
  transaction<T>(body: (client: TransactionClient, insert: (id: string) => Promise<unknown>) => Promise<T>): Promise<T>;
  /** Tries to make a client of what is no transaction. */
  withoutTransaction(): TransactionClient;
  close(): Promise<unknown>;
}

/** How to get at the tests' database. */
export interface Place {
  readonly connectionString: string;
  readonly schema: string;
  readonly application_name: string;
}

export type OpenLibrary = (place: Place) => Library;
