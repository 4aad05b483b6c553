import { connectRest, serveRest } from 'pg-coordinate/rest';
import { registerConformance } from 'pg-coordinate/testing';
import { afterAll, describe, test } from 'vitest';
import { testDatabase } from '../../support/database.js';

const database = await testDatabase();
/** Clock and random numbers are the server's: it gets those of the session that connects first, as all are alike. */
const servers = new Map<unknown, Promise<{ readonly url: string }>>();
afterAll(async () => {
  for (const server of servers.values()) await ((await server) as Awaited<ReturnType<typeof serveRest>>).stop();
});

registerConformance(
  { describe, test, afterAll },
  {
    overTheWire: true,
    connect: async ({ clock, random }) => {
      const server = servers.get(clock) ?? database.connect({ clock, random }).then((coordinate) => serveRest({ coordinate, port: 0 }));
      servers.set(clock, server);
      return connectRest((await server).url);
    },
  },
);
