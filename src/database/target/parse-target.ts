import type { ClientConfig } from 'pg';
import { InvalidArgumentError } from '../../errors/index.js';
import { toClientConfig } from './client-config.js';
import type { ConnectionParameters } from './connection-parameters.js';
import { parametersOfEnvironment, saysWhere, type Environment } from './environment.js';
import { parseKeyValues } from './key-value.js';
import { parseUrl } from './url.js';

const forms =
  'must be postgres://user:password@host:port/database (the scheme may be left out: //host/database), or ' +
  "key=value text such as host=localhost dbname='my db', or empty for DATABASE_URL or PGHOST, PGUSER, … of the environment";

const overHttp =
  "is a server over HTTP, but this needs PostgreSQL itself, such as postgres://localhost/app; over HTTP connect('http://…') works, and connectRest() of pg-coordinate/rest";

/**
 * Makes what the user says of a database into the configuration of a `pg` client or pool. As with psql, what the target leaves
 * out comes from `PGUSER`, `PGPASSWORD` and so on of the environment given, and `sslmode` means what libpq's documentation says
 * (except that `pg` cannot fall back from TLS: `prefer` insists on it, `allow` does without).
 *
 * @returns null if there is no target and the environment names no database
 * @throws InvalidArgumentError that says what is wrong without repeating any of the target, as it may hold a password
 * @example
 * const config = parseTarget(argument, process.env); // 'postgres://app@db.example/app?sslmode=verify-full'
 */
export function parseTarget(target: string | undefined, environment: Environment = {}): ClientConfig | null {
  const defaults = parametersOfEnvironment(environment);
  if (target?.trim()) return toClientConfig({ ...defaults, ...parametersOf(target.trim()) });
  const url = environment.DATABASE_URL?.trim();
  if (url) return parseDatabaseUrl(url, defaults);
  return saysWhere(defaults) ? toClientConfig(defaults) : null;
}

function parametersOf(text: string): ConnectionParameters {
  if (/^(postgres(ql)?:)?\/\//.test(text)) return parseUrl(text);
  // Other URLs may have a `=` in their query, but no parameter's name has a colon or a slash.
  if (/^\w+\s*=/.test(text)) return parseKeyValues(text);
  if (/^https?:/i.test(text)) throw new InvalidArgumentError('target', overHttp);
  throw new InvalidArgumentError('target', forms);
}

/** The user has not written the target where we complain about it, so say where it is. */
function parseDatabaseUrl(url: string, defaults: ConnectionParameters): ClientConfig {
  try {
    return toClientConfig({ ...defaults, ...parametersOf(url) });
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError('target', `the environment variable DATABASE_URL ${error.details.problem}`, {
      cause: error,
    });
  }
}
