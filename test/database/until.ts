import { setTimeout as wait } from 'node:timers/promises';
import type { TestDatabase } from '../support/database.js';

/** Before another look: whoever looks without a pause takes a processor, and another one of the database's, from what is looked for. */
export async function beforeNextLook(): Promise<void> {
  await wait(3);
}

/** Looks again and again until it is so; fails when it takes too long. */
export async function until(what: string, check: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`it did not come about that ${what}`);
    await beforeNextLook();
  }
}

/** Until one of the sessions of an application waits for a lock; by default, of the test's own. */
export function untilWaiting(database: TestDatabase, application = `pg-coordinate test ${database.schema}`): Promise<void> {
  return until('a session waits for a lock', async () => {
    const rows = await database.query(
      `select from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`,
      [application],
    );
    return rows.length > 0;
  });
}
