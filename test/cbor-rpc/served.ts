import { randomUUID } from 'node:crypto';
import type { PostgresCoordinate, PostgresNamespace } from 'pg-coordinate';
import { serveCborRpc, type CborRpcOptions, type CborRpcServer } from 'pg-coordinate/cbor-rpc';
import { ManualClock } from 'pg-coordinate/testing';
import { afterAll } from 'vitest';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { Client } from './client.js';

/** A queue that is served, with a clock of its own. */
export interface Served {
  readonly database: TestDatabase;
  readonly coordinate: PostgresCoordinate;
  readonly clock: ManualClock;
  /** What the server has told its logger. */
  readonly log: string[];
  /** Starts a server on a namespace of its own. It is stopped after the file's tests. */
  serve(options?: Partial<CborRpcOptions>): Promise<CborRpcServer>;
  /** A client of a new server, and its namespace. */
  client(options?: Partial<CborRpcOptions>): Promise<{ client: Client; namespace: PostgresNamespace; server: CborRpcServer }>;
}

export async function served(now = '2026-11-20T08:56:40Z'): Promise<Served> {
  const database = await testDatabase();
  const clock = new ManualClock(new Date(now));
  const coordinate = await database.connect({ clock });
  const log: string[] = [];
  const logger = { warn: (text: string) => void log.push(text), error: (text: string) => void log.push(text) };
  const servers: CborRpcServer[] = [];
  const clients: Client[] = [];
  afterAll(async () => {
    for (const client of clients) client.close();
    await Promise.all(servers.map((server) => server.stop()));
  });
  const serve = async (options: Partial<CborRpcOptions> = {}): Promise<CborRpcServer> => {
    const server = await serveCborRpc({ coordinate, port: 0, logger, namespace: randomUUID(), ...options });
    servers.push(server);
    return server;
  };
  return {
    database,
    coordinate,
    clock,
    log,
    serve,
    client: async (options = {}) => {
      const name = options.namespace ?? randomUUID();
      const server = await serve({ ...options, namespace: name });
      const client = await Client.connect(server);
      clients.push(client);
      return { client, namespace: await coordinate.namespace(name), server };
    },
  };
}
