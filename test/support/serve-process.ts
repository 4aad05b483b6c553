import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** The tables to serve. */
export interface ServedTables {
  readonly url: string;
  readonly schema: string;
}

export interface ServeOptions {
  /** 0: a free one. @default 0 */
  readonly restPort?: number;
  /** @default 'off' */
  readonly cborRpcPort?: number | 'off';
  /** More flags. @default none */
  readonly flags?: readonly string[];
  /** The command line as plain JavaScript, which starts sooner. @default its source, by tsx */
  readonly program?: string;
  /** Arguments of Node itself, such as `--cpu-prof`. @default none */
  readonly nodeFlags?: readonly string[];
  /** Told each line that it logs. @default they are shown */
  readonly onLog?: (line: string) => void;
}

/** A running `pg-coordinate serve`. */
export interface ServeProcess {
  readonly pid: number;
  /** Where clients begin. */
  readonly url: string;
  /** The port of CBOR-RPC; undefined when it is off. */
  readonly cborRpcPort: number | undefined;
  /** What its connections to the database are called. */
  readonly application: string;
  /** Whether it has ended, by whatever. */
  readonly hasEnded: boolean;
  /** Lets it come to its end. */
  stop(): Promise<void>;
  /** Ends it at once, whatever it is doing. */
  kill(): Promise<void>;
}

/** A server in a process of its own, on tables that are there, or are made by it. */
export async function serveProcess({ url, schema }: ServedTables, options: ServeOptions = {}): Promise<ServeProcess> {
  const { restPort = 0, cborRpcPort = 'off', flags = [], program, nodeFlags = [], onLog } = options;
  const application = `pg-coordinate test ${schema}`;
  const args = ['serve', '--schema', schema, '--rest-port', String(restPort), '--cbor-rpc-port', String(cborRpcPort), ...flags];
  const command = program === undefined ? ['--import', import.meta.resolve('tsx'), source] : [program];
  const child = spawn(process.execPath, [...nodeFlags, ...command, ...args], {
    env: { ...process.env, DATABASE_URL: url, PGAPPNAME: application },
    stdio: ['ignore', 'pipe', onLog === undefined ? 'inherit' : 'pipe'],
  });
  if (child.stderr !== null && onLog !== undefined) createInterface(child.stderr).on('line', onLog);
  const ended = once(child, 'close');
  // Also if another server of the test does not start.
  const killIt = (): void => void child.kill('SIGKILL');
  process.once('exit', killIt);
  child.once('close', () => process.off('exit', killIt));
  const said: string[] = [];
  const lines = createInterface(child.stdout!);
  lines.on('line', (line) => said.push(line));
  const hears = (text: string): boolean => said.some((line) => line.includes(text));
  while (!hears('Serving HTTP at ') || (cborRpcPort !== 'off' && !hears('Serving CBOR-RPC at '))) {
    await Promise.race([once(lines, 'line'), ended]);
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server did not start: ${said.join('\n')}`);
  }
  const port = /Serving CBOR-RPC at .*?:(\d+),/.exec(said.join('\n'))?.[1];
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return {
    pid: child.pid!,
    url: /http:\S+/.exec(said.join('\n'))?.[0] ?? '',
    cborRpcPort: port === undefined ? undefined : Number(port),
    application,
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}
