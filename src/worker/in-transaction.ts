import type { Coordinate, TransactionOptions } from '../core/coordinate.js';
import { PostgresCoordinate } from '../core/postgres-coordinate.js';

/**
 * Runs several operations in one transaction; through an implementation that has none, one after the other: then a crash between two
 * leaves the first.
 */
export function inTransaction<T>(coordinate: Coordinate, work: (options: TransactionOptions) => Promise<T>): Promise<T> {
  if (!(coordinate instanceof PostgresCoordinate)) return work({});
  return coordinate.transaction((client) => work({ client }));
}
