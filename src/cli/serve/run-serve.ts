import { once } from 'node:events';
import { connect } from '../../core/connect.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../database/embedded/index.js';
import { parseTarget } from '../../database/target/index.js';
import { allOf, jsonLogger, Metrics } from '../../telemetry/index.js';
import { UsageError } from '../usage-error.js';
import { loadTracing } from './load-tracing.js';
import { readSettings, type GivenFlags } from './read-settings.js';
import { checkDoors, startServers, warningsAbout, type Servers } from './start-servers.js';

/** Serves until it is told to stop. */
export async function runServe(flags: GivenFlags): Promise<void> {
  const read = await readSettings(flags, process.env, process.cwd());
  const { settings, file } = read;
  const { database, 'data-directory': dataDirectory, schema, buckets } = settings;
  const doors = await checkDoors(settings);
  const isGiven = parseTarget(database, process.env) !== null;
  if (isGiven && dataDirectory !== undefined) {
    throw new UsageError('--data-directory is for a PostgreSQL of our own, but a database is given');
  }
  const tracing = settings.tracing === undefined ? undefined : await loadTracing(settings.tracing);
  const stopped = stopSignal();
  // Until there is something to be read again: the signal would end the process.
  let reload = (): void => undefined;
  const onHangUp = (): void => reload();
  process.on('SIGHUP', onHangUp);
  await using postgres = isGiven ? null : await startPostgres(dataDirectory);
  const logger = settings['log-format'] === 'json' ? jsonLogger() : console;
  const metrics = new Metrics({ processMetrics: true, logger });
  const telemetry = tracing === undefined ? metrics : allOf(metrics, tracing);
  await using coordinate = await connect(postgres?.url ?? database, { schema, buckets, migrate: true, logger, telemetry });
  metrics.watch(coordinate);
  await using servers = await startServers(read, doors, { coordinate, metrics, logger, tracing });
  reload = () => void servers.reload().then((said) => said.forEach((text) => console.log(text)));
  console.log(`Serving HTTP at ${servers.rest.url} on ${postgres === null ? 'the given PostgreSQL' : placeOf(postgres, dataDirectory)}; Ctrl-C stops it.`);
  for (const text of describe(servers, settings['cbor-rpc-namespace'])) console.log(text);
  if (doors.tokens !== undefined) console.log(`Asking for one of the ${doors.tokens.size} tokens in ${doors.tokens.path}.`);
  for (const warning of warningsAbout(settings, doors)) console.warn(warning);
  if (file !== null) console.log(`Configured by ${file.path}${keysForClients(file.forClients)}.`);
  await stopped;
  process.off('SIGHUP', onHangUp);
}

function describe({ rest, cborRpc }: Servers, namespace: string): string[] {
  const docs = `What can be done is said at ${new URL('/docs', rest.url).href}.`;
  if (cborRpc === undefined) return [docs];
  const { host, port } = cborRpc.address;
  return [docs, `Serving CBOR-RPC at ${host}:${port}, the namespace ${JSON.stringify(namespace)}.`];
}

/** So that a key which was misspelt is noticed. */
function keysForClients(values: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(values);
  return keys.length === 0 ? '' : `, of which clients of CBOR-RPC get ${keys.join(', ')}`;
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
