import type { FastifyReply, FastifyRequest } from 'fastify';
import { GoneError, NotAcceptableError } from '../../errors/index.js';
import { accepts, chooseType, decodeBody, defaultType, eventStreamType, formatOfContentType, formatOfType, type Body, type MediaType } from '../wire/index.js';
import type { Answer } from './answer.js';
import type { Exchange } from './exchange.js';
import { namespaceName } from './namespace.js';
import { sendAnswer, sendNotFound, sendStream } from './respond.js';
import type { Route } from './route.js';

/** What all requests have in common. */
export type Surroundings = Pick<Exchange, 'coordinate' | 'longestWaitMs' | 'waiting' | 'streams' | 'known'> & {
  /** Fires when the server is stopping. */
  readonly stopping: AbortSignal;
};

/** Methods whose requests have a body. */
const withBody = ['POST', 'PUT', 'PATCH'];

const noBody: Body = Object.freeze({});

/**
 * Answers a request to a route. What is checked comes in the order that clients know: the answer's media type, the objects of the
 * path, the body, the method.
 */
export async function answerRequest(
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  { stopping, ...surroundings }: Surroundings,
): Promise<void> {
  const segments = request.params as Exchange['segments'];
  // The framework takes `/namespace/` for a namespace without a name; even that one has a segment that is not empty.
  if (Object.values(segments).includes('')) {
    sendNotFound(reply);
    return;
  }
  const { method } = request;
  const type = typeOf(route, request);
  const ending = new AbortController();
  const end = (): void => ending.abort();
  reply.raw.once('close', end);
  stopping.addEventListener('abort', end, { once: true });
  if (stopping.aborted) end();
  try {
    const exchange: Exchange = {
      ...surroundings,
      access: request.access,
      segments,
      query: request.query as URLSearchParams,
      body: noBody,
      format: formatOfType(type),
      signal: ending.signal,
      isStillAllowed: () => request.isStillAllowed(),
      lastEventId: request.headers['last-event-id']?.toString(),
    };
    if (!route.methods.includes(method)) reply.header('allow', route.methods.join(', '));
    const answered = await answerAnew(exchange, async () => {
      const answer = await route.find(exchange);
      return answer(method, { ...exchange, body: withBody.includes(method) ? readBody(request) : noBody });
    });
    if (answered.stream === undefined) sendAnswer(reply, answered, type);
    else await sendStream(reply, answered.stream, method);
  } finally {
    reply.raw.off('close', end);
    stopping.removeEventListener('abort', end);
  }
}

/** Answers, and once more if what was known of the path is gone: it may have been made anew. */
async function answerAnew({ known, segments }: Exchange, answer: () => Promise<Answer>): Promise<Answer> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof GoneError) || segments.namespace === undefined || !known.forget(namespaceName({ segments }))) throw error;
    return answer();
  }
}

/** The media type of the answer, or of the error instead of a stream. Raises NotAcceptable; MalformedRequest. */
function typeOf({ operations }: Route, { method, headers }: FastifyRequest): MediaType {
  if (operations.get(method === 'HEAD' ? 'GET' : method)?.streams === undefined) return chooseType(headers.accept);
  if (!accepts(headers.accept, eventStreamType)) throw new NotAcceptableError();
  return defaultType;
}

function readBody({ headers, body }: FastifyRequest): Body {
  const format = formatOfContentType(headers['content-type']);
  return decodeBody(Buffer.isBuffer(body) ? body : Buffer.alloc(0), format);
}
