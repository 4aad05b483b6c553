import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { drop } from 'pg-coordinate';
import { isLoopback } from 'pg-coordinate/access';
import { afterAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { runCli } from './run-cli.js';

const url = inject('databaseUrl');
const schema = `serve_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
afterAll(() => drop(url, { schema }));

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Starts the command, and resolves to what it says first. */
async function serve(args: readonly string[]): Promise<{ line: string; stop: (signal: NodeJS.Signals) => Promise<unknown> }> {
  const inherited = Object.entries(process.env).filter(([name]) => name !== 'DATABASE_URL' && !name.startsWith('PG'));
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), program, 'serve', ...args], {
    env: Object.fromEntries(inherited),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([status]) => status as unknown);
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    ended.then((status) => `it has ended with ${String(status)}`),
  ]);
  return {
    line,
    stop: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

describe('serve', { timeout: 120_000 }, () => {
  test('serves a database that is given, says where, and stops when it is told to', async () => {
    const { line, stop } = await serve(['--database', url, '--schema', schema, '--rest-port', '0']);
    expect(line).toMatch(/^Serving HTTP at http:\/\/127\.0\.0\.1:\d+\/ on the given PostgreSQL; Ctrl-C stops it\.$/);
    const at = /http:\S+/.exec(line)?.[0] ?? '';
    const root = (await (await fetch(at)).json()) as { namespaces_url: string };
    expect(await (await fetch(new URL(root.namespaces_url, at))).json()).toEqual({ namespaces: [] });
    expect(await stop('SIGTERM')).toBe(0);
    await expect(fetch(at)).rejects.toThrow();
  });

  test('brings a PostgreSQL of its own when none is given', async () => {
    const { line, stop } = await serve(['--rest-port', '0']);
    expect(line).toMatch(/ on PostgreSQL \d+\.\d+ of its own, with data in a temporary directory; /);
    const at = /http:\S+/.exec(line)?.[0] ?? '';
    const made = await fetch(new URL('/namespace', at), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"here"}',
    });
    expect(made.status).toBe(201);
    expect(await stop('SIGINT')).toBe(0);
  });

  test.each([
    [['--rest-host', '0.0.0.0'], '--rest-host 0.0.0.0 lets whoever reaches this machine use the queue; if that is meant, add --allow-remote'],
    [['--rest-port', '70000'], "option '--rest-port <number>' argument '70000' is invalid. It must be a whole number from 0 to 65535."],
    [['--database', 'postgres://localhost/a', '--data-directory', 'x'], '--data-directory is for a PostgreSQL of our own, but a database is given'],
  ])('does not start with %j', async (args, sentence) => {
    expect(await runCli(['serve', ...args])).toEqual({ status: 2, output: '', errors: `pg-coordinate: ${sentence}\n` });
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.example.org', false],
  ['', false],
])('%j is this machine alone: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
