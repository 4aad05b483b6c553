import { statement, type Executor, type Row, type Statement } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { isWatchedFully } from './is-watched.js';
import { sumAdded, workPayload } from './payload.js';
import { send } from './send.js';

/**
 * Wakes those who wait for work in a namespace; nearly nothing while nobody does: one probe of waiter_waiting, and no WAL. READ
 * COMMITTED and after the commit of what made units available: who registered before is seen here, and who registers later sees
 * the units. Not if none but listeners of this very connection wait, who are told without the server. Parameters: namespace id, how the names
 * of those begin.
 */
const wakeWaiters = statement(
  'notify.wake',
  (s) => `
    select
      case when (
        select true from ${s}.waiter
        where namespace_id = $1::bigint and waiting and since > statement_timestamp() - interval '30 seconds'
          and not starts_with(listener, $2::text)
        order by since limit 1
      ) then ${s}.wake_waiters($1::bigint) end as woken,
      ${isWatchedFully(s, '$1')} as watched`,
);

/**
 * The same inside a caller's transaction: it notifies when that commits. It must not touch the waiters' rows, which would stay
 * locked for as long as the transaction takes. Who waited within the last second may do so again by then. The cast: some drivers cannot
 * read a column of type void.
 * Indexes: waiter_waiting, waiter_since. Parameters: namespace id, channel, payload.
 */
const wakeWithCommit = statement(
  'notify.wake-with-commit',
  (s) => `
    select
      case when (
        select true from ${s}.waiter
        where namespace_id = $1::bigint and waiting and since > statement_timestamp() - interval '30 seconds'
        order by since limit 1
      ) or (
        select true from ${s}.waiter
        where namespace_id = $1::bigint and since > statement_timestamp() - interval '1 second'
        order by since limit 1
      ) then pg_notify($2::text, $3::text)::text end as woken,
      ${isWatchedFully(s, '$1')} as watched`,
);

/** Wakes who waits for work in a namespace, for what is committed already, and announces it; a failure is told to the logger. */
export async function wakeWhoWaits(bucket: Bucket, namespaceId: number, payloads: readonly string[]): Promise<void> {
  const { id, database } = bucket.backend;
  wakeHere(bucket, namespaceId);
  const [woken] = await bucket.run(wakeWaiters, [namespaceId, id]).catch((error: unknown) => {
    database.logger.warn(`others could not be notified: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  });
  if (woken?.watched === true) await send(bucket, payloads);
}

/** Wakes who waits for work in a namespace on this very connection. */
export function wakeHere({ backend, schema }: Bucket, namespaceId: number): void {
  backend.listener.deliver(schema, workPayload(namespaceId));
}

/** Wakes those of them who may wait for attempts of these specs to end, once what `on` is part of is committed; nobody, where only the caller knows when that is. */
export function wakeForEnds(bucket: Bucket, namespaceId: number, specIds: readonly number[], on: Executor): void {
  const { database } = bucket.backend;
  const wake = (ids: readonly number[]): void => {
    if (bucket.awaitedEnds.ended(ids)) wakeHere(bucket, namespaceId);
  };
  if (on === database) wake(specIds);
  else {
    const task = { key: `ends ${bucket.schema} ${namespaceId}`, payloads: specIds.map(String), isLast: true };
    database.afterCommit(on, { ...task, run: async (_, payloads) => wake(payloads.map(Number)) });
  }
}

/** What is to be announced of a statement's answer, as payloads, if anybody watches the namespace. */
export type Announcement = (rows: readonly Row[]) => readonly string[];

/** What has to follow a statement before it counts as done. */
export interface Confirmation {
  readonly step: readonly [statement: Statement, values: readonly unknown[]];
  /** Given the rows of the statement, and those of `step`, undefined if that failed. Rejects if the statement does not count. */
  readonly confirm: (of: readonly Row[], rows: readonly Row[] | undefined) => Promise<void>;
}

export interface WakeOptions {
  /** What the statement is part of. @default a transaction of its own */
  readonly on?: Executor | undefined;
  /** @default nothing is announced */
  readonly announcement?: Announcement;
  /** Follows the waking; for a transaction of its own. @default nothing has to */
  readonly confirmation?: Confirmation | undefined;
}

/**
 * Runs a statement that may make units available, and wakes who waits for work in the namespace: right behind it on the same client; once
 * the transaction that `on` is part of is committed; or, where only the caller knows when that is, with its commit. Waking
 * fails or repeats nothing: who is not woken looks by itself before long.
 */
export async function runAndWake(
  bucket: Bucket,
  namespaceId: number,
  [of, values]: readonly [statement: Statement, values: readonly unknown[]],
  { on = bucket.backend.database, announcement = () => [], confirmation }: WakeOptions = {},
): Promise<readonly Row[]> {
  const { id, database } = bucket.backend;
  const wake = [wakeWaiters, [namespaceId, id]] as const;
  const isWatched = ([answer]: readonly Row[] = []): boolean => answer?.watched === true;
  // Those of this very connection need not wait for the server's word, which takes longer.
  const wakeOwn = (): void => wakeHere(bucket, namespaceId);
  if (on === database) {
    // Whatever is heard of it: an answer that is lost is no commit that is lost.
    const others = [bucket.step(...wake), ...(confirmation ? [bucket.step(...confirmation.step)] : [])];
    const [rows, woken, confirmed] = await database.runAndFollow(bucket.step(of, values), ...others).finally(wakeOwn);
    bucket.wakes.note(namespaceId, { woken: woken?.[0]?.woken === true });
    // Still the same piece of work.
    await database.continuing(() => confirmation?.confirm(rows, confirmed));
    if (isWatched(woken)) await send(bucket, announcement(rows));
    return rows;
  }
  const rows = await bucket.run(of, values, on);
  const isOurs = database.afterCommit(on, {
    key: `wake ${bucket.schema} ${namespaceId}`,
    payloads: announcement(rows),
    run: async (client, payloads) => {
      const woken = await bucket.run(...wake, client).finally(wakeOwn);
      if (isWatched(woken)) await send(bucket, sumAdded(payloads), client);
    },
  });
  if (!isOurs) {
    const woken = await bucket.run(wakeWithCommit, [namespaceId, bucket.schema, workPayload(namespaceId)], on);
    if (isWatched(woken)) await send(bucket, announcement(rows), on);
  }
  return rows;
}
