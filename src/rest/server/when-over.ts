import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** One listener for each connection, however many requests have come on it. */
const callbacksOf = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls back, once, when the answer to a request has been handed over or its client has gone. Returns what calls it off.
 *
 * The answer alone would not do: of requests that came one behind the other, those whose turn has not come have no connection of their own, and never
 * hear of its end.
 */
export function whenOver({ raw: { socket } }: Pick<FastifyRequest, 'raw'>, { raw: answer }: Pick<FastifyReply, 'raw'>, callback: () => void): () => void {
  const callbacks = callbacksOf.get(socket) ?? listenTo(socket);
  const callOff = (): void => {
    answer.off('close', over);
    callbacks.delete(over);
  };
  const over = (): void => {
    callOff();
    callback();
  };
  answer.once('close', over);
  callbacks.add(over);
  if (socket.destroyed || answer.closed) over();
  return callOff;
}

function listenTo(socket: Socket): Set<() => void> {
  const callbacks = new Set<() => void>();
  callbacksOf.set(socket, callbacks);
  socket.once('close', () => {
    for (const callback of callbacks) callback();
  });
  return callbacks;
}
