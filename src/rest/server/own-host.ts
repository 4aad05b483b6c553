import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ForeignHostError, ForeignOriginError } from '../../errors/index.js';

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

/**
 * For servers that ask nobody for a token: takes no requests that a page of somebody else has its visitor's browser send. The page could not read the
 * answers, but need not: naming a namespace makes it. What anybody may see, such as the description, may be linked to from anywhere.
 */
export function refuseForeignPages(app: FastifyInstance, allowed: readonly string[]): void {
  const known = new Set(allowed.map((name) => name.toLowerCase()));
  app.addHook('onRequest', (request, _reply, done) => {
    const { origin, host, 'sec-fetch-site': site } = request.headers;
    const isOwn = (text: string): boolean => URL.canParse(text) && (new URL(text).host === host?.toLowerCase() || known.has(new URL(text).hostname));
    // Of older browsers only the origin is known, and that not of everything that they fetch.
    const isForeign = origin === undefined ? site === 'cross-site' || site === 'same-site' : !isOwn(origin);
    const isForAll = request.routeOptions.config.needs === 'nothing';
    done(isForeign && !isForAll ? new ForeignOriginError(origin === undefined ? 'another server' : JSON.stringify(origin.slice(0, 100))) : undefined);
  });
}

/** Without the port, and the brackets of IPv6. */
function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}
