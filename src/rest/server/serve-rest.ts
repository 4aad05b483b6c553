import { setMaxListeners } from 'node:events';
import type { Server as TlsServer } from 'node:tls';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest, type FastifyServerOptions } from 'fastify';
import { ByteBudget } from '../../access/byte-budget.js';
import { limitConnectionsByAddress } from '../../access/limit-connections-by-address.js';
import type { Role, TlsIdentity } from '../../access/index.js';
import { CannotListenError, ServerBusyError } from '../../errors/index.js';
import { chooseType, defaultType, type MediaType } from '../wire/index.js';
import { answerBadBytes } from './answer-bad-bytes.js';
import { answerRequest } from './answer-request.js';
import { errorOfRequest } from './error-of-request.js';
import { EventStreams } from './event-streams.js';
import { guard, sendChallenge } from './guard.js';
import { KnownObjects } from './known-objects.js';
import { limitRate } from './limit-rate.js';
import { registerObservation } from './observation.js';
import { knowAllMethods } from './other-methods.js';
import { serveDescription } from './openapi/serve-description.js';
import { refuseForeignPages, requireOwnHost } from './own-host.js';
import { hasBody, readBodies } from './read-body.js';
import { sendError, sendNotFound } from './respond.js';
import { checkRestServerOptions, type CheckedRestServerOptions, type RestServerOptions } from './rest-options.js';
import type { Surroundings } from './request-exchange.js';
import { WaitingRequests } from './request-or-wait.js';
import { needOf } from './route.js';
import { routes } from './routes.js';
import { sendContinue } from './send-continue.js';
import { noteUnused } from './unused-connections.js';

/** A running server. */
export interface RestServer extends AsyncDisposable {
  /** Where clients begin: `http://127.0.0.1:5980/`. */
  readonly url: string;
  /**
   * Takes no more requests, lets those under way come to their end, and cuts off what is left after `graceMs`. Requests that wait for
   * work are answered at once. May be called again, and resolves when it is done.
   */
  stop(): Promise<void>;
  /** Goes on with another certificate, for connections from now on. Only for a server that was started with one; raises the error of node:tls. */
  renewTls(identity: TlsIdentity): void;
}

/** Four names of 1,000 bytes in a path, and some thousand in a query. */
const maxHeaderBytes = 256 * 1024;
const maxSegmentLength = 16 * 1024;
/** Longer than the minute after which most proxies close idle connections, so that they never send into one that we have closed. */
const keepAliveTimeoutMs = 75_000;
/** Those of requests that are answered before their body is read, or has been. */
const earlyStatuses = [401, 403, 413, 429, 503];
/** Of most requests; nobody writes to a query. */
const noQuery = new URLSearchParams();
/** A connection that is silent for so long beyond the longest wait for work is cut off: who does not take his answer, too. */
const silenceMs = 90_000;

/**
 * Serves a queue over HTTP, to existing Coordinate clients as to any other. Resolves once it listens. Any number of servers may
 * serve one database; they hold nothing between two requests.
 *
 * @throws InvalidArgumentError for an option that cannot be
 * @throws CannotListenError when the address is taken or not this machine's
 * @example
 * await using coordinate = await connect('postgres://localhost/app');
 * await using server = await serveRest({ coordinate });
 * console.log(server.url);
 */
