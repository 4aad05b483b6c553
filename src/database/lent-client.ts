import type { Writable } from 'node:stream';
import type { Pool, PoolClient } from 'pg';

/* What is done with a client that the pool has lent. */

/**
 * A client whose errors are heard from the very moment on that the pool no longer listens to it; whoever gives it back stops listening.
 * With the promise of `pool.connect()` that is a moment too late: a server that ends the session as soon as it has begun may say both in
 * what is read at once, and an error that nobody listens to ends the process.
 */
export function borrow(pool: Pool, onError: (error: Error) => void): Promise<PoolClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (client === undefined) {
        reject(error ?? new Error('the pool has given no client'));
        return;
      }
      client.on('error', onError);
      resolve(client);
    });
  });
}

/** @param broken Whether the pool is to throw it away. */
export function giveBack(client: PoolClient, onError: (error: Error) => void, broken = false): void {
  client.off('error', onError);
  client.release(broken);
}

/** Rejects as soon as the signal fires, which must not have happened yet; a client that comes when nobody is waiting for it any more goes straight back. */
export function untilAborted(
  connecting: Promise<PoolClient>,
  signal: AbortSignal,
  onError: (error: Error) => void,
): Promise<PoolClient> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    connecting
      .then((client) => (signal.aborted ? giveBack(client, onError) : resolve(client)), reject)
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Holds back what is written to the connection meanwhile, and then sends it together. */
export function corked<T>(client: PoolClient, write: () => T): T {
  const { stream } = (client as unknown as { connection?: { stream?: Partial<Writable> } }).connection ?? {};
  stream?.cork?.();
  try {
    return write();
  } finally {
    stream?.uncork?.();
  }
}

/** Whether no transaction is open. A `pg` too old to know is believed: every transaction here ends by commit or rollback. */
export function isIdle(client: PoolClient): boolean {
  return typeof client.getTransactionStatus !== 'function' || client.getTransactionStatus() === 'I';
}

/** A transaction that has failed answers COMMIT with ROLLBACK instead of an error: nobody may take that for a success. */
export async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query('commit');
  if (command !== 'COMMIT') throw new Error('the transaction was rolled back because one of its statements had failed');
}

/** What went wrong before is what the caller must learn; if this fails too the client is discarded, as it is not idle. */
export async function rollBack(client: PoolClient): Promise<void> {
  await client.query('rollback').catch(() => undefined);
}
