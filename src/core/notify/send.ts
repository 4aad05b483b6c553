import { statement, type Executor } from '../../database/index.js';
import type { Bucket } from '../backend.js';

/** Parameters: channel, payloads. */
const sendPayloads = statement(
  'notify.send',
  () => `select pg_notify($1::text, payload)::text from unnest($2::text[]) payload`,
);

/**
 * Sends notifications on the channel of the bucket: now, or with the commit of the transaction that `on` is part of; never on rollback.
 * What has been done is done, so without a transaction of the caller's a failure is only told to the logger.
 */
export async function send(bucket: Bucket, payloads: readonly string[], on?: Executor): Promise<void> {
  if (payloads.length === 0) return;
  const { database } = bucket.backend;
  const sendOn = (executor: Executor, all = payloads): Promise<unknown> =>
    bucket.run(sendPayloads, [bucket.schema, all], executor);
  if (on === undefined || on === database) {
    await sendOn(database).catch((error: unknown) => {
      database.logger.warn(`others could not be notified: ${error instanceof Error ? error.message : String(error)}`);
    });
  } else if (!database.afterCommit(on, { key: `send ${bucket.schema}`, payloads, run: sendOn })) {
    await sendOn(on);
  }
}
