import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { CoordinateError } from '../../errors/index.js';
import {
  defaultType, encodeBody, encodeListBody, errorToBody, eventStreamType, formatOfType, writeBody, type LongList, type MediaType,
} from '../wire/index.js';
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
 * Sends a list in pieces, as fast as the client takes them; the first is read before anything is sent. `hold` is told its length, for what is held of the list
 * at a time is about that. What goes wrong later is told to `onBroken`, and breaks the connection off: the client must not take what it has for all.
 * Resolves when all is sent, or the client has gone. For HEAD nothing more is read.
 */
export async function sendList(
  reply: FastifyReply,
  list: LongList,
  type: MediaType,
  { method, hold, onBroken }: { readonly method: string; readonly hold: (bytes: number) => void; readonly onBroken: (error: unknown) => void },
): Promise<void> {
  const pieces = encodeListBody(list, formatOfType(type));
  const { value: first } = await pieces.next();
  if (first !== undefined) hold(first.length);
  const rest = async function* (): AsyncGenerator<Buffer> {
    if (method === 'HEAD') return;
    if (first !== undefined) yield first;
    try {
      yield* pieces;
    } catch (error) {
      onBroken(error);
      throw error;
    }
  };
  await sendPieces(reply.header('content-type', type), Readable.from(rest(), { objectMode: false }));
}

/**
 * Sends server-sent events, as fast as the client takes them; resolves when the connection is closed, which is what ends them: it serves nothing
 * else. For HEAD there are none, only headers.
 */
export async function sendStream(reply: FastifyReply, stream: () => Promise<AsyncIterable<string>>, method: string): Promise<void> {
  const messages = method === 'HEAD' ? [] : await stream();
  // Proxies are neither to keep nor to collect them.
  reply.headers({ 'content-type': eventStreamType, 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' });
  await sendPieces(reply, Readable.from(messages));
}

/** Resolves when all is sent, or nobody is there any more to take it: the framework would end an answer whose handler has ended. */
async function sendPieces(reply: FastifyReply, pieces: Readable): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    if (reply.raw.closed) resolve();
    else reply.raw.once('close', resolve);
  });
  void reply.send(pieces);
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
