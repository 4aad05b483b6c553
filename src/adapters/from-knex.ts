import type { TransactionClient } from '../core/coordinate.js';
import { checkTransaction } from './check-transaction.js';
import { driverError } from './driver-error.js';

/** What is used of a Knex transaction. */
export interface KnexTransaction {
  readonly isTransaction?: boolean;
  isCompleted(): boolean;
  raw(sql: string, bindings: never): PromiseLike<unknown>;
}

/**
 * Makes a Knex transaction the `client` of operations that are to commit or roll back with it.
 *
 * The Knex client must be `pg`. A `postProcessResponse` of its configuration must leave the names of columns in the answers of
 * `raw` as they are. Raises InvalidArgument for anything but a transaction: its statements would not be one.
 *
 * @example
 * await knex.transaction(async (trx) => {
 *   await trx('orders').insert({ id });
 *   await spec.addWorkUnit(id, { id }, {}, { client: fromKnex(trx) });
 * });
 */
export function fromKnex(trx: KnexTransaction): TransactionClient {
  checkTransaction(typeof trx?.raw === 'function' && trx.isTransaction === true, trx, 'a Knex transaction');
  return {
    query: async (text, values = []) => {
      const { sql, bindings } = withQuestionMarks(text, values);
      try {
        return (await trx.raw(sql, bindings as never)) as { rows: unknown[] };
      } catch (error) {
        throw driverError(error);
      }
    },
  };
}

/** Knex has no numbered parameters: each place gets a `?` and a binding of its own, and any other question mark is escaped. */
export function withQuestionMarks(text: string, values: readonly unknown[]): { sql: string; bindings: unknown[] } {
  const bindings: unknown[] = [];
  const sql = text.replaceAll(/\?|\$(\d+)/g, (found, number: string | undefined) => {
    if (number === undefined) return `\\${found}`;
    bindings.push(values[Number(number) - 1] ?? null);
    return '?';
  });
  return { sql, bindings };
}
