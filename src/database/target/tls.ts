import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { InvalidArgumentError } from '../../errors/index.js';
import type { ConnectionParameters } from './connection-parameters.js';

/**
 * libpq's sslmode. pg-connection-string is not used: by default it takes require for verify-full, and announces that this will
 * change; what a target means must not depend on that.
 */
const modes: Readonly<Record<string, (parameters: ConnectionParameters) => ConnectionOptions | false>> = {
  disable: () => false,
  allow: () => false,
  prefer: () => ({ rejectUnauthorized: false }),
  require: ({ sslrootcert }) => (sslrootcert === undefined ? { rejectUnauthorized: false } : trustedButUnnamed),
  'verify-ca': ({ sslrootcert }) => {
    if (sslrootcert !== undefined && sslrootcert !== 'system') return trustedButUnnamed;
    throw new InvalidArgumentError('target', 'has sslmode=verify-ca, which needs the file of a sslrootcert; or use verify-full');
  },
  'verify-full': () => ({ rejectUnauthorized: true }),
  // Not libpq's but an old friend in the URLs of `pg`.
  'no-verify': () => ({ rejectUnauthorized: false }),
};

/** The certificate is checked, the host's name in it is not. */
const trustedButUnnamed: ConnectionOptions = { rejectUnauthorized: true, checkServerIdentity: () => undefined };

/** Always says `ssl`, as `pg` would otherwise read PGSSLMODE itself, with another meaning. */
export function tlsOf(parameters: ConnectionParameters): Pick<ClientConfig, 'ssl' | 'sslnegotiation'> {
  const { host, sslnegotiation } = parameters;
  const options = modes[modeOf(parameters)]?.(parameters);
  if (options === undefined) {
    throw new InvalidArgumentError('target', `has an sslmode that is none of ${Object.keys(modes).join(', ')}`);
  }
  // There is no TLS on a socket in the file system, and libpq ignores all about it there.
  if (options === false || host?.startsWith('/')) return { ssl: false };
  return { ssl: { ...options, ...materialOf(parameters) }, ...negotiationOf(sslnegotiation) };
}

/** A certificate or direct negotiation makes no sense without TLS, so it is not given in vain. */
function modeOf({ sslmode, sslrootcert, sslcert, sslnegotiation }: ConnectionParameters): string {
  if (sslmode !== undefined) return sslmode;
  if (sslrootcert === 'system') return 'verify-full';
  return sslrootcert !== undefined || sslcert !== undefined || sslnegotiation === 'direct' ? 'require' : 'disable';
}

function materialOf({ host, hostaddr, sslrootcert, sslcert, sslkey, sslpassword }: ConnectionParameters): ConnectionOptions {
  return {
    ...(sslrootcert !== undefined && sslrootcert !== 'system' && { ca: read('sslrootcert', sslrootcert) }),
    ...(sslcert !== undefined && { cert: read('sslcert', sslcert) }),
    ...(sslkey !== undefined && { key: read('sslkey', sslkey) }),
    ...(sslpassword !== undefined && { passphrase: sslpassword }),
    ...(hostaddr !== undefined && host !== undefined && { servername: host }),
  };
}

function negotiationOf(sslnegotiation: string | undefined): Pick<ClientConfig, 'sslnegotiation'> {
  if (sslnegotiation === undefined) return {};
  if (sslnegotiation === 'postgres' || sslnegotiation === 'direct') return { sslnegotiation };
  throw new InvalidArgumentError('target', 'has an sslnegotiation that is neither postgres nor direct');
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new InvalidArgumentError('target', `names a file for ${name} that cannot be read (${reason})`, { cause: error });
  }
}
