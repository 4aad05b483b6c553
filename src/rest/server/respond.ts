import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { CoordinateError } from '../../errors/index.js';
import { defaultType, encodeBody, errorToBody, eventStreamType, formatOfType, writeBody, type MediaType } from '../wire/index.js';
import type { Answer } from './answer.js';

/** Sends what a resource has to say, of which `hold` is told the length, and may refuse. For HEAD, Node leaves the body out and keeps the headers. */
export function sendAnswer(reply: FastifyReply, { status, body, location }: Answer, type: MediaType, hold: (bytes: number) => void): void {
  const written = status === 204 ? undefined : writeBody(body, formatOfType(type));
  if (written !== undefined) hold(Buffer.byteLength(written));
  reply.code(status);
  if (location !== undefined) reply.header('location', location);
  if (written === undefined) void reply.send();
  else void reply.header('content-type', type).serializer(asIs).send(written);
}

/** Without a serializer of our own the framework would add a charset to the type of text. */
function asIs(text: unknown): string {
  return text as string;
}

/**
 * Sends server-sent events, as fast as the client takes them; resolves when the connection is closed, which is what ends them: it serves nothing
 * else. For HEAD there are none, only headers.
 */
export async function sendStream(reply: FastifyReply, stream: () => Promise<AsyncIterable<string>>, method: string): Promise<void> {
  const messages = method === 'HEAD' ? [] : await stream();
  // Proxies are neither to keep nor to collect them.
  reply.headers({ 'content-type': eventStreamType, 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' });
  const closed = new Promise<void>((resolve) => {
    if (reply.raw.closed) resolve();
    else reply.raw.once('close', resolve);
  });
  void reply.send(Readable.from(messages));
  await closed;
}

/** Sends an error in the form that the client has asked for, if it has asked for one that there is. */
export function sendError(reply: FastifyReply, error: CoordinateError, type: MediaType = defaultType): void {
  const body = encodeBody(errorToBody(error), formatOfType(type));
  void reply.code(error.status).header('content-type', type).send(body);
}

/** Where there is nothing: in the words that clients know. */
export function sendNotFound(reply: FastifyReply): void {
  void reply.code(404).type('text/plain; charset=utf-8').send('404 page not found\n');
}
