import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ByteBudget } from '../../access/byte-budget.js';
import { GoneError, NotAcceptableError, ServerBusyError } from '../../errors/index.js';
import {
  accepts, chooseType, decodeRequestBody, defaultType, eventStreamType, formatOfContentType, type Body, type MediaType,
} from '../wire/index.js';
import type { Answer } from './answer.js';
import type { Exchange } from './exchange.js';
import { namespaceName } from './namespace.js';
import { sendAnswer, sendList, sendNotFound, sendStream } from './respond.js';
import { RequestExchange, type Surroundings } from './request-exchange.js';
import type { Route } from './route.js';
import { whenOver } from './when-over.js';

/** Smaller answers fit into the buffers of a connection, and are not counted. */
const smallAnswerBytes = 64 * 1024;

/** Methods whose requests have a body. */
const withBody = ['POST', 'PUT', 'PATCH'];

/**
 * Answers a request to a route. What is checked comes in the order that clients know: the answer's media type, the objects of the
 * path, the body, the method.
 */
export async function answerRequest(route: Route, request: FastifyRequest, reply: FastifyReply, surroundings: Surroundings): Promise<void> {
  // The framework takes `/namespace/` for a namespace without a name; even that one has a segment that is not empty.
  if (hasEmptySegment(request.params as Exchange['segments'])) {
    sendNotFound(reply);
    return;
  }
  const { method } = request;
  const type = typeOf(route, request);
  const exchange = new RequestExchange(request, reply, type, surroundings);
  try {
    if (!route.methods.includes(method)) reply.header('allow', route.methods.join(', '));
    const { takeBack, ...said } = await answerAnew(exchange, async () => {
      const answer = await route.find(exchange);
      if (withBody.includes(method)) exchange.body = readBody(request);
      return answer(method, exchange);
    });
    const hold = (bytes: number): void => holdAnswer(surroundings.answers, bytes, (callback) => whenOver(request, reply, callback));
    const send = (): void => sendAnswer(reply, said, type, hold);
    if (said.stream !== undefined) await sendStream(reply, said.stream, method);
    else if (said.list !== undefined) await sendList(reply, said.list, type, { method, hold, onBroken: (error) => surroundings.onBroken(request, error) });
    else if (takeBack === undefined) send();
    else await sendOrTakeBack(request, reply, { send, takeBack });
  } finally {
    exchange.end();
  }
}

function hasEmptySegment(segments: Exchange['segments']): boolean {
  for (const name in segments) if (segments[name] === '') return true;
  return false;
}

/** An answer is held until its client has taken it, however long that takes. Raises ServerBusy. */
function holdAnswer(answers: ByteBudget, bytes: number, whenOver: (callback: () => void) => unknown): void {
  if (bytes <= smallAnswerBytes) return;
  // One that is larger than all may be together must be taken some time.
  if (!answers.takeOrBeAlone(bytes)) throw new ServerBusyError();
  whenOver(() => answers.give(bytes));
}

/** What was made for the client is taken back unless the answer was handed over to the system: after that, nobody knows what became of it. */
async function sendOrTakeBack(
  request: FastifyRequest,
  reply: FastifyReply,
  { send, takeBack }: { readonly send: () => void; readonly takeBack: () => Promise<void> },
): Promise<void> {
  whenOver(request, reply, () => {
    if (!reply.raw.writableFinished) void takeBack();
  });
  try {
    // Who has waited for it may have outlived his token, and could not report on what he is given.
    request.letIn();
    send();
  } catch (error) {
    await takeBack();
    throw error;
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
  return decodeRequestBody(Buffer.isBuffer(body) ? body : Buffer.alloc(0), format);
}
