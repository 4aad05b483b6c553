import { InvalidArgumentError } from '../../errors/index.js';
import { checkDuration, checkInteger, checkOptions, kindOf } from '../../options/index.js';

/** How to reach a queue over HTTP. Everything has a default. */
export interface RestClientOptions {
  /** Sent with every request as a bearer token. @default none */
  readonly token?: string;
  /** Most requests under way at once, each on a connection that is kept. Those that wait for work are not counted. @default 16 */
  readonly connections?: number;
  /** How long a connection may take to be made, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** How long an answer may take, in milliseconds; deleting millions of units takes minutes. @default 300000 */
  readonly requestTimeoutMs?: number;
  /**
   * How often a request is sent again that could not be sent, or that can be sent twice without harm and was not answered; after
   * growing pauses, 50 ms to 2 s. @default 5
   */
  readonly retries?: number;
  /** How bodies are written: 'auto' is CBOR where the server offers it. JSON is easier to read on its way. @default 'auto' */
  readonly format?: 'auto' | 'json';
  /** Certificates of authorities to trust beyond the usual ones, in PEM. @default none */
  readonly ca?: string;
}

/** Options with their defaults, and where to begin. */
export type CheckedRestClientOptions = Required<Omit<RestClientOptions, 'token' | 'ca'>> &
  Pick<RestClientOptions, 'token' | 'ca'> & { readonly root: URL };

const defaults = Object.freeze({
  connections: 16,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  retries: 5,
  format: 'auto' as const,
});

/** What may stand in a header. */
const TOKEN = /^[\x21-\x7e]+$/;

/** Raises InvalidArgument, which never repeats a token or a password. */
export function checkRestClientOptions(target: unknown, options: RestClientOptions | undefined): CheckedRestClientOptions {
  const known = ['token', 'ca', ...(Object.keys(defaults) as (keyof typeof defaults)[])] as const;
  const given = { ...defaults, ...checkOptions(options, 'options', known) };
  const { token, ca, format } = given;
  if (token !== undefined && (typeof token !== 'string' || !TOKEN.test(token))) {
    throw new InvalidArgumentError('options.token', 'must be text of printable ASCII characters without spaces');
  }
  if (ca !== undefined && typeof ca !== 'string') throw new InvalidArgumentError('options.ca', `must be PEM text, not ${kindOf(ca)}`);
  if (format !== 'auto' && format !== 'json') throw new InvalidArgumentError('options.format', "must be 'auto' or 'json'");
  checkInteger(given.connections, 'options.connections', { least: 1 });
  checkInteger(given.retries, 'options.retries', { least: 0 });
  checkDuration(given.connectTimeoutMs, 'options.connectTimeoutMs');
  checkDuration(given.requestTimeoutMs, 'options.requestTimeoutMs');
  return { ...given, root: rootOf(target) };
}

/** Links are resolved against it, so it ends with a slash. */
function rootOf(target: unknown): URL {
  const form = 'must be the URL of a server, such as http://127.0.0.1:5980';
  if (typeof target !== 'string' || !URL.canParse(target)) throw new InvalidArgumentError('target', form);
  const url = new URL(target);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new InvalidArgumentError('target', form);
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('target', 'must not hold a user or a password: servers ask for a token, as options.token');
  }
  if (url.search !== '' || url.hash !== '') throw new InvalidArgumentError('target', 'must have no query and no fragment');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}
