import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { EmbeddedPostgresOptions } from '../../../src/database/embedded/index.js';
import { compiledProgram } from '../../support/programs.js';

export interface Child {
  readonly process: ChildProcess & { readonly pid: number };
  /** What it says next: first that it starts a server, then the server's url and version. */
  next(): Promise<{ readonly url: string; readonly version: string }>;
  readonly exit: Promise<{ readonly status: number | null; readonly signal: string | null; readonly errors: string }>;
}

/** Compiled: where the sources lie, another user may not be let in. */
const program = compiledProgram(new URL('child-program.ts', import.meta.url));

/** A process of its own, leader of a process group, that starts a server. */
export function spawnChild(
  options: EmbeddedPostgresOptions,
  afterwards: 'live' | 'end' | 'stop',
  user: { uid?: number; gid?: number; cwd?: string } = {},
): Child {
  const child = spawn(process.execPath, [program, JSON.stringify({ options, afterwards })], {
    ...user,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Of a test that fails halfway.
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child as ChildProcess & { readonly pid: number },
    async next() {
      const line = await lines.next();
      if (line.done === true) throw new Error(`the child ended: ${errors}`);
      return JSON.parse(line.value) as { url: string; version: string };
    },
    exit: once(child, 'close').then(([status, signal]) => ({
      status: status as number | null,
      signal: signal as string | null,
      errors,
    })),
  };
}
