import type { Server, Socket } from 'node:net';

/**
 * Closes connections at once whose address has as many as it may have, so that one client cannot take all there are. 0: takes all. To be called before the
 * server listens. `onRefused` is told of an address when it is refused for the first time since it had fewer: what comes again and again must not fill a log.
 */
export function limitConnectionsByAddress(server: Server, most: number, onRefused: (address: string) => void): void {
  if (most === 0) return;
  const counts = new Map<string, number>();
  const refused = new Set<string>();
  server.on('connection', (socket: Socket) => {
    const address = addressOf(socket);
    // One that has gone already has none.
    if (address === undefined) return;
    const count = counts.get(address) ?? 0;
    if (count >= most) {
      socket.destroy();
      if (!refused.has(address)) onRefused(address);
      refused.add(address);
      return;
    }
    counts.set(address, count + 1);
    socket.once('close', () => {
      const left = (counts.get(address) ?? 0) - 1;
      refused.delete(address);
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    });
  });
}

/** The same client has the same address, whether it was reached by IPv4 or by IPv6 on behalf of it. */
function addressOf({ remoteAddress }: Socket): string | undefined {
  return remoteAddress?.replace(/^::ffff:(?=\d+\.)/i, '');
}
