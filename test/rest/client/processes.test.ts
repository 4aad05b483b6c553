import { connectRest } from 'pg-coordinate/rest';
import { conformanceCases, registerConformance } from 'pg-coordinate/testing';
import { afterAll, describe, test } from 'vitest';
import { testDatabase } from '../../support/database.js';
import { compiledCli } from '../../support/programs.js';
import { serveProcess } from '../../support/serve-process.js';

const database = await testDatabase();
const servers = await Promise.all([1, 2].map(() => serveProcess(database, { program: compiledCli() })));
afterAll(() => Promise.all(servers.map((server) => server.stop())));

/** By the manual clock, which other processes do not have. */
const byTheClock = ['one connection expires what was handed out by another'];

describe('two servers in processes of their own, each connection to the other one', () => {
  let connections = 0;
  registerConformance(
    { describe, test, afterAll },
    {
      overTheWire: true,
      connect: () => connectRest(servers[connections++ % 2]!.url),
      cases: conformanceCases.filter(({ name, needsSharedBackend }) => needsSharedBackend && !byTheClock.includes(name)),
    },
  );
});
