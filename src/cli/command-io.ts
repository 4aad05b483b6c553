import type { Readable } from 'node:stream';
import { Output } from './output.js';

/** What a command sees of the world; a test hands in one of its own. */
export interface CommandIo {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(mode: boolean): unknown };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The folder that names of files start from. */
  readonly directory: string;
  /** Fires with an InterruptedError when the command is to end: Ctrl-C, SIGTERM. */
  readonly signal: AbortSignal;
}

/** That of this process. */
export function processIo(signal: AbortSignal): CommandIo {
  return {
    stdin: process.stdin,
    stdout: new Output(process.stdout, process.env),
    stderr: new Output(process.stderr, process.env),
    environment: process.env,
    directory: process.cwd(),
    signal,
  };
}
