import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ForeignHostError } from '../../errors/index.js';

/**
 * For servers that ask nobody for a token: takes only requests that were sent to an address or to `localhost`, or to one of the names that
 * are allowed. A web page can have its own name point at this machine, and its visitor's browser would then let it read and write the queue;
 * its name, though, is in every such request.
 */
export function requireOwnHost(app: FastifyInstance, allowed: readonly string[]): void {
  const known = new Set(['localhost', ...allowed.map((name) => name.toLowerCase())]);
  app.addHook('onRequest', (request, _reply, done) => {
    const name = hostName(request.headers.host ?? '');
    done(name === '' || known.has(name) || isIP(name) !== 0 ? undefined : new ForeignHostError(JSON.stringify(name.slice(0, 100))));
  });
}

/** Without the port, and the brackets of IPv6. */
function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}
