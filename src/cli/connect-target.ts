import { connect } from '../core/connect.js';
import type { Coordinate } from '../core/coordinate.js';
import { silentLogger, type Logger } from '../database/index.js';
import type { CommandIo } from './command-io.js';
import type { Settings } from './settings.js';
import { UsageError } from './usage-error.js';

/** How a command wants to be connected. */
export interface ConnectionNeeds {
  /** At most so many connections to a database. @default 2 */
  readonly connections?: number;
  /** @default tells nobody */
  readonly logger?: Logger;
}

type Connector = (settings: Settings, io: CommandIo, needs: ConnectionNeeds) => Promise<Coordinate>;

const connectPostgres: Connector = ({ database, schema, buckets }, { environment }, { connections = 2, logger = silentLogger }) =>
  connect(database, { schema, buckets, environment, logger, pool: { max: connections } });

/** Loaded where it is needed: an HTTP client takes a while to load. */
const connectHttp: Connector = async ({ database, token }) => {
  const { connectRest } = await import('../rest/client/connect-rest.js');
  return connectRest(database ?? '', token === undefined ? {} : { token });
};

/** Who connects to an address of which scheme. */
const connectors: Readonly<Record<string, Connector>> = {
  postgres: connectPostgres,
  postgresql: connectPostgres,
  http: connectHttp,
  https: connectHttp,
};

/** Connects to the queue that the settings name, by the scheme of its address; one without a scheme is PostgreSQL's. */
export async function connectTarget(settings: Settings, io: CommandIo, needs: ConnectionNeeds = {}): Promise<Coordinate> {
  io.signal.throwIfAborted();
  const scheme = schemeOf(settings);
  const connector = connectors[scheme];
  if (connector === undefined) {
    const known = Object.keys(connectors).map((name) => `${name}://`);
    throw new UsageError(`--database begins with ${scheme}://, which is none of ${known.join(', ')}`);
  }
  return orInterrupted(connector(settings, io, needs), io.signal);
}

/** For commands about the database itself, which no server in front of it answers. Raises UsageError. */
export function requirePostgres(settings: Settings, command: string): void {
  const scheme = schemeOf(settings);
  if (connectors[scheme] === connectPostgres) return;
  throw new UsageError(`${command} is about the database itself: give its postgres:// address as --database, not one of ${scheme}://`);
}

function schemeOf({ database }: Settings): string {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(database ?? '')?.[1]?.toLowerCase() ?? 'postgres';
}

/** A server that does not answer must not keep anybody from ending the command. */
async function orInterrupted(connecting: Promise<Coordinate>, signal: AbortSignal): Promise<Coordinate> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      connecting.then((coordinate) => coordinate.close()).catch(() => undefined);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([connecting, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
