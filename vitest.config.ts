import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

/** Everything runs on the newest PostgreSQL; what depends on the server runs on the oldest supported one too. */
const onEveryVersion = ['test/core/**/*.test.ts', 'test/conformance/**/*.test.ts', 'test/model/postgres.test.ts'];

const shared = {
  exclude: ['test/bench/**', '**/node_modules/**'],
  globalSetup: ['test/support/global-database.ts', 'test/support/global-programs.ts'],
  // What is imported stays imported for the next file of the process: to load the product anew for each took a quarter of all the time.
  isolate: false,
  testTimeout: 240_000,
  hookTimeout: 240_000,
};

/** With a DATABASE_URL there is but one server to test on; and npm has the oldest PostgreSQL for one platform only. */
const hasOldest = (process.env.DATABASE_URL ?? '') === '' && `${process.platform}-${process.arch}` === 'linux-x64';

export default defineConfig({
  resolve: {
    alias: [
      { find: /^pg-coordinate$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) },
      {
        find: /^pg-coordinate\/embedded$/,
        replacement: fileURLToPath(new URL('src/database/embedded/index.ts', import.meta.url)),
      },
      { find: /^pg-coordinate\/(.*)$/, replacement: fileURLToPath(new URL('src/$1/index.ts', import.meta.url)) },
    ],
  },
  test: {
    // Many of them wait for a time to pass or for other processes, so it takes three at once to keep two cores busy; by default it
    // would be one.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { ...shared, name: 'postgres-18', include: ['test/**/*.test.ts'] } },
      ...(hasOldest ? [{ extends: true as const, test: { ...shared, name: 'postgres-14', include: onEveryVersion } }] : []),
    ],
  },
});
