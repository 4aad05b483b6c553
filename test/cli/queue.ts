import { afterAll, beforeAll } from 'vitest';
import type { PostgresCoordinate } from 'pg-coordinate';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { runCli, type CliResult } from './run-cli.js';
import { runHere, type HereOptions, type HereResult } from './run-here.js';

/** A queue that commands of one test file are run on. */
export interface Queue {
  readonly database: TestDatabase;
  readonly coordinate: PostgresCoordinate;
  /** Runs a command here, on a namespace. */
  run(namespace: string, args: readonly string[], options?: HereOptions): Promise<HereResult>;
  /** Runs it as a process. */
  process(namespace: string, args: readonly string[], environment?: Readonly<Record<string, string>>, input?: string): Promise<CliResult>;
}

/** To be called once, at the top of a test file; what it returns can be used from within tests. */
export function useQueue(): Queue {
  let database: TestDatabase | undefined;
  let coordinate: PostgresCoordinate | undefined;
  beforeAll(async () => {
    database = await testDatabase();
    coordinate = await database.connect();
  });
  afterAll(() => coordinate?.close());
  const made = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('before the tests have begun');
    return value;
  };
  const environmentOf = (namespace: string): Record<string, string> => ({
    PG_COORDINATE_DATABASE: made(database).url,
    PG_COORDINATE_SCHEMA: made(database).schema,
    PG_COORDINATE_NAMESPACE: namespace,
  });
  return {
    get database() {
      return made(database);
    },
    get coordinate() {
      return made(coordinate);
    },
    run: (namespace, args, options = {}) =>
      runHere(args, { ...options, environment: { ...environmentOf(namespace), ...options.environment } }),
    process: (namespace, args, environment = {}, input) =>
      runCli(args, { ...environmentOf(namespace), ...environment }, input),
  };
}
