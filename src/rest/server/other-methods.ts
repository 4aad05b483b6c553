import { METHODS } from 'node:http';
import type { FastifyContextConfig, FastifyInstance, RouteHandlerMethod } from 'fastify';
import { MethodNotAllowedError } from '../../errors/index.js';

/** What is asked of a proxy, never of a resource. */
const notOfResources = ['CONNECT'];

/**
 * Has the framework route all methods that Node reads, also those of WebDAV and the like: it would take a path for one that is not there when it is
 * asked for with another. To be called before there are routes.
 */
export function knowAllMethods(app: FastifyInstance): void {
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method) && !notOfResources.includes(method)) app.addHttpMethod(method);
  }
}

/** A path that is only looked at. Who tries anything else is told so. */
export function lookAt(app: FastifyInstance, url: string, needs: NonNullable<FastifyContextConfig['needs']>, handler: RouteHandlerMethod): void {
  app.route({ method: ['GET', 'HEAD'], url, config: { needs }, handler });
  app.route({
    method: app.supportedMethods.filter((method) => method !== 'GET' && method !== 'HEAD'),
    url,
    config: { needs },
    handler: ({ method }, reply) => {
      reply.header('allow', 'GET, HEAD');
      throw new MethodNotAllowedError(method);
    },
  });
}
