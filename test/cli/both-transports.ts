import type { Namespace } from 'pg-coordinate';
import { serveRest, type RestServer } from 'pg-coordinate/rest';
import { afterAll, beforeAll, expect } from 'vitest';
import { testDatabase } from '../support/database.js';
import { compiledCli } from '../support/programs.js';
import { runProcess, type ProcessOptions, type ProcessResult } from './processes.js';
import type { CliResult } from './run-cli.js';
import { runHere } from './run-here.js';

export const transports = ['postgres', 'http'] as const;
export type Transport = (typeof transports)[number];

export type CommandOptions = Partial<Omit<ProcessOptions, 'environment'>> & { readonly namespace?: string };

export type SameOptions = Pick<CommandOptions, 'input' | 'namespace'> & {
  /** Whether the command is run in the process of the test, which takes a tenth of the time. @default false */
  readonly here?: boolean;
};

/** Two queues that are filled alike: one is reached at its database, the other at a server in front of it. */
export interface BothTransports {
  /** Runs a command as a process on one of them. */
  on(transport: Transport, args: readonly string[], options?: CommandOptions): Promise<ProcessResult>;
  /** Runs it on both, and checks that they come to the same, apart from times. Resolves to what it came to. */
  same(args: readonly string[], options?: SameOptions): Promise<CliResult>;
}

/** To be called once, at the top of a test file. */
export function useBothTransports(namespace: string, fill: (namespace: Namespace) => Promise<void>): BothTransports {
  const program = compiledCli();
  const environments = new Map<Transport, Record<string, string>>();
  let server: RestServer | undefined;
  beforeAll(async () => {
    for (const transport of transports) {
      const database = await testDatabase();
      const coordinate = await database.connect();
      await fill(await coordinate.namespace(namespace));
      if (transport === 'http') {
        server = await serveRest({ coordinate, port: 0 });
        environments.set(transport, { PG_COORDINATE_DATABASE: server.url });
      } else {
        environments.set(transport, { PG_COORDINATE_DATABASE: database.url, PG_COORDINATE_SCHEMA: database.schema });
      }
    }
  });
  afterAll(() => server?.stop());

  const environmentOf = (transport: Transport, other = namespace): Record<string, string> => ({
    ...environments.get(transport),
    PG_COORDINATE_NAMESPACE: other,
  });
  const on: BothTransports['on'] = (transport, args, { namespace: other, ...options } = {}) =>
    runProcess(program, args, { ...options, environment: environmentOf(transport, other) });
  const runOn = (transport: Transport, args: readonly string[], { here = false, ...options }: SameOptions = {}): Promise<CliResult> =>
    here
      ? runHere(args, { ...(options.input !== undefined && { input: options.input }), environment: environmentOf(transport, options.namespace) })
      : on(transport, args, options);
  return {
    on,
    same: async (args, options) => {
      const [first, second] = await Promise.all(transports.map(async (transport) => plain(await runOn(transport, args, options))));
      expect(second).toEqual(first);
      return first!;
    },
  };
}

/** Without what is another each time: when something was, how long it took, and so how wide a column of it is. */
function plain({ status, output, errors }: CliResult): CliResult {
  return { status, output: withoutTimes(output), errors: withoutTimes(errors) };
}

function withoutTimes(text: string): string {
  return text
    .replaceAll(/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
    .replaceAll(/ in [\d.]+ m?s( \([\d,]+ per second\))?/g, ' in <time>');
}
