import { connect, type ConnectOptions, type PostgresCoordinate } from '../../src/index.js';

/** Where a test's tables are, for its processes. */
export interface Place {
  readonly url: string;
  readonly schema: string;
}

/** A namespace there. */
export interface NamespacePlace extends Place {
  readonly namespace: string;
}

/** Connects under the name by which testDatabase() looks for connections that were left open. */
export function connectTo({ url, schema }: Place, options: ConnectOptions = {}): Promise<PostgresCoordinate> {
  return connect(url, { ...options, schema, pool: { application_name: `pg-coordinate test ${schema}`, ...options.pool } });
}
