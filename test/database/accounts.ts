import type { TestDatabase } from '../support/database.js';

/** A table of the tests' own beside the queue's. */
export interface Accounts {
  readonly table: string;
  /** Empties the table, and fills it with these amounts under the ids 1, 2, … */
  reset(...amounts: number[]): Promise<void>;
  /** What has been committed, by id. */
  read(): Promise<number[]>;
}

export async function makeAccounts(database: TestDatabase): Promise<Accounts> {
  const table = `${database.schema}.account`;
  await database.query(`create table ${table} (id integer primary key, amount integer not null)`);
  return {
    table,
    reset: async (...amounts) => {
      await database.query(`truncate ${table}`);
      await database.query(`insert into ${table} select n, amount from unnest($1::integer[]) with ordinality as a (amount, n)`, [amounts]);
    },
    read: async () => (await database.query<{ amount: number }>(`select amount from ${table} order by id`)).map(({ amount }) => amount),
  };
}
