import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Notes connections on which nothing has been asked, such as those that clients open ahead of time. Returns what closes them: Node takes them for busy, so
 * that a server which stops would wait for them. To be called before the server listens.
 */
export function noteUnused(server: Server, isTls: boolean): () => void {
  const unused = new Set<Socket>();
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage) => unused.delete(socket));
  return () => {
    for (const socket of unused) if (socket.bytesRead === 0) socket.destroy();
  };
}
