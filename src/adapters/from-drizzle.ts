import type { TransactionClient } from '../core/coordinate.js';
import { checkTransaction } from './check-transaction.js';
import { driverError } from './driver-error.js';

/** What is used of a Drizzle transaction. */
export interface DrizzleTransaction {
  execute(query: never): PromiseLike<unknown>;
  rollback(): never;
}

/**
 * Makes a Drizzle transaction the `client` of operations that are to commit or roll back with it.
 *
 * The driver must be node-postgres (`drizzle-orm/node-postgres`). Raises InvalidArgument for anything but a transaction: its
 * statements would not be one. PostgreSQL's errors come as the driver's own, not inside a DrizzleQueryError.
 *
 * @example
 * await db.transaction(async (tx) => {
 *   await tx.insert(orders).values({ id });
 *   await spec.addWorkUnit(id, { id }, {}, { client: fromDrizzle(tx) });
 * });
 */
export function fromDrizzle(tx: DrizzleTransaction): TransactionClient {
  checkTransaction(typeof tx?.execute === 'function' && typeof tx.rollback === 'function', tx, 'a Drizzle transaction');
  return {
    query: async (text, values = []) => {
      const parameters = values.map((value) => value ?? null);
      try {
        return (await tx.execute(rawQuery(text, parameters) as never)) as { rows: unknown[] };
      } catch (error) {
        throw driverError(error);
      }
    },
  };
}

/** What Drizzle takes for SQL: something that can say what its text and parameters are. */
function rawQuery(sql: string, params: readonly unknown[]): object {
  const query = { getSQL: () => query, toQuery: () => ({ sql, params, typings: [] }) };
  return query;
}
