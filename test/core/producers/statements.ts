import pg from 'pg';
import { connect, type PostgresCoordinate } from 'pg-coordinate';
import type { TestDatabase } from '../../support/database.js';

/** A coordinate on a pool that keeps the label of every statement it sends. */
export interface CountedConnection {
  readonly coordinate: PostgresCoordinate;
  /** How many statements of a label were sent since this was asked last. */
  sent(label: string): number;
  /** The labels that begin like this of all that were sent since either was asked last, in order. */
  sentOf(prefix: string): string[];
  close(): Promise<void>;
}

/** Connects on a pool of the test's own. */
export async function countedConnection(database: TestDatabase, max = 10): Promise<CountedConnection> {
  const texts: string[] = [];
  class CountedClient extends pg.Client {}
  // The overloads of query() are passed on as they come.
  const query = CountedClient.prototype.query as (...args: unknown[]) => unknown;
  Object.assign(CountedClient.prototype, {
    query(this: pg.Client, ...args: unknown[]): unknown {
      const [config] = args;
      texts.push(typeof config === 'object' && config !== null && 'text' in config ? String(config.text) : String(config));
      return query.apply(this, args);
    },
  });
  const application = `pg-coordinate test ${database.schema}`;
  const pool = new pg.Pool({ connectionString: database.url, application_name: application, Client: CountedClient, max });
  const coordinate = await connect(pool, { schema: database.schema });
  return {
    coordinate,
    sent: (label) => {
      const count = texts.filter((text) => text.startsWith(`/* pg-coordinate:${label} */`)).length;
      texts.length = 0;
      return count;
    },
    sentOf: (prefix) => {
      const labels = texts.map((text) => /^\/\* pg-coordinate:(\S+) \*\//.exec(text)?.[1] ?? '').filter((label) => label.startsWith(prefix));
      texts.length = 0;
      return labels;
    },
    close: async () => {
      await coordinate.close();
      await pool.end();
    },
  };
}
