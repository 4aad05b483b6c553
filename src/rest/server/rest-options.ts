import { checkHost, TokenFile, type TlsIdentity } from '../../access/index.js';
import type { Coordinate } from '../../core/coordinate.js';
import { silentLogger, type Logger } from '../../database/index.js';
import { InvalidArgumentError } from '../../errors/index.js';
import type { LoggedRequest, MeasuredRequest, Tracing } from '../../telemetry/index.js';
import { checkBoolean, checkDuration, checkInteger, checkList, checkName, checkNumber, checkOptions, kindOf } from '../../options/index.js';

/** How to serve a queue over HTTP. */
export interface RestServerOptions {
  /** The queue. It is not closed when the server stops. */
  readonly coordinate: Coordinate;
  /** The address to listen on. Any other than this machine's own needs `tokens` or `allowRemote`. @default '127.0.0.1' */
  readonly host?: string;
  /** 0: a free one. @default 5980 */
  readonly port?: number;
  /** Who may do what. @default everybody may do everything */
  readonly tokens?: TokenFile;
  /** Lets everybody in the network use the queue. @default false */
  readonly allowRemote?: boolean;
  /** To speak TLS: the certificate and its key. @default speaks HTTP without */
  readonly tls?: TlsIdentity;
  /** The names, besides `localhost`, by which clients may know a server without tokens: see `own-host.ts`. @default none */
  readonly allowedHosts?: readonly string[];
  /** Told of errors that should not be; never of tokens or payloads. @default tells nobody */
  readonly logger?: Logger;
  /** What `/metrics` answers with; told, if it wants to be, of each request that was answered. @default there is no such path */
  readonly metrics?: { readonly contentType: string; read(): Promise<string>; readonly onRequest?: (request: MeasuredRequest) => void };
  /** Has what clients add belong to the traces that their headers tell of. @default no trace is continued */
  readonly tracing?: Pick<Tracing, 'inContextOf'>;
  /** Told of each request that was answered, see `requestLog()` of `pg-coordinate/telemetry`. @default tells nobody */
  readonly requestLog?: (request: LoggedRequest) => void;
  /** Largest body of a request. @default 67108864 (64 MiB) */
  readonly bodyLimitBytes?: number;
  /** Most bytes of the bodies of all requests under way together, and as many of large answers; beyond it clients are told to come later (503). @default 268435456 (256 MiB) */
  readonly maxBufferedBytes?: number;
  /** Most connections at a time; more are closed at once. @default 10000 */
  readonly maxConnections?: number;
  /** Most connections at a time from one address; more are closed at once; 0: no limit. @default 0 */
  readonly maxConnectionsPerAddress?: number;
  /** Most requests in a second from one address; 0: no limit. @default 5000 */
  readonly requestsPerSecond?: number;
  /** Longest time that the headers of a request may take to arrive, in milliseconds. @default 20000 */
  readonly headersTimeoutMs?: number;
  /** Longest time that a request may take to arrive as a whole, in milliseconds. @default 120000 */
  readonly requestTimeoutMs?: number;
  /** Longest time that a request for work may wait for some, in milliseconds: less than what proxies in between allow. @default 55000 */
  readonly longestWaitMs?: number;
  /** Most streams of events at a time; whoever wants more is refused. @default 1000 */
  readonly maxEventStreams?: number;
  /** How often a stream of events on which nothing happens says that it is still there, in milliseconds. @default 15000 */
  readonly heartbeatMs?: number;
  /** How long `stop()` waits for requests under way, in milliseconds. @default 10000 */
  readonly graceMs?: number;
}

/** Options with their defaults. */
export type CheckedRestServerOptions = Required<Omit<RestServerOptions, 'tokens' | 'tls' | 'metrics' | 'requestLog' | 'tracing'>> &
  Pick<RestServerOptions, 'tokens' | 'tls' | 'metrics' | 'requestLog' | 'tracing'>;

const defaults = Object.freeze({
  host: '127.0.0.1',
  port: 5980,
  allowRemote: false,
  allowedHosts: Object.freeze([]),
  logger: silentLogger,
  bodyLimitBytes: 64 * 1024 * 1024,
  maxBufferedBytes: 256 * 1024 * 1024,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 0,
  requestsPerSecond: 5_000,
  headersTimeoutMs: 20_000,
  requestTimeoutMs: 120_000,
  longestWaitMs: 55_000,
  maxEventStreams: 1_000,
  heartbeatMs: 15_000,
  graceMs: 10_000,
});

/** What V8 can hold in one string of JSON, less what is needed around it. */
const mostBodyBytes = 256 * 1024 * 1024;

/** Raises InvalidArgument. */
export function checkRestServerOptions(options: RestServerOptions): CheckedRestServerOptions {
  const given = { ...defaults, ...checkOptions(options, 'options', ['coordinate', 'tokens', 'tls', 'metrics', 'requestLog', 'tracing', ...(Object.keys(defaults) as (keyof typeof defaults)[])]) };
  if (typeof given.coordinate?.namespace !== 'function') {
    throw new InvalidArgumentError('options.coordinate', `must be a coordinate, as connect() gives it, not ${kindOf(given.coordinate)}`);
  }
  if (given.tokens !== undefined && !(given.tokens instanceof TokenFile)) {
    throw new InvalidArgumentError('options.tokens', `must be what TokenFile.load() gives, not ${kindOf(given.tokens)}`);
  }
  const allowRemote = checkBoolean(given.allowRemote, 'options.allowRemote');
  checkHost(given.host, 'options.host', { hasTokens: given.tokens !== undefined, allowRemote });
  checkList(given.allowedHosts, 'options.allowedHosts', checkName);
  checkInteger(given.maxConnections, 'options.maxConnections', { least: 1 });
  checkInteger(given.maxConnectionsPerAddress, 'options.maxConnectionsPerAddress', { least: 0 });
  checkInteger(given.requestsPerSecond, 'options.requestsPerSecond', { least: 0 });
  checkInteger(given.maxEventStreams, 'options.maxEventStreams', { least: 0 });
  checkNumber(given.heartbeatMs, 'options.heartbeatMs', { least: 1, most: 2 ** 31 - 1 });
  checkNumber(given.headersTimeoutMs, 'options.headersTimeoutMs', { least: 1, most: 2 ** 31 - 1 });
  if (given.requestLog !== undefined && typeof given.requestLog !== 'function') {
    throw new InvalidArgumentError('options.requestLog', `must be a function, not ${kindOf(given.requestLog)}`);
  }
  if (given.metrics !== undefined && typeof given.metrics?.read !== 'function') {
    throw new InvalidArgumentError('options.metrics', `must have a method read(), as Metrics has, not be ${kindOf(given.metrics)}`);
  }
  if (given.tracing !== undefined && typeof given.tracing?.inContextOf !== 'function') {
    throw new InvalidArgumentError('options.tracing', `must have a method inContextOf(), as Tracing has, not be ${kindOf(given.tracing)}`);
  }
  checkInteger(given.port, 'options.port', { least: 0, most: 65_535 });
  checkInteger(given.bodyLimitBytes, 'options.bodyLimitBytes', { least: 1, most: mostBodyBytes });
  // Or there would be requests that are never taken.
  checkInteger(given.maxBufferedBytes, 'options.maxBufferedBytes', { least: given.bodyLimitBytes });
  checkDuration(given.requestTimeoutMs, 'options.requestTimeoutMs');
  checkDuration(given.longestWaitMs, 'options.longestWaitMs');
  checkDuration(given.graceMs, 'options.graceMs');
  return given;
}
