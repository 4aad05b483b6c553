import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface FreezableProxy {
  /** The address of the database, through the proxy. */
  readonly url: string;
  /** How many connections were made. */
  readonly connections: () => number;
  /** From now on what the connections of this moment send goes nowhere, without a word. */
  freeze(): void;
  /** How many connections are frozen. */
  readonly frozen: () => number;
  /** Sends what was held back, and goes on. */
  thaw(): void;
}

/** A way to the database that can go silent; by itself on each connection that sends what `freezesAt` says. */
export async function freezableProxy(database: string, freezesAt: (sent: Buffer) => boolean = () => false): Promise<FreezableProxy> {
  const target = new URL(database);
  const sockets: Socket[] = [];
  const frozen = new Set<Socket>();
  const held: (() => void)[] = [];
  let count = 0;
  const proxy = createServer((client) => {
    count++;
    const server = connect({ host: target.hostname, port: Number(target.port) });
    sockets.push(client, server);
    client.on('data', (sent) => {
      if (freezesAt(sent)) frozen.add(client);
      if (frozen.has(client)) held.push(() => server.write(sent));
      else server.write(sent);
    });
    server.on('data', (sent) => {
      if (frozen.has(client)) held.push(() => client.write(sent));
      else client.write(sent);
    });
    for (const [one, other] of [[client, server], [server, client]] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const url = new URL(database);
  url.hostname = '127.0.0.1';
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    connections: () => count,
    freeze: () => {
      for (const socket of sockets) frozen.add(socket);
    },
    frozen: () => frozen.size,
    thaw: () => {
      frozen.clear();
      for (const send of held.splice(0)) send();
    },
  };
}
