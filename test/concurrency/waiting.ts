import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { onTestFinished } from 'vitest';
import { beforeNextLook } from '../database/until.js';
import type { TestDatabase } from '../support/database.js';

/** Much longer than anything here takes on a busy machine, and much shorter than for ever. */
const soonMs = 8_000;

/** What a promise resolves to, or an error if that takes so long that somebody must be in its way. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  const timer = new AbortController();
  const late = wait(soonMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what}: not within ${soonMs} ms`);
  });
  // Rejects in any case once the timer has been stopped.
  late.catch(() => undefined);
  return Promise.race([promise, late]).finally(() => timer.abort());
}

/** Resolves once so many of this test's sessions wait for a lock with a statement that holds the text. */
export async function untilBlocked({ query, schema }: TestDatabase, text: string, count = 1): Promise<void> {
  const look = async (): Promise<void> => {
    for (;;) {
      const rows = await query(
        `select from pg_stat_activity
         where application_name = $1 and wait_event_type = 'Lock' and position($2 in query) > 0 and pid <> pg_backend_pid()`,
        [`pg-coordinate test ${schema}`, text],
      );
      if (rows.length >= count) return;
      await beforeNextLook();
    }
  };
  await soon(look(), `waiting at "${text}"`);
}

/** Resolves once a promise is settled or a session is blocked at the text: when one of the two must come, and either may. */
export async function untilSettledOrBlocked(promise: Promise<unknown>, database: TestDatabase, text: string): Promise<void> {
  let isSettled = false;
  const settled = promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  );
  const blocked = untilBlocked(database, text).catch((error: unknown) => {
    if (!isSettled) throw error;
  });
  await Promise.race([settled, blocked]);
}

/** The claim gate, closed as a claim that is under way closes it. */
export interface ClosedGate {
  /** Opens it again. (The end of the test does too.) */
  open(): Promise<void>;
}

/** Waits for its turn at the gate, and closes it. */
export async function closeGate(database: TestDatabase): Promise<ClosedGate> {
  const client = await openTransaction(database);
  await client.query(`lock table ${database.bucket}.claim_gate in share update exclusive mode`);
  return {
    open: async () => {
      await client.query('commit');
    },
  };
}

/** A connection on which a transaction is open; rolled back at the end of the test if it still is. */
export async function openTransaction(database: TestDatabase): Promise<Client> {
  const client = await database.client();
  onTestFinished(async () => {
    await client.query('rollback');
  });
  await client.query('begin');
  return client;
}

/** The statement that waits at the gate. */
export const atGate = 'claim_gate';
