import pg from 'pg';
import { connect, type PostgresCoordinate } from 'pg-coordinate';
import { vi } from 'vitest';
import type { TestDatabase } from '../../support/database.js';

/** A coordinate whose statements' labels are kept. */
export interface CountedConnection {
  readonly coordinate: PostgresCoordinate;
  /** How many statements of a label were sent since this was asked last. */
  sent(label: string): number;
  /** The labels of those sent since this was asked last that begin like this, but for what a process does behind everybody's back at a moment that nobody can tell. */
  sentOf(prefix: string): readonly string[];
  close(): Promise<void>;
}

/** Connects on a pool of the test's own. */
export async function countedConnection(database: TestDatabase, max = 10): Promise<CountedConnection> {
  class CountedClient extends pg.Client {}
  const texts: string[] = [];
  // The overloads of query() are passed on as they come.
  const query = CountedClient.prototype.query as (...args: unknown[]) => unknown;
  Object.assign(CountedClient.prototype, {
    query(this: pg.Client, ...args: unknown[]): unknown {
      texts.push(textOf(args));
      return query.apply(this, args);
    },
  });
  const application = `pg-coordinate test ${database.schema}`;
  const pool = new pg.Pool({ connectionString: database.url, application_name: application, Client: CountedClient, max });
  const coordinate = await connect(pool, { schema: database.schema });
  return {
    coordinate,
    ...readers(texts),
    close: async () => {
      await coordinate.close();
      await pool.end();
    },
  };
}

/** Connects with a pool of the queue's. Until it is closed, what others in this process send is counted as well. */
export async function countedOwnConnection(database: TestDatabase): Promise<CountedConnection> {
  const texts: string[] = [];
  const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: unknown[]) {
    texts.push(textOf(args));
    return query.apply(this, args);
  });
  const coordinate = await database.connect();
  return {
    coordinate,
    ...readers(texts),
    close: async () => {
      await coordinate.close();
      spy.mockRestore();
    },
  };
}

/** Housekeeping that is due after a number of others which is drawn by lot, or once in the life of a process. */
const behindOnesBack = new Set(['work-unit.adopt-ready', 'work-unit.rotate-ready', 'summary.fold-counts', 'attempt.drop-empty-ranges']);

function textOf([config]: readonly unknown[]): string {
  return typeof config === 'object' && config !== null && 'text' in config ? String(config.text) : String(config);
}

function readers(texts: string[]): Pick<CountedConnection, 'sent' | 'sentOf'> {
  return {
    sent: (label) => {
      const count = texts.filter((text) => text.startsWith(`/* pg-coordinate:${label} */`)).length;
      texts.length = 0;
      return count;
    },
    sentOf: (prefix) => {
      const labels = texts.map((text) => /^\/\* pg-coordinate:(\S+) \*\//.exec(text)?.[1] ?? '').filter((label) => label.startsWith(prefix) && !behindOnesBack.has(label));
      texts.length = 0;
      return labels;
    },
  };
}
