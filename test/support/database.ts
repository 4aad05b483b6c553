import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { connect, drop, type ConnectOptions, type PostgresCoordinate } from 'pg-coordinate';
import { afterAll, expect, inject } from 'vitest';
import { beforeNextLook } from '../database/until.js';

/** Tables of one test file's own, in a schema of their own; removed when the file's tests have run. */
export interface TestDatabase {
  readonly url: string;
  readonly schema: string;
  /** The schema of bucket 1. */
  readonly bucket: string;
  /** Connects; closed after the file's tests if the test has not done so. */
  connect(options?: ConnectOptions): Promise<PostgresCoordinate>;
  /** Runs SQL beside the queue. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** A connection of its own, closed after the file's tests. */
  client(): Promise<pg.Client>;
}

/** Makes the tables, and after the file's tests removes them, and checks that no connection of theirs is left. */
export async function testDatabase(options: ConnectOptions = {}): Promise<TestDatabase> {
  const url = inject('databaseUrl');
  const schema = options.schema ?? `test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const application = `pg-coordinate test ${schema}`;
  const open: PostgresCoordinate[] = [];
  const clients: pg.Client[] = [];
  const own = new pg.Pool({ connectionString: url, max: 4, application_name: application });
  // Tests cut connections, those of others who do so at the same time included.
  own.on('error', () => undefined);

  const connectTo = async (more: ConnectOptions = {}): Promise<PostgresCoordinate> => {
    const coordinate = await connect(url, {
      schema,
      ...options,
      ...more,
      pool: { application_name: application, ...options.pool, ...more.pool },
    });
    open.push(coordinate);
    return coordinate;
  };
  await (await connectTo({ migrate: true })).close();

  afterAll(async () => {
    await Promise.all(open.map((coordinate) => coordinate.close()));
    await Promise.all(clients.map((client) => client.end()));
    await own.end();
    await drop(url, { schema });
    await expectNoConnections(url, application);
  });

  return {
    url,
    schema,
    bucket: `${schema}_bucket_1`,
    connect: connectTo,
    query: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => (await own.query<Row>(text, values)).rows,
    client: async () => {
      const client = new pg.Client({ connectionString: url, application_name: application });
      await client.connect();
      clients.push(client);
      return client;
    },
  };
}

/** A backend ends a moment after its client has gone: wait for that, but not for ever. */
async function expectNoConnections(url: string, application: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const deadline = performance.now() + 10_000;
    const look = async (): Promise<pg.QueryResultRow[]> => {
      const text = 'select pid, state, query from pg_stat_activity where application_name = $1';
      return (await client.query<pg.QueryResultRow>(text, [application])).rows;
    };
    let left = await look();
    while (left.length > 0 && performance.now() < deadline) {
      await beforeNextLook();
      left = await look();
    }
    expect(left, 'connections left open by the tests').toEqual([]);
  } finally {
    await client.end();
  }
}
