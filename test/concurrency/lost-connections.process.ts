/* Operations that lose their connection. Run by lost-connections.test.ts, in a process of its own since they must not end it. */
import pg from 'pg';
import { connect, CoordinateError, type PostgresCoordinate } from '../../src/index.js';
import { connectTo, type NamespacePlace } from './place.js';
import { serveTasks } from './serve-tasks.js';

const tasks = {
  /** The connection ends between two statements of a transaction. Resolves to how the transaction ended, and the next one. */
  betweenStatements: (place: NamespacePlace) =>
    trying(place, (coordinate, end) =>
      coordinate.transaction(async (client) => {
        const { rows } = await client.query('select pg_backend_pid() as pid');
        await end((rows[0] as { pid: number }).pid);
        await client.query('select 1');
      }),
    ),

  /** The same, but the transaction is caught unawares and commits. */
  beforeCommit: (place: NamespacePlace) =>
    trying(place, (coordinate, end) =>
      coordinate.transaction(async (client) => {
        const { rows } = await client.query('select pg_backend_pid() as pid');
        await end((rows[0] as { pid: number }).pid);
      }),
    ),

  /** An idle connection of the pool ends before it is used: nobody need notice. */
  idle: (place: NamespacePlace) =>
    trying(place, async (coordinate, end) => {
      const pid = await coordinate.transaction(async (client) => {
        const { rows } = await client.query('select pg_backend_pid() as pid');
        return (rows[0] as { pid: number }).pid;
      });
      await end(pid);
      await coordinate.namespace(place.namespace);
    }),
};

export type LostConnectionsTasks = typeof tasks;

type Outcome = readonly [first: string, next: string];

async function trying(
  place: NamespacePlace,
  operation: (coordinate: PostgresCoordinate, end: (pid: number) => Promise<void>) => Promise<unknown>,
): Promise<Outcome> {
  const pool = new pg.Pool({ connectionString: place.url, max: 1, application_name: `pg-coordinate test ${place.schema}` });
  const other = await connectTo(place, { pool: { max: 1 } });
  try {
    await using coordinate = await connect(pool, { schema: place.schema });
    // The only client of the pool: it has ended when its socket has.
    const socketClosed = new Promise<void>((resolve) => {
      pool.once('acquire', (client: pg.PoolClient) => client.once('end', resolve));
    });
    const end = async (pid: number): Promise<void> => {
      await other.transaction((client) => client.query('select pg_terminate_backend($1)', [pid]));
      await socketClosed;
    };
    const outcome = async (running: Promise<unknown>): Promise<string> => running.then(() => 'done', codeOf);
    return [await outcome(operation(coordinate, end)), await outcome(coordinate.namespaces())];
  } finally {
    await other.close();
    await pool.end();
  }
}

function codeOf(error: unknown): string {
  return error instanceof CoordinateError ? error.code : `not documented: ${String(error)}`;
}

serveTasks(tasks);
