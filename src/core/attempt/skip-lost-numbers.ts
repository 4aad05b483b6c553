import { statement } from '../../database/index.js';
import type { Bucket } from '../backend.js';

/**
 * More attempt numbers than can be given out in the time that a crash makes the server forget (three times its wal_writer_delay,
 * 0.6 s by default), and few enough to crash tens of millions of times.
 */
const skipped = 100_000_000;

/** Whether claims may go on: a crash of the server empties the unlogged table that this asks. */
const checkForCrash = statement('attempt.check-for-crash', (s) => `select from ${s}.no_crash_since limit 1`);

/** Parameters: how many numbers to skip. */
const skipNumbers = statement(
  'attempt.skip-numbers',
  (s) => `
    with skipped as (
      select setval('${s.replaceAll("'", "''")}.attempt_number', nextval('${s.replaceAll("'", "''")}.attempt_number') + $1::bigint)
    )
    insert into ${s}.no_crash_since (checked_at) select statement_timestamp() from skipped`,
);

/**
 * Claims do not wait for the disk. If the server crashed, the newest numbers it gave out may be forgotten, and giving one out again
 * would let a zombie pass the fence with its successor's number. So the first claim after a crash skips far ahead, and waits for
 * the disk before anybody claims.
 */
export async function skipLostNumbers(bucket: Bucket): Promise<void> {
  await bucket.backend.database.transaction({}, async (transaction) => {
    await transaction.query(bucket.lockGate);
    const isIntact = await bucket.run(checkForCrash, [], transaction);
    if (isIntact.length > 0) return;
    await transaction.query('set local synchronous_commit = on');
    await bucket.run(skipNumbers, [skipped], transaction);
  });
}
