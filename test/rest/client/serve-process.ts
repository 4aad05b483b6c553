import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestDatabase } from '../../support/database.js';
import { compiledProgram } from '../../support/programs.js';

const program = compiledProgram(new URL('../../../src/cli/main.ts', import.meta.url));

export interface ServeProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** A server in a process of its own, on the tables of a test. */
export async function serveProcess({ url, schema }: TestDatabase): Promise<ServeProcess> {
  const args = ['serve', '--schema', schema, '--rest-port', '0', '--cbor-rpc-port', 'off'];
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, DATABASE_URL: url, PGAPPNAME: `pg-coordinate test ${schema}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  // Also if another server of the test does not start.
  process.once('exit', () => child.kill());
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [string];
  const at = /http:\S+/.exec(line)?.[0];
  if (at === undefined) throw new Error(`the server did not start: ${line}`);
  return {
    url: at,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
