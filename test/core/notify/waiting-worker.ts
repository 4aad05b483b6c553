import type { Namespace } from 'pg-coordinate';
import { expect } from 'vitest';
import { workSignal, type WorkSignal } from '../../../src/core/notify/work-signal.js';
import type { TestDatabase } from '../../support/database.js';

/** So long that nothing but a notification can be what ends a wait: a test that meets it has failed. */
export const longMs = 600_000;

/** The notifications of a bucket, as a connection of the test's own hears them. */
export interface Overheard {
  readonly payloads: string[];
  /** Resolves once all that was sent before has been heard. */
  settle(): Promise<void>;
  /** Forgets all that was sent before, what has not been heard yet included. */
  forget(): Promise<void>;
}

export async function overhear(database: TestDatabase): Promise<Overheard> {
  const client = await database.client();
  const payloads: string[] = [];
  const waiting = new Map<string, () => void>();
  client.on('notification', ({ payload = '' }) => {
    const settled = waiting.get(payload);
    if (settled === undefined) payloads.push(payload);
    else settled();
  });
  await client.query(`listen "${database.bucket}"`);
  let marks = 0;
  const settle = async (): Promise<void> => {
    const mark = `mark ${++marks}`;
    const heard = new Promise<void>((resolve) => waiting.set(mark, resolve));
    // Notifications are delivered in the order in which they were committed.
    await database.query('select pg_notify($1, $2)', [database.bucket, mark]);
    await heard;
  };
  return {
    payloads,
    settle,
    forget: async () => {
      await settle();
      payloads.length = 0;
    },
  };
}

/**
 * Ends the connection that listens for the coordinate whose connections have this name, and no other: by the last that it was asked, which
 * is whether the server is still there if it has listened for a while.
 */
export async function cutListener(database: TestDatabase, applicationName: string): Promise<void> {
  const ended = await database.query(
    `select pg_terminate_backend(pid, 10000) as has_ended from pg_stat_activity
      where application_name = $1 and (query ilike 'listen%' or query = 'select 1')`,
    [applicationName],
  );
  expect(ended).toEqual([{ has_ended: true }]);
}

/** A signal that is registered, connected, and has nothing to tell yet. */
export async function armed(namespace: Namespace): Promise<WorkSignal> {
  const signal = workSignal(namespace);
  // Twice: the connection that is made by the first may wake it.
  await signal.arm();
  await signal.arm();
  return signal;
}
