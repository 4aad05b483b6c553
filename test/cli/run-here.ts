import { PassThrough, Readable } from 'node:stream';
import type { CommandIo } from '../../src/cli/command-io.js';
import { Output } from '../../src/cli/output.js';
import { runProgram } from '../../src/cli/run-program.js';
import type { CliResult } from './run-cli.js';

export interface HereOptions {
  readonly input?: string | Uint8Array | Readable;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Whether the three of them are a terminal. */
  readonly terminal?: boolean;
  readonly signal?: AbortSignal;
  /** Is told all that is written to standard output so far, and standard error. */
  readonly onOutput?: (output: string, errors: string) => void;
}

/** What a command wrote, with the bytes of its standard output. */
export interface HereResult extends CliResult {
  readonly bytes: Buffer;
}

/** Runs the command line in this process: as a process of its own it takes a second to start. */
export async function runHere(args: readonly string[], options: HereOptions = {}): Promise<HereResult> {
  const { input = '', environment = {}, directory = '/nonexistent', terminal = false } = options;
  const chunks: Buffer[] = [];
  let errors = '';
  const told = (): void => options.onOutput?.(Buffer.concat(chunks).toString(), errors);
  const stdout = Object.assign(new PassThrough(), { isTTY: terminal, columns: 120, rows: 40 });
  stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    told();
  });
  const stderr = Object.assign(new PassThrough(), { isTTY: terminal, columns: 120, rows: 40 });
  stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
    told();
  });
  const stdin = input instanceof Readable ? input : Readable.from(input.length === 0 ? [] : [Buffer.from(input)]);
  const environmentHere = { HOME: '/nonexistent', TERM: 'xterm', ...environment };
  const io: CommandIo = {
    stdin: Object.assign(stdin, { isTTY: terminal, setRawMode: () => undefined }),
    stdout: new Output(stdout, environmentHere),
    stderr: new Output(stderr, environmentHere),
    environment: environmentHere,
    directory,
    signal: options.signal ?? new AbortController().signal,
  };
  const status = await runProgram(args, io);
  await new Promise((resolve) => setImmediate(resolve));
  return { status, output: Buffer.concat(chunks).toString(), errors, bytes: Buffer.concat(chunks) };
}