export async function serveRest(options: RestServerOptions): Promise<RestServer> {
  const settings = checkRestServerOptions(options);
  const stopping = new AbortController();
  // Each request under way listens: a thousand that wait are no leak.
  setMaxListeners(0, stopping.signal);
  const waiting = new WaitingRequests();
  const { host, port, graceMs, maxEventStreams, heartbeatMs } = settings;
  const streams = new EventStreams({ most: maxEventStreams, heartbeatMs });
  const app = await applicationOf(settings, stopping.signal, { waiting, streams });
  sendContinue(app.server);
  const closeUnused = noteUnused(app.server, settings.tls !== undefined);
  const address = await app.listen({ host, port }).catch(async (error: unknown) => {
    await app.close();
    throw new CannotListenError(`${host}:${port}`, error instanceof Error ? error.message : String(error), { cause: error });
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= stopApplication(app, { stopping, closeUnused, graceMs }).then(async () => {
      await Promise.all([waiting.closed(), streams.closed()]);
    });
    return stopped;
  };
  const renewTls = (identity: TlsIdentity): void => (app.server as unknown as TlsServer).setSecureContext(identity);
  return { url: `${address}/`, stop, renewTls, [Symbol.asyncDispose]: stop };
}

async function stopApplication(
  app: FastifyInstance,
  { stopping, closeUnused, graceMs }: { readonly stopping: AbortController; readonly closeUnused: () => void; readonly graceMs: number },
): Promise<void> {
  stopping.abort();
  closeUnused();
  const timer = setTimeout(() => app.server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}

async function applicationOf(
  settings: CheckedRestServerOptions,
  stopping: AbortSignal,
  lasting: Pick<Surroundings, 'waiting' | 'streams'>,
): Promise<FastifyInstance> {
  const { coordinate, logger, tokens, bodyLimitBytes, longestWaitMs, allowedHosts } = settings;
  const onError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const report = (unexpected: unknown): void => logger.error(`${request.method} ${pathOf(request)} failed: ${stackOf(unexpected)}`);
    const told = errorOfRequest(error, { contentType: request.headers['content-type'], bodyLimitBytes, report });
    sendChallenge(reply, told);
    if (told instanceof ServerBusyError) reply.header('retry-after', 1);
    // The rest of a body that was refused unread is not waited for.
    if (earlyStatuses.includes(told.status) && hasBody(request)) reply.header('connection', 'close');
    sendError(reply, told, typeFor(request));
  };
  const app = fastify(frameworkOptions(settings, onError));
  app.server.maxConnections = settings.maxConnections;
  app.server.on('drop', () => logger.warn(`an HTTP client was turned away: there are ${settings.maxConnections} connections`));
  limitConnectionsByAddress(app.server, settings.maxConnectionsPerAddress, (address) => {
    logger.warn(`an HTTP client was turned away: there are ${settings.maxConnectionsPerAddress} connections from ${address}`);
  });
  knowAllMethods(app);
  readBodies(app, settings);
  app.setErrorHandler(onError);
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // A connection whose last request was waiting when the server began to stop would be kept open for the next one.
    if (stopping.aborted) reply.header('connection', 'close');
    done();
  });
  await limitRate(app, settings.requestsPerSecond);
  if (tokens === undefined && !settings.allowRemote) requireOwnHost(app, allowedHosts);
  if (tokens === undefined) refuseForeignPages(app, allowedHosts);
  guard(app, tokens);
  app.setNotFoundHandler((_request, reply) => sendNotFound(reply));
  registerObservation(app, settings, stopping);
  const onBroken = (request: FastifyRequest, error: unknown): void => logger.error(`the answer to ${request.method} ${pathOf(request)} broke off: ${stackOf(error)}`);
  const answers = new ByteBudget(settings.maxBufferedBytes);
  const surroundings: Surroundings = { coordinate, longestWaitMs, stopping, known: new KnownObjects(), answers, onBroken, ...lasting };
  for (const route of routes) {
    const needs = (method: string): Role => needOf(route, method);
    app.all(route.path, { config: { needs } }, (request, reply) => answerRequest(route, request, reply, surroundings));
  }
  await serveDescription(app, routes);
  return app;
}

function frameworkOptions(settings: CheckedRestServerOptions, frameworkErrors: FastifyServerOptions['frameworkErrors'] & object): FastifyServerOptions {
  const { tls, bodyLimitBytes, requestTimeoutMs, headersTimeoutMs, longestWaitMs } = settings;
  const headersTimeout = Math.min(headersTimeoutMs, requestTimeoutMs || headersTimeoutMs);
  const http = { maxHeaderSize: maxHeaderBytes, headersTimeout, connectionsCheckingInterval: Math.max(10, headersTimeout / 4) };
  return {
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: Math.min(longestWaitMs + silenceMs, 2 ** 31 - 1),
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    // What still comes through connections that are open is answered; it closes them.
    return503OnClosing: false,
    ...(tls === undefined ? { http } : { https: { ...http, ...tls, handshakeTimeout: headersTimeout } }),
    exposeHeadRoutes: false,
    frameworkErrors,
    clientErrorHandler: answerBadBytes,
    routerOptions: {
      maxParamLength: maxSegmentLength,
      querystringParser: (text: string) => (text === '' ? noQuery : new URLSearchParams(text)) as unknown as Record<string, unknown>,
    },
  };
}

/** For logs: without the query, and not the whole of a long one. */
function pathOf({ url }: FastifyRequest): string {
  return (url.split('?', 1)[0] ?? '').slice(0, 500);
}

/** The media type of an error: the default where what the client accepts is itself what is wrong. */
function typeFor({ headers }: FastifyRequest): MediaType {
  try {
    return chooseType(headers.accept);
  } catch {
    return defaultType;
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
