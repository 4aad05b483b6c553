import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { openAccess, type Access, type Role, type TokenFile } from '../../access/index.js';
import { NotAllowedError, NotAuthenticatedError, type CoordinateError } from '../../errors/index.js';
import { decodeTextName } from '../wire/index.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a token must allow for a method on the route, or that anybody may use it. There is no default: a route without it does not start. */
    needs?: ((method: string) => Role) | 'nothing';
  }
  interface FastifyRequest {
    /** What the client may do; it is asked for before anything else is looked at. */
    access: Access;
    /** Whether the client may still do it: tokens expire, and are taken back. */
    isStillAllowed(): boolean;
  }
}

/**
 * Lets nobody past who has not got the role that the route needs, before the body is read. Without tokens everybody may do everything. To be
 * called before there are routes.
 */
export function guard(app: FastifyInstance, tokens: TokenFile | undefined): void {
  app.decorateRequest('access', null as unknown as Access);
  app.decorateRequest('isStillAllowed', function (this: FastifyRequest): boolean {
    try {
      accessFor(this, tokens);
      return true;
    } catch {
      return false;
    }
  });
  app.addHook('onRoute', ({ url, config }) => {
    if (config?.needs === undefined) throw new Error(`the route ${url} does not say which role it needs`);
  });
  app.addHook('onRequest', (request, _reply, done) => {
    try {
      request.access = accessFor(request, tokens);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Paths that are not there are for those who may use the server at all, too. */
function accessFor(request: FastifyRequest, tokens: TokenFile | undefined): Access {
  if (tokens === undefined) return openAccess;
  const { needs } = request.routeOptions.config;
  if (needs === 'nothing') return openAccess;
  const access = tokens.authenticate(bearerToken(request));
  if (needs !== undefined && !request.is404) requireRole(access, needs(request.method), namespaceOf(request));
  return access;
}

/** Raises NotAllowed. Without a namespace, the role is needed in some: what is then answered must be about those. */
export function requireRole(access: Access, role: Role, namespace: string | undefined): void {
  if (namespace === undefined ? access.maySomewhere(role) : access.may(role, namespace)) return;
  throw new NotAllowedError(access.name, role, namespace === undefined ? 'any namespace' : `the namespace ${JSON.stringify(namespace)}`);
}

/** For answers that are not 2xx because of who asks: what must be sent next time. */
export function sendChallenge(reply: FastifyReply, { code, message, details }: CoordinateError): void {
  const realm = 'Bearer realm="pg-coordinate"';
  if (code === 'NotAuthenticated') {
    const isMissing = details.problem === missing;
    reply.header('www-authenticate', isMissing ? realm : `${realm}, error="invalid_token", error_description="${quotable(message)}"`);
  } else if (code === 'NotAllowed') {
    reply.header('www-authenticate', `${realm}, error="insufficient_scope", scope="${details.role}"`);
  }
}

const missing = 'send it as "Authorization: Bearer <token>"';

/** Raises NotAuthenticated. */
function bearerToken({ headers }: FastifyRequest): string {
  const [, token] = /^bearer +([^ ]+) *$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) throw new NotAuthenticatedError(missing);
  return token;
}

/** Undefined where the path has none. Raises MalformedRequest. */
function namespaceOf({ params }: FastifyRequest): string | undefined {
  const { namespace } = params as { readonly namespace?: string };
  return namespace === undefined ? undefined : decodeTextName(namespace);
}

function quotable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]|["\\]/g, "'");
}
