import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { afterAll } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/database/embedded/index.js';
import { steadyPort } from '../support/steady-port.js';
import type { CheckedDatabase } from './consistency.js';
import type { Place } from './place.js';

/** A durable server of a test's own, to be crashed. */
export interface CrashingServer extends Place {
  /** SQL beside the queue, on a connection of its own each time. */
  readonly query: CheckedDatabase['query'];
  readonly bucket: string;
  /** Stops it at once: no checkpoint, nothing more is written to the disk, every connection breaks. Resolves when it is down. */
  crash(): Promise<void>;
  /** Starts it again on the same data and port; it recovers from what is on the disk. */
  restart(): Promise<void>;
  /** Kills one of its processes, upon which it drops what is in its memory, ends the others and recovers; resolves when it is up. */
  killBackend(): Promise<void>;
}

/**
 * Writes its log to the disk only when a transaction that waits for it commits, never by itself: what PostgreSQL does not promise
 * to be there after a crash is not there.
 */
const settings = { wal_writer_delay: '10s', shared_buffers: '32MB', autovacuum: 'off', bgwriter_lru_maxpages: '0' };

/** Starts a server; after the file's tests it is stopped, and its data are deleted. */
export async function crashingServer(): Promise<CrashingServer> {
  const dataDirectory = join(tmpdir(), `pg-coordinate-crash-${randomUUID()}`);
  const options = { dataDirectory, settings, port: await steadyPort() };
  let server: EmbeddedPostgres = await startEmbeddedPostgres(options);
  const { url } = server;
  afterAll(async () => {
    await server.stop();
    await rm(dataDirectory, { recursive: true });
  });
  const schema = 'coordinate';

  return {
    url,
    schema,
    bucket: `${schema}_bucket_1`,
    query: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
      withClient(url, async (client) => (await client.query<Row>(text, values)).rows),
    async crash() {
      const [pid] = (await readFile(join(dataDirectory, 'data/postmaster.pid'), 'utf8')).split('\n');
      // SIGQUIT is as hard as SIGKILL on all its processes, but for its shared memory, which stays in the system after SIGKILL.
      process.kill(Number(pid), 'SIGQUIT');
      await server.stop();
    },
    async restart() {
      server = await startEmbeddedPostgres(options);
    },
    async killBackend() {
      await withClient(url, async (client) => {
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
        const broken = new Promise((resolve) => client.once('end', resolve));
        process.kill(rows[0]!.pid, 'SIGKILL');
        await broken;
      });
      await untilUp(url);
    },
  };
}

async function untilUp(url: string): Promise<void> {
  for (;;) {
    try {
      await withClient(url, (client) => client.query('select'));
      return;
    } catch {
      // It says that it is recovering, at once: ask it again a little later.
      await wait(20);
    }
  }
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  // A server that crashes ends the connection: that is wanted here.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
