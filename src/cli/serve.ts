import { once } from 'node:events';
import { Option, type Command } from 'commander';
import { isLoopback } from '../access/index.js';
import { connect } from '../core/connect.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../database/embedded/index.js';
import { parseTarget } from '../database/target/index.js';
import { serveRest } from '../rest/index.js';
import { addDatabaseOptions, type DatabaseOptions } from './database-options.js';
import { portNumber } from './port-number.js';
import { UsageError } from './usage-error.js';

interface ServeOptions extends DatabaseOptions {
  readonly dataDirectory?: string;
  readonly restHost: string;
  readonly restPort: number;
  readonly allowRemote: boolean;
}

export function addServeCommand(program: Command): void {
  const command = program.command('serve').description('serve the queue over HTTP, on a PostgreSQL of its own when no database is given');
  addDatabaseOptions(command)
    .option('--data-directory <path>', 'where a PostgreSQL of its own keeps its data (default: nowhere, they go when it stops)')
    .option('--rest-host <address>', 'the address to serve HTTP on', '127.0.0.1')
    .addOption(new Option('--rest-port <number>', 'the port to serve HTTP on; 0: a free one').argParser(portNumber).default(5980))
    .option('--allow-remote', 'let it be an address that other machines reach, although there is no authentication', false)
    .action(serve);
}

/** Serves until it is told to stop. */
async function serve({ database, schema, buckets, dataDirectory, restHost, restPort, allowRemote }: ServeOptions): Promise<void> {
  if (!allowRemote && !isLoopback(restHost)) {
    throw new UsageError(`--rest-host ${restHost} lets whoever reaches this machine use the queue; if that is meant, add --allow-remote`);
  }
  const isGiven = parseTarget(database, process.env) !== null;
  if (isGiven && dataDirectory !== undefined) {
    throw new UsageError('--data-directory is for a PostgreSQL of our own, but a database is given');
  }
  const stopped = stopSignal();
  await using postgres = isGiven ? null : await startPostgres(dataDirectory);
  await using coordinate = await connect(postgres?.url ?? database, { schema, buckets, migrate: true, logger: console });
  await using server = await serveRest({ coordinate, host: restHost, port: restPort, logger: console });
  console.log(`Serving HTTP at ${server.url} on ${postgres === null ? 'the given PostgreSQL' : placeOf(postgres, dataDirectory)}; Ctrl-C stops it.`);
  await stopped;
}

function startPostgres(dataDirectory: string | undefined): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres(dataDirectory === undefined ? {} : { dataDirectory });
}

/** Without the password that its URL has. */
function placeOf({ version }: EmbeddedPostgres, dataDirectory: string | undefined): string {
  return `PostgreSQL ${version} of its own, with data in ${dataDirectory ?? 'a temporary directory'}`;
}

/** Listens from now on: who is told to stop while it starts, stops once it has started. */
async function stopSignal(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}
