import type { TransactionClient } from '../core/coordinate.js';
import { checkTransaction } from './check-transaction.js';
import { driverError } from './driver-error.js';

/** What is used of a Kysely transaction (0.27 and newer). */
export interface KyselyTransaction {
  readonly isTransaction: true;
  withoutPlugins(): { executeQuery(query: never): Promise<{ readonly rows: unknown[] }> };
}

/**
 * Makes a Kysely transaction the `client` of operations that are to commit or roll back with it.
 *
 * The dialect must be Kysely's own PostgresDialect, on `pg`. Plugins do not see the queue's statements. Raises InvalidArgument for
 * anything but a transaction: its statements would not be one.
 *
 * @example
 * await db.transaction().execute(async (trx) => {
 *   await trx.insertInto('orders').values({ id }).execute();
 *   await spec.addWorkUnit(id, { id }, {}, { client: fromKysely(trx) });
 * });
 */
export function fromKysely(trx: KyselyTransaction): TransactionClient {
  checkTransaction(typeof trx?.withoutPlugins === 'function' && trx.isTransaction, trx, 'a Kysely transaction');
  // A plugin that renames columns, such as CamelCasePlugin, would rename those of the answers.
  const plain = trx.withoutPlugins();
  return {
    query: async (text, values = []) => {
      const parameters = values.map((value) => value ?? null);
      const query = {
        sql: text,
        parameters,
        query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
        queryId: { queryId: 'pg-coordinate' },
      };
      try {
        return await plain.executeQuery(query as never);
      } catch (error) {
        throw driverError(error);
      }
    },
  };
}
