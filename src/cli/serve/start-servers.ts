import { isLoopback, TokenFile, type TlsIdentity } from '../../access/index.js';
import { serveCborRpc, type CborRpcServer } from '../../cbor-rpc/index.js';
import type { PostgresCoordinate } from '../../core/postgres-coordinate.js';
import type { Logger } from '../../database/index.js';
import { CannotListenError, CoordinateError } from '../../errors/index.js';
import { serveRest, type RestServer } from '../../rest/index.js';
import { requestLog, type Metrics, type Tracing } from '../../telemetry/index.js';
import { UsageError } from '../usage-error.js';
import type { ReadSettings } from './read-settings.js';
import type { ServeSettings } from './settings-table.js';
import { readTlsFiles } from './tls-files.js';

/** What is needed before anything is started. */
export interface Doors {
  readonly tokens: TokenFile | undefined;
  readonly tls: TlsIdentity | undefined;
}

/** The servers of both protocols. */
export interface Servers extends AsyncDisposable {
  readonly rest: RestServer;
  /** Undefined when it is off. */
  readonly cborRpc: CborRpcServer | undefined;
  /** Reads tokens and certificate again; what cannot be read stays as it was. Resolves to what there is to be said. */
  reload(): Promise<string[]>;
}

const ports = ['rest', 'cbor-rpc'] as const;
type Port = (typeof ports)[number];

/** Whether others than this machine reach the port. */
function isRemote(settings: ServeSettings, port: Port): boolean {
  return settings[`${port}-port`] !== 'off' && !isLoopback(settings[`${port}-host`]);
}

/** Reads tokens and certificate, and refuses to open what nobody has said should be open. Raises UsageError; BadTokenFile. */
export async function checkDoors(settings: ServeSettings): Promise<Doors> {
  const tokens = settings.tokens === undefined ? undefined : await TokenFile.load(settings.tokens);
  const tls = await readTlsFiles(settings['tls-cert'], settings['tls-key']);
  const isOpen = { rest: tokens === undefined, 'cbor-rpc': tokens === undefined || settings['cbor-rpc-token'] !== undefined };
  for (const port of ports) {
    if (!isRemote(settings, port) || settings['allow-remote'] || !isOpen[port]) continue;
    const host = settings[`${port}-host`];
    const remedy = tokens === undefined ? 'give --tokens, or, if that is meant, --allow-remote' : 'if that is meant, add --allow-remote';
    throw new UsageError(`--${port}-host ${host} lets whoever reaches this machine use the queue; ${remedy}`);
  }
  return { tokens, tls };
}

/** What a careful operator would want to know. */
export function warningsAbout(settings: ServeSettings, { tokens, tls }: Doors): string[] {
  const remote = ports.filter((port) => isRemote(settings, port));
  if (remote.length === 0) return [];
  if (tokens === undefined) return ['Anybody who reaches this machine can use the queue.'];
  const isPlain = (port: Port): boolean => tls === undefined || (port === 'cbor-rpc' && settings['cbor-rpc-plain']);
  if (!remote.some(isPlain)) return [];
  return ['Tokens are sent in the clear: give --tls-cert and --tls-key, or let something in front of this server speak TLS.'];
}

/** What is served. */
export interface Served {
  readonly coordinate: PostgresCoordinate;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly tracing: Tracing | undefined;
}

export async function startServers(
  { settings, file }: ReadSettings,
  { tokens, tls }: Doors,
  { coordinate, metrics, logger, tracing }: Served,
): Promise<Servers> {
  const format = settings['log-requests'];
  const shared = { coordinate, logger, allowRemote: settings['allow-remote'], ...(tokens && { tokens }), graceMs: settings['grace-seconds'] * 1_000 };
  const rest = await serveRest({
    ...shared,
    ...(tls && { tls }),
    ...(tracing && { tracing }),
    metrics,
    ...(format !== undefined && { requestLog: requestLog(format, (line) => process.stdout.write(line)) }),
    host: settings['rest-host'],
    port: settings['rest-port'],
    allowedHosts: settings['allowed-hosts'],
    bodyLimitBytes: settings['body-limit'],
    maxBufferedBytes: settings['max-buffered'],
    maxConnections: settings['max-connections'],
    maxConnectionsPerAddress: settings['max-connections-per-address'],
    requestsPerSecond: settings['requests-per-second'],
    headersTimeoutMs: settings['header-seconds'] * 1_000,
    requestTimeoutMs: settings['request-seconds'] * 1_000,
    longestWaitMs: settings['wait-seconds'] * 1_000,
    maxEventStreams: settings['max-event-streams'],
    heartbeatMs: settings['heartbeat-seconds'] * 1_000,
  });
  const { 'cbor-rpc-host': host, 'cbor-rpc-port': port, 'cbor-rpc-token': actAs } = settings;
  const cborTls = settings['cbor-rpc-plain'] ? undefined : tls;
  try {
    const cborRpc =
      port === 'off'
        ? undefined
        : await serveCborRpc({
            ...shared,
            ...(cborTls && { tls: cborTls }),
            ...(actAs !== undefined && { actAs }),
            ...(file && { config: file.forClients }),
            host,
            port,
            namespace: settings['cbor-rpc-namespace'],
            maxBufferedBytes: settings['max-buffered'],
            maxConnections: settings['max-connections'],
            maxConnectionsPerAddress: settings['max-connections-per-address'],
          });
    return new RunningServers(rest, cborRpc, settings, tokens);
  } catch (error) {
    await rest.stop();
    if (error instanceof CoordinateError) throw error;
    throw new CannotListenError(`${host}:${port}`, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

class RunningServers implements Servers {
  readonly rest: RestServer;
  readonly cborRpc: CborRpcServer | undefined;
  readonly #settings: ServeSettings;
  readonly #tokens: TokenFile | undefined;

  constructor(rest: RestServer, cborRpc: CborRpcServer | undefined, settings: ServeSettings, tokens: TokenFile | undefined) {
    this.rest = rest;
    this.cborRpc = cborRpc;
    this.#settings = settings;
    this.#tokens = tokens;
  }

  async reload(): Promise<string[]> {
    const said = [await this.#reloadTokens(), await this.#reloadTls()];
    return said.filter((text) => text !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.rest.stop(), this.cborRpc?.stop()]);
  }

  async #reloadTokens(): Promise<string | undefined> {
    const tokens = this.#tokens;
    if (tokens === undefined) return undefined;
    return tokens.reload().then(
      () => `Read ${tokens.path} again: ${tokens.size} tokens.`,
      (error: unknown) => `The tokens stay as they were: ${(error as Error).message}`,
    );
  }

  async #reloadTls(): Promise<string | undefined> {
    const { 'tls-cert': cert, 'tls-key': key } = this.#settings;
    try {
      const tls = await readTlsFiles(cert, key);
      if (tls === undefined) return undefined;
      this.rest.renewTls(tls);
      if (!this.#settings['cbor-rpc-plain']) this.cborRpc?.renewTls(tls);
      return `Read ${cert} again.`;
    } catch (error) {
      return `The certificate stays as it was: ${(error as Error).message}`;
    }
  }
}
