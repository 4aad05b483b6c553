import type { ClientConfig } from 'pg';
import { InvalidArgumentError } from '../../errors/index.js';
import type { ConnectionParameters } from './connection-parameters.js';
import { tlsOf } from './tls.js';

type Setting = (value: string) => ClientConfig;

/** What PostgreSQL's settings and JavaScript's timers hold. */
const mostMs = 2_147_483_647;
const mostSeconds = Math.floor(mostMs / 1000);

/** What each parameter means to `pg`. */
const settings: Readonly<Record<string, Setting>> = {
  host: (host) => ({ host: oneHost(host) }),
  port: (value) => ({ port: wholeNumber('port', value, 1, 65_535) }),
  user: (user) => ({ user }),
  password: (password) => ({ password }),
  dbname: (database) => ({ database }),
  application_name: (name) => ({ application_name: name }),
  fallback_application_name: (name) => ({ fallback_application_name: name }),
  options: (options) => ({ options }),
  client_encoding: (encoding) => ({ client_encoding: encoding }),
  connect_timeout: (seconds) => ({ connectionTimeoutMillis: 1000 * wholeNumber('connect_timeout', seconds, 0, mostSeconds) }),
  keepalives: (value) => ({ keepAlive: value !== '0' }),
  keepalives_idle: (seconds) => ({ keepAliveInitialDelayMillis: 1000 * wholeNumber('keepalives_idle', seconds, 0, mostSeconds) }),
  // `pg` binds if the server can; it has no way to insist.
  channel_binding: (value) => ({ enableChannelBinding: value !== 'disable' }),
  // Not libpq's but in the URLs of `pg`.
  statement_timeout: (ms) => ({ statement_timeout: wholeNumber('statement_timeout', ms, 0, mostMs) }),
  lock_timeout: (ms) => ({ lock_timeout: wholeNumber('lock_timeout', ms, 0, mostMs) }),
  query_timeout: (ms) => ({ query_timeout: wholeNumber('query_timeout', ms, 0, mostMs) }),
  idle_in_transaction_session_timeout: (ms) => ({
    idle_in_transaction_session_timeout: wholeNumber('idle_in_transaction_session_timeout', ms, 0, mostMs),
  }),
};

/** Together they say how to use TLS. */
const tlsParameters = ['sslmode', 'sslnegotiation', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'hostaddr'];

/** Without meaning for `pg`, and harmless to leave out: libpq's own, then those that Prisma wants in its URLs. */
const ignored = (
  'keepalives_interval keepalives_count tcp_user_timeout sslcompression sslsni gssencmode gssdelegation krbsrvname ' +
  'target_session_attrs load_balance_hosts passfile uselibpqcompat ' +
  'schema pgbouncer connection_limit pool_timeout socket_timeout statement_cache_size'
).split(' ');

const known = new Set([...Object.keys(settings), ...tlsParameters, ...ignored]);

export function toClientConfig(parameters: ConnectionParameters): ClientConfig {
  let config: ClientConfig = {};
  for (const [position, [name, value]] of Object.entries(parameters).entries()) {
    if (!known.has(name)) throw unknownParameter(name, position, Object.keys(parameters));
    config = { ...config, ...settings[name]?.(value) };
  }
  const { hostaddr } = parameters;
  // As in libpq the address is where to connect to, and the host then only the name that the certificate must have.
  if (hostaddr !== undefined) config = { ...config, host: oneHost(hostaddr) };
  return { ...config, ...tlsOf(parameters) };
}

/** The name is not shown: an unescaped `?` in a password makes a part of it look like one. */
function unknownParameter(name: string, position: number, names: readonly string[]): InvalidArgumentError {
  const before = names[position - 1];
  const place = before === undefined ? 'first' : `after ${before}`;
  const lowerCase = name.toLowerCase().replaceAll(/[^a-z]/g, '');
  const meant = [...known].find((candidate) => candidate.replaceAll('_', '') === lowerCase);
  const hint = meant === undefined ? '' : `; is ${meant} meant?`;
  return new InvalidArgumentError('target', `has a parameter that is not known (${place})${hint}`);
}

function oneHost(host: string): string {
  if (!host.includes(',')) return host;
  throw new InvalidArgumentError('target', 'names several hosts, of which only one is supported');
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && value >= least && value <= most) return value;
  throw new InvalidArgumentError('target', `has a ${name} that is not a whole number from ${least} to ${most}`);
}
