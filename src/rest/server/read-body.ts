import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ByteBudget } from '../../access/byte-budget.js';
import { MalformedRequestError, RequestTooLargeError, ServerBusyError } from '../../errors/index.js';
import { whenOver } from './when-over.js';

/** How many bytes bodies may have. */
export interface BodyLimits {
  /** Each of them. */
  readonly bodyLimitBytes: number;
  /** All that are being received or worked on, together. */
  readonly maxBufferedBytes: number;
}

/** Takes so many bytes more, or says that there are not so many left. */
type Take = (bytes: number) => boolean;

/**
 * Has bodies arrive as bytes, whatever they are said to be: they are read where their turn comes. What a body takes of the budget it holds
 * until its request is over, for what is made of it needs no less.
 */
export function readBodies(app: FastifyInstance, limits: BodyLimits): void {
  const budget = new ByteBudget(limits.maxBufferedBytes);
  const takes = new WeakMap<IncomingMessage, Take>();
  app.removeAllContentTypeParsers();
  // Parsers are told nothing of the reply.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (hasBody(request)) takes.set(request.raw, takingOf(budget, (callback) => whenOver(request, reply, callback)));
    done();
  });
  app.addContentTypeParser('*', (request, _payload, done) => {
    const take = takes.get(request.raw) ?? (() => false);
    readBody(request.raw, limits.bodyLimitBytes, take).then((body) => done(null, body), done);
  });
}

/** Whether the client sends a body, or says so. */
export function hasBody({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function takingOf(budget: ByteBudget, whenOver: (callback: () => void) => unknown): Take {
  let held = 0;
  let isOver = false;
  whenOver(() => {
    isOver = true;
    budget.give(held);
  });
  return (bytes) => {
    if (isOver || !budget.take(bytes)) return false;
    held += bytes;
    return true;
  };
}

/** Raises RequestTooLarge, ServerBusy; MalformedRequest when the client breaks off. */
function readBody(request: IncomingMessage, bodyLimitBytes: number, take: Take): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (result: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      result();
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > bodyLimitBytes) end(() => reject(new RequestTooLargeError(bodyLimitBytes)));
      else if (!take(chunk.length)) end(() => reject(new ServerBusyError()));
      else chunks.push(chunk);
    };
    const onEnd = (): void => end(() => resolve(Buffer.concat(chunks, length)));
    const onBroken = (): void => end(() => reject(new MalformedRequestError('its body breaks off')));
    // What it says of itself is known before any of it is read.
    if (Number(request.headers['content-length'] ?? 0) > bodyLimitBytes) reject(new RequestTooLargeError(bodyLimitBytes));
    // Its client may have gone before its turn came.
    else if (request.destroyed) onBroken();
    else request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  });
}
