import { InvalidArgumentError } from '../../errors/index.js';
import type { ConnectionParameters } from './connection-parameters.js';

/**
 * By libpq's grammar and not by `URL`, which knows neither hosts that are directories nor `#` in a password, and normalises. The
 * user's part ends at the last `@`, so that a password with an unescaped `@` works too.
 */
const pattern = new RegExp(
  [
    /^(?:postgres(?:ql)?:)?\/\//,
    /(?:(?<user>[^:/?]*?)(?::(?<password>[^/?]*))?@)?/,
    /(?<host>\[[^\]/?]*\]|[^:/?@[\]]*)/,
    /(?::(?<port>\d*))?/,
    /(?:\/(?<dbname>[^?]*))?/,
    /(?:\?(?<query>.*))?$/,
  ]
    .map((part) => part.source)
    .join(''),
  's',
);

export function parseUrl(text: string): ConnectionParameters {
  const parts = pattern.exec(text)?.groups;
  if (parts === undefined) {
    throw new InvalidArgumentError(
      'target',
      'is not a PostgreSQL URL like postgres://user:password@host:port/database, of one host; ' +
        'in the user and password, write / as %2F, ? as %3F and : as %3A',
    );
  }
  const parameters: Record<string, string> = {};
  for (const name of ['user', 'password', 'host', 'port', 'dbname'] as const) {
    // Empty is the same as left out.
    if (parts[name]) parameters[name] = decode(parts[name]);
  }
  parameters.host &&= parameters.host.replace(/^\[(.*)\]$/, '$1');
  return { ...parameters, ...parseQuery(parts.query ?? '') };
}

function parseQuery(query: string): ConnectionParameters {
  const parameters: Record<string, string> = {};
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new InvalidArgumentError('target', 'has a query that is not of the form name=value&name=value');
    parameters[decode(pair.slice(0, equals))] = decode(pair.slice(equals + 1));
  }
  const { ssl, ...others } = parameters;
  // JDBC's way to ask for TLS, which libpq takes too.
  return ssl === undefined ? others : { sslmode: ssl === 'true' || ssl === '1' ? 'require' : 'disable', ...others };
}

/** Percent-encoding only: unlike in HTML forms, `+` is a plus. */
function decode(text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch (error) {
    const problem = 'has a % that does not begin an escape like %2F of UTF-8; write % itself as %25';
    throw new InvalidArgumentError('target', problem, { cause: error });
  }
  if (decoded.includes('\0')) throw new InvalidArgumentError('target', 'has a %00, which PostgreSQL does not allow');
  return decoded;
}
