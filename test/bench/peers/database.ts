import pg from 'pg';
import { startEmbeddedPostgres } from './built-product.js';

/** A server that every figure gets a fresh database of. */
export interface BenchServer {
  /** Runs `use` with the URL of a new, empty database, and drops it. */
  withDatabase<T>(use: (url: string) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

/** Starts PostgreSQL with its default, durable settings but for those given. */
export async function startServer(settings: Readonly<Record<string, string>>): Promise<BenchServer> {
  const server = await startEmbeddedPostgres({ settings });
  let serial = 0;
  return {
    async withDatabase(use) {
      const name = `bench_${++serial}`;
      await command(server.url, `create database ${name}`);
      try {
        const url = new URL(server.url);
        url.pathname = name;
        return await use(url.href);
      } finally {
        await command(server.url, `drop database ${name} with (force)`);
      }
    },
    stop: () => server.stop(),
  };
}

/**
 * A server that has been busy for a while only writes over the files of WAL that it has. Another makes one for every 16 MB, which whoever happens to write then
 * waits for: for so long that rates fall by a quarter until a second checkpoint has left enough of them. So as much is written as makes the server take checkpoints,
 * by its default `max_wal_size`.
 */
export async function makeWalFiles(url: string): Promise<void> {
  const [message, messages] = [8_000_000, 140];
  const write = `select pg_logical_emit_message(false, 'bench', repeat('x', ${message})) from generate_series(1, ${messages})`;
  await command(url, write, 'checkpoint');
}

/** Runs statements on a connection of their own. */
export async function command(url: string, ...texts: string[]): Promise<void> {
  await withClient(url, async (client) => {
    for (const text of texts) await client.query(text);
  });
}

/** A connection for as long as `use` takes. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/**
 * What happens to every database sooner or later: autovacuum cleans up and makes statistics; and where filling has taken long, the pages
 * reach the disk.
 */
export async function settle(url: string, { checkpoint = false } = {}): Promise<void> {
  await command(url, 'vacuum (analyze)', ...(checkpoint ? ['checkpoint'] : []));
}
