import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { compiledCli } from '../support/programs.js';

const program = compiledCli();

export interface CliResult {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the command line as a process of its own, without a terminal. */
export async function runCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<CliResult> {
  const child = startCli(args, environment);
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdin.end(input);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output, errors };
}

/** Starts the command line as a process of its own; it is killed after the test if it has not ended. */
export function startCli(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcessWithoutNullStreams {
  const inherited = Object.entries(process.env).filter(([name]) => name !== 'DATABASE_URL' && !name.startsWith('PG'));
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined);
  return child;
}
