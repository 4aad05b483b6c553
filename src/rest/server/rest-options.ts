import type { Coordinate } from '../../core/coordinate.js';
import { silentLogger, type Logger } from '../../database/index.js';
import { InvalidArgumentError } from '../../errors/index.js';
import type { LoggedRequest, Tracing } from '../../telemetry/index.js';
import { checkDuration, checkInteger, checkOptions, kindOf } from '../../options/index.js';

/** How to serve a queue over HTTP. */
export interface RestServerOptions {
  /** The queue. It is not closed when the server stops. */
  readonly coordinate: Coordinate;
  /** The address to listen on. There is no authentication: any other than this machine's own opens the queue to whoever gets there. @default '127.0.0.1' */
  readonly host?: string;
  /** 0: a free one. @default 5980 */
  readonly port?: number;
  /** Told of errors that should not be. @default tells nobody */
  readonly logger?: Logger;
  /** What `/metrics` answers with. @default there is no such path */
  readonly metrics?: { readonly contentType: string; read(): Promise<string> };
  /** Has what clients add belong to the traces that their headers tell of. @default no trace is continued */
  readonly tracing?: Pick<Tracing, 'inContextOf'>;
  /** Told of each request that was answered, see `requestLog()` of `pg-coordinate/telemetry`. @default tells nobody */
  readonly requestLog?: (request: LoggedRequest) => void;
  /** Largest body of a request. @default 67108864 (64 MiB) */
  readonly bodyLimitBytes?: number;
  /** Longest time that a request may take to arrive as a whole, in milliseconds; its headers must arrive in 20 s. @default 120000 */
  readonly requestTimeoutMs?: number;
  /** Longest time that a request for work may wait for some, in milliseconds: less than what proxies in between allow. @default 55000 */
  readonly longestWaitMs?: number;
  /** How long `stop()` waits for requests under way, in milliseconds. @default 10000 */
  readonly graceMs?: number;
}

/** Options with their defaults. */
export type CheckedRestServerOptions = Required<Omit<RestServerOptions, 'metrics' | 'requestLog' | 'tracing'>> &
  Pick<RestServerOptions, 'metrics' | 'requestLog' | 'tracing'>;

const defaults = Object.freeze({
  host: '127.0.0.1',
  port: 5980,
  logger: silentLogger,
  bodyLimitBytes: 64 * 1024 * 1024,
  requestTimeoutMs: 120_000,
  longestWaitMs: 55_000,
  graceMs: 10_000,
});

/** What V8 can hold in one string of JSON, less what is needed around it. */
const mostBodyBytes = 256 * 1024 * 1024;

/** Raises InvalidArgument. */
export function checkRestServerOptions(options: RestServerOptions): CheckedRestServerOptions {
  const given = { ...defaults, ...checkOptions(options, 'options', ['coordinate', 'metrics', 'requestLog', 'tracing', ...(Object.keys(defaults) as (keyof typeof defaults)[])]) };
  if (typeof given.coordinate?.namespace !== 'function') {
    throw new InvalidArgumentError('options.coordinate', `must be a coordinate, as connect() gives it, not ${kindOf(given.coordinate)}`);
  }
  if (typeof given.host !== 'string' || given.host === '') throw new InvalidArgumentError('options.host', 'must be a host name or an address');
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
  checkDuration(given.requestTimeoutMs, 'options.requestTimeoutMs');
  checkDuration(given.longestWaitMs, 'options.longestWaitMs');
  checkDuration(given.graceMs, 'options.graceMs');
  return given;
}
