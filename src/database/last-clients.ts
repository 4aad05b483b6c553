import type { Pool, PoolClient } from 'pg';
import type { PreparedStatement } from './statement.js';

/** For how long that counts, in milliseconds: over a short pause of a worker, as its claims would be planned anew elsewhere; no longer, or each statement that somebody runs now and then would keep a connection of its own open. */
const rememberedMs = 3_000;

interface LastRun {
  client: PoolClient;
  /** By performance.now(). */
  at: number;
}

/**
 * Which client of a pool ran each statement last. A session plans a statement when it first runs it, and again whenever VACUUM or ANALYZE has
 * been at its tables, which can cost as much as running it a few times. So a statement that runs often goes where it ran last, if that client is idle.
 */
export class LastClients {
  readonly #pool: Pool;
  readonly #runs = new Map<string, LastRun>();

  constructor(pool: Pool) {
    this.#pool = pool;
    pool.on('remove', (removed) => {
      for (const [name, { client }] of this.#runs) if (client === removed) this.#runs.delete(name);
    });
  }

  ran({ name }: PreparedStatement, client: PoolClient): void {
    const run = this.#runs.get(name);
    const at = performance.now();
    if (run === undefined) this.#runs.set(name, { client, at });
    else Object.assign(run, { client, at });
  }

  /**
   * Has the pool lend that client to whoever asks for one next. It lends the last of a list that it does not document, after those that others already wait for: so this only
   * moves the client there. Should the list be no more what it was, another client does as well.
   */
  prefer({ name }: PreparedStatement): void {
    const run = this.#runs.get(name);
    if (run === undefined || performance.now() - run.at > rememberedMs) return;
    const { _idle: idle } = this.#pool as unknown as { readonly _idle?: unknown };
    if (!Array.isArray(idle)) return;
    const at = idle.findIndex((item: { readonly client?: PoolClient } | undefined) => item?.client === run.client);
    const to = idle.length - 1 - this.#pool.waitingCount;
    if (at >= 0 && at < to) idle.splice(to, 0, ...(idle.splice(at, 1) as unknown[]));
  }
}
