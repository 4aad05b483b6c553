import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { CannotListenError } from '../../errors/index.js';
import { chooseType, defaultType, type MediaType } from '../wire/index.js';
import { answerRequest } from './answer-request.js';
import { errorOfRequest } from './error-of-request.js';
import { sendError, sendNotFound } from './respond.js';
import { checkRestServerOptions, type CheckedRestServerOptions, type RestServerOptions } from './rest-options.js';
import { WaitingRequests } from './request-or-wait.js';
import { routes } from './routes.js';

/** A running server. */
export interface RestServer extends AsyncDisposable {
  /** Where clients begin: `http://127.0.0.1:5980/`. */
  readonly url: string;
  /**
   * Takes no more requests, lets those under way come to their end, and cuts off what is left after `graceMs`. Requests that wait for
   * work are answered at once. May be called again, and resolves when it is done.
   */
  stop(): Promise<void>;
}

/** Four names of 1,000 bytes in a path, and some thousand in a query. */
const maxHeaderBytes = 256 * 1024;
const maxSegmentLength = 16 * 1024;
const headersTimeoutMs = 20_000;
/** Longer than the minute after which most proxies close idle connections, so that they never send into one that we have closed. */
const keepAliveTimeoutMs = 75_000;

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
  const waiting = new WaitingRequests();
  const app = applicationOf(settings, stopping.signal, waiting);
  const { host, port, graceMs } = settings;
  const address = await app.listen({ host, port }).catch(async (error: unknown) => {
    await app.close();
    throw new CannotListenError(`${host}:${port}`, error instanceof Error ? error.message : String(error), { cause: error });
  });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= stopApplication(app, stopping, graceMs).then(() => waiting.closed());
    return stopped;
  };
  return { url: `${address}/`, stop, [Symbol.asyncDispose]: stop };
}

async function stopApplication(app: FastifyInstance, stopping: AbortController, graceMs: number): Promise<void> {
  stopping.abort();
  const timer = setTimeout(() => app.server.closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}

function applicationOf(settings: CheckedRestServerOptions, stopping: AbortSignal, waiting: WaitingRequests): FastifyInstance {
  const { coordinate, logger, bodyLimitBytes, requestTimeoutMs, longestWaitMs } = settings;
  const onError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const report = (unexpected: unknown): void => logger.error(`${request.method} ${request.url} failed: ${stackOf(unexpected)}`);
    const told = errorOfRequest(error, { contentType: request.headers['content-type'], bodyLimitBytes, report });
    sendError(reply, told, typeFor(request));
  };
  const app = fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    // What still comes through connections that are open is answered; it closes them.
    return503OnClosing: false,
    http: { maxHeaderSize: maxHeaderBytes, headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs || headersTimeoutMs) },
    exposeHeadRoutes: false,
    frameworkErrors: onError,
    routerOptions: {
      maxParamLength: maxSegmentLength,
      querystringParser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown>,
    },
  });
  // Bodies are read where their turn comes: whatever they are said to be, they arrive as bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler(onError);
  app.setNotFoundHandler((_request, reply) => sendNotFound(reply));
  const surroundings = { coordinate, longestWaitMs, stopping, waiting };
  for (const route of routes) {
    app.all(route.path, (request, reply) => answerRequest(route, request, reply, surroundings));
  }
  return app;
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
