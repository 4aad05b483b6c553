import type { TestDatabase } from '../support/database.js';

/** Keeps everybody from a table of the bucket while `during` runs, whatever comes of it. */
export async function whileLocked<T>(database: TestDatabase, table: string, during: () => Promise<T>): Promise<T> {
  const blocker = await database.client();
  await blocker.query('begin');
  await blocker.query(`lock table ${database.bucket}.${table} in access exclusive mode`);
  try {
    return await during();
  } finally {
    await blocker.query('rollback');
  }
}
