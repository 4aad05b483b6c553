import type { FastifyInstance, FastifyReply } from 'fastify';
import { openAccess, type Role } from '../../access/index.js';
import { NotAllowedError } from '../../errors/index.js';
import { Readiness } from '../../telemetry/index.js';
import { lookAt } from './other-methods.js';
import type { CheckedRestServerOptions } from './rest-options.js';

/** Any other could be whatever a client comes up with. */
const usualMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * What operators ask a server, beside the tree that clients know: `/health/live` (the process answers), `/health/ready` (its database does, with
 * the tables it expects, and it is not stopping), `/metrics` (404 unless the server was given some). With tokens, the
 * last asks for one that may read all namespaces. And what is measured and logged of each request.
 */
export function registerObservation(app: FastifyInstance, settings: CheckedRestServerOptions, stopping: AbortSignal): void {
  const { coordinate, metrics, requestLog, tracing } = settings;
  const readiness = new Readiness(coordinate);
  lookAt(app, '/health/live', 'nothing', (_request, reply) => sendState(reply, 200, { status: 'live' }));
  lookAt(app, '/health/ready', 'nothing', async (_request, reply) => {
    const problem = stopping.aborted ? 'stopping' : await readiness.check();
    return sendState(reply, problem === null ? 200 : 503, problem === null ? { status: 'ready' } : { status: 'not ready', problem });
  });
  if (metrics !== undefined) {
    const needs = (): Role => 'read';
    lookAt(app, '/metrics', needs, async ({ access }, reply) => {
      // They tell of all namespaces.
      if (!access.may('read')) throw new NotAllowedError(access.name, 'read', 'all namespaces');
      return reply.type(metrics.contentType).header('cache-control', 'no-store').send(await metrics.read());
    });
  }
  // After the body has arrived: it does so in no context.
  if (tracing !== undefined) app.addHook('preHandler', (request, _reply, done) => tracing.inContextOf(request.headers, done));
  if (metrics?.onRequest !== undefined) {
    app.addHook('onResponse', (request, reply, done) => {
      const method = usualMethods.includes(request.method) ? request.method : 'other';
      // Not the path itself: there is no end of those.
      metrics.onRequest?.({ route: request.routeOptions.url ?? 'none', method, status: reply.statusCode, durationMs: reply.elapsedTime });
      done();
    });
  }
  if (requestLog === undefined) return;
  app.addHook('onResponse', async (request, reply) => {
    const length = Number(reply.getHeader('content-length') ?? Number.NaN);
    requestLog({
      address: request.ip,
      method: request.method,
      url: request.url,
      httpVersion: request.raw.httpVersion,
      status: reply.statusCode,
      bytes: Number.isNaN(length) ? undefined : length,
      durationMs: reply.elapsedTime,
      userAgent: request.headers['user-agent'],
      ...(request.access !== null && request.access !== openAccess && { user: request.access.name }),
    });
  });
}

function sendState(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply.code(status).type('application/json').header('cache-control', 'no-store').send(JSON.stringify(body));
}
