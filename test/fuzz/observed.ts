import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

/** What a server holds at one moment. */
export interface Holding {
  /** Bytes of memory. */
  readonly rss: number;
  /** Open files, sockets included. */
  readonly files: number;
  /** Connections to the database. */
  readonly connections: number;
}

const pageBytes = 4_096;

/** Looks at a process from outside, every now and then. */
export class Observed {
  readonly samples: Holding[] = [];
  readonly #pid: number;
  readonly #application: string;
  readonly #database: pg.Pool;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor({ pid, application, url }: { readonly pid: number; readonly application: string; readonly url: string }) {
    this.#pid = pid;
    this.#application = application;
    this.#database = new pg.Pool({ connectionString: url, max: 1 });
  }

  async now(): Promise<Holding> {
    const [memory, files, { rows }] = await Promise.all([
      readFile(`/proc/${this.#pid}/statm`, 'utf8'),
      readdir(`/proc/${this.#pid}/fd`),
      this.#database.query<{ count: string }>('select count(*) from pg_stat_activity where application_name = $1', [this.#application]),
    ]);
    return { rss: Number(memory.split(' ')[1]) * pageBytes, files: files.length, connections: Number(rows[0]?.count) };
  }

  start(everyMs: number): void {
    const { signal } = this.#stopping;
    this.#running = (async () => {
      while (!signal.aborted) {
        this.samples.push(await this.now());
        await wait(everyMs, undefined, { signal }).catch(() => undefined);
      }
    })();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#database.end();
  }
}
