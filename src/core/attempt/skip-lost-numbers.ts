import { statement } from '../../database/index.js';
import type { Bucket } from '../backend.js';

/**
 * More attempt numbers than can be given out in the time that a crash makes the server forget (three times its wal_writer_delay,
 * 0.6 s by default), and few enough to crash tens of millions of times.
 */
const skipped = 100_000_000;

/** Whether claims may go on: a crash of the server empties the unlogged table that this asks. */
const checkForCrash = statement('attempt.check-for-crash', (s) => `select from ${s}.no_crash_since limit 1`);

/** Does nothing when somebody else has done it. Parameters: how many numbers to skip. */
const skipNumbers = statement(
  'attempt.skip-numbers',
  (s) => `
    with crashed as (
      select where not exists (select from ${s}.no_crash_since)
    ),
    skipped as (
      select setval(
        '${s.replaceAll("'", "''")}.attempt_number', nextval('${s.replaceAll("'", "''")}.attempt_number') + $1::bigint
      )
      from crashed
    )
    insert into ${s}.no_crash_since (checked_at) select statement_timestamp() from skipped`,
);

/**
 * Claims do not wait for the disk. If the server crashed, the newest numbers it gave out may be forgotten, and giving one out again
 * would let a zombie pass the fence with its successor's number. So the first claim after a crash finds no_crash_since empty and
 * claims nothing; this skips far ahead, and waits for the disk, before anybody goes on.
 */
export async function skipLostNumbers(bucket: Bucket): Promise<void> {
  const isIntact = await bucket.run(checkForCrash);
  if (isIntact.length === 0) await bucket.runThroughGate(skipNumbers, [skipped], { waitForDisk: true });
}
