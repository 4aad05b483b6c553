import { clientCpuSeconds, cpuSecondsOf, runningProcesses } from '../cpu.js';
import { withClient } from './database.js';

/** What a figure has cost, per job where it says so. */
export interface Readings {
  /** Bytes of write-ahead log per job. */
  readonly walBytes: number;
  /** Row versions that died, per job, and those whose update no index had to hear of. */
  readonly deadTuples: number;
  readonly hotUpdates: number;
  /** Bytes of all indexes and of all tables afterwards. */
  readonly indexBytes: number;
  readonly tableBytes: number;
  /** CPU microseconds of the server and of the clients per job. */
  readonly serverMicros: number;
  readonly clientMicros: number;
  /** The most memory that one worker process used, in bytes. */
  readonly workerRss?: number;
  /** Transactions that collided, as a share of all. */
  readonly abortShare?: number;
}

interface Counters {
  readonly wal: number;
  readonly dead: number;
  readonly hot: number;
  readonly server: number;
  readonly client: number;
}

/** Reads what it costs from here on until stop(). */
export class Meter {
  readonly #url: string;
  readonly #pids: readonly number[];
  readonly #besides: readonly number[];
  readonly #start: Counters;

  private constructor(url: string, pids: readonly number[], besides: readonly number[], start: Counters) {
    this.#url = url;
    this.#pids = pids;
    this.#besides = besides;
    this.#start = start;
  }

  /** `pids` are processes that are clients besides this one; `besides` are those of the server that work for somebody else. They must run until `stop`. */
  static async start(url: string, pids: readonly number[] = [], besides: readonly number[] = []): Promise<Meter> {
    return new Meter(url, pids, besides, await counters(url, pids, besides));
  }

  /**
   * The work is done: resolves to what completes the readings once all connections are closed, as sessions tell of dead rows only then.
   * `everDone` jobs have been done in this database, those before the start included.
   */
  async stop(jobs: number, everDone = jobs): Promise<() => Promise<Readings>> {
    const end = await counters(this.#url, this.#pids, this.#besides);
    const start = this.#start;
    return async () => {
      const later = await counters(this.#url, []);
      const { index, table } = await sizes(this.#url);
      return {
        walBytes: (end.wal - start.wal) / jobs,
        deadTuples: later.dead / everDone,
        hotUpdates: later.hot / everDone,
        indexBytes: index,
        tableBytes: table,
        serverMicros: ((end.server - start.server) / jobs) * 1e6,
        clientMicros: ((end.client - start.client) / jobs) * 1e6,
      };
    };
  }
}

const countersQuery = `
  select
    pg_backend_pid() as pid, pg_current_wal_insert_lsn() - '0/0'::pg_lsn as wal,
    sum(n_tup_upd + n_tup_del) as dead, sum(n_tup_hot_upd) as hot
  from pg_stat_user_tables`;

/** Apart from the counters, as it needs a lock on every table, which the workers' gate would not give it. */
async function sizes(url: string): Promise<{ index: number; table: number }> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ index: string; table: string }>(
      'select sum(pg_indexes_size(relid)) as index, sum(pg_table_size(relid)) as table from pg_stat_user_tables',
    );
    return { index: Number(rows[0]?.index), table: Number(rows[0]?.table) };
  });
}

async function counters(url: string, pids: readonly number[], besides: readonly number[] = []): Promise<Counters> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<Record<'pid' | 'wal' | 'dead' | 'hot', string | number>>(countersQuery);
    const row = rows[0]!;
    const processes = await runningProcesses();
    // All backends are children of the one process that is the parent of ours.
    const postmaster = processes.find(({ pid }) => pid === row.pid)?.parent;
    const ofServer = processes.filter(({ pid, parent }) => (pid === postmaster || parent === postmaster) && !besides.includes(pid));
    const clients = processes.filter(({ pid }) => pids.includes(pid));
    return {
      wal: Number(row.wal),
      dead: Number(row.dead),
      hot: Number(row.hot),
      server: cpuSecondsOf(ofServer),
      client: cpuSecondsOf(clients) + clientCpuSeconds(),
    };
  });
}
