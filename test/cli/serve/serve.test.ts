import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { createInterface } from 'node:readline';
import { drop } from 'pg-coordinate';
import { hashToken, isLoopback, makeToken, writeTokenEntry } from 'pg-coordinate/access';
import { afterAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { Client } from '../../cbor-rpc/client.js';
import { readStream } from '../../rest/server/reading-events.js';
import { certificate } from '../../support/certificate.js';
import { compiledCli } from '../../support/programs.js';
import { runCli } from '../run-cli.js';

const url = inject('databaseUrl');
const schema = `serve_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
afterAll(() => drop(url, { schema }));

const program = compiledCli();

interface Started {
  readonly line: string;
  /** Resolves to the next line that it says with this in it. */
  said(text: string): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves to the exit code. */
  stop(signal: NodeJS.Signals): Promise<unknown>;
}

/** Starts the command, and resolves to what it says first. */
async function serve(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Started> {
  const inherited = Object.entries(process.env).filter(([name]) => name !== 'DATABASE_URL' && !name.startsWith('PG'));
  const child = spawn(process.execPath, [program, 'serve', ...args], {
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close').then(([status]) => status as unknown);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const said = async (text: string): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`it has ended with ${String(await ended)} without saying ${text}`);
      if (value.includes(text)) return value;
    }
  };
  return {
    line: await said(''),
    said,
    signal: (signal) => void child.kill(signal),
    stop: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

describe('serve', { timeout: 120_000 }, () => {
  test('serves a database that is given, says where, and stops when it is told to', async () => {
    const { line, stop } = await serve(['--database', url, '--schema', schema, '--rest-port', '0', '--cbor-rpc-port', '0']);
    expect(line).toMatch(/^Serving HTTP at http:\/\/127\.0\.0\.1:\d+\/ on the given PostgreSQL; Ctrl-C stops it\.$/);
    const at = /http:\S+/.exec(line)?.[0] ?? '';
    const root = (await (await fetch(at)).json()) as { namespaces_url: string };
    expect(await (await fetch(new URL(root.namespaces_url, at))).json()).toEqual({ namespaces: [] });
    expect(await stop('SIGTERM')).toBe(0);
    await expect(fetch(at)).rejects.toThrow();
  });

  test('has as many streams of events, and as many connections from one address, as it is told', async () => {
    const limits = ['--max-event-streams', '1', '--heartbeat-seconds', '1', '--max-connections-per-address', '2'];
    const { line, stop } = await serve(['--database', url, '--schema', schema, '--rest-port', '0', '--cbor-rpc-port', '0', ...limits]);
    const at = /http:\S+/.exec(line)?.[0] ?? '';
    const first = await readStream(new URL('/namespace/limits/events', at));
    expect(await first.block()).toContain('listening');
    expect((await fetch(new URL('/namespace/limits/events', at))).status).toBe(503);
    expect(await first.block()).toBe(': still here');
    const { hostname, port } = new URL(at);
    const sockets = [connectSocket(Number(port), hostname), connectSocket(Number(port), hostname)];
    for (const socket of sockets) socket.on('error', () => undefined);
    await Promise.race(sockets.map((socket) => once(socket, 'close')));
    for (const socket of sockets) socket.destroy();
    await first.leave();
    expect(await stop('SIGTERM')).toBe(0);
  });

  test('makes spans by the OpenTelemetry that is registered beside it, in the trace of who asks', async () => {
    const registered = { NODE_OPTIONS: `--import ${new URL('print-spans.mjs', import.meta.url).href}` };
    const { line, said, stop } = await serve(['--database', url, '--schema', schema, '--rest-port', '0', '--cbor-rpc-port', 'off', '--tracing', 'propagate'], registered);
    const at = /http:\S+/.exec(line)?.[0] ?? '';
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const post = (path: string, body: object): Promise<Response> =>
      fetch(new URL(path, at), {
        method: 'POST',
        headers: { 'content-type': 'application/json', traceparent: `00-${trace}-b7ad6b7169203331-01` },
        body: JSON.stringify(body),
      });
    await post('/namespace/traced/work_spec', { data: { name: 's' } });
    await post('/namespace/traced/work_spec/s/work_unit', { name: 'u' });
    expect(await said('span add')).toBe(`span add s in ${trace}`);
    const unit = (await (await fetch(new URL('/namespace/traced/work_spec/s/work_unit/u', at))).json()) as { data: { trace_context: { traceparent: string } } };
    expect(unit.data.trace_context.traceparent).toContain(trace);
    expect(await stop('SIGTERM')).toBe(0);
  });

  test('brings a PostgreSQL of its own when none is given', async () => {
    const { line, stop } = await serve(['--rest-port', '0', '--cbor-rpc-port', '0']);
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

  test('asks for tokens and speaks TLS on both ports; reads the tokens again on SIGHUP', async () => {
    const [{ cert, key }, directory] = await Promise.all([certificate(), mkdtemp(join(tmpdir(), 'pg-coordinate-serve-'))]);
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = (name: string): string => join(directory, name);
    const [old, fresh] = [makeToken(), makeToken()];
    const line = (name: string, token: string): string =>
      writeTokenEntry({ name, hash: hashToken(token), roles: new Map([['*', ['work']]]), expires: null });
    await Promise.all([
      writeFile(file('cert.pem'), cert),
      writeFile(file('key.pem'), key),
      writeFile(file('tokens.yaml'), line('old', old)),
      writeFile(
        file('config.yaml'),
        JSON.stringify({
          database: url,
          schema,
          serve: { 'rest-port': 0, 'cbor-rpc-port': 0, tokens: file('tokens.yaml'), 'tls-cert': file('cert.pem'), 'tls-key': file('key.pem') },
          rejester: { app_name: 'crawl' },
        }),
      ),
    ]);
    const server = await serve(['--config', file('config.yaml')]);
    const at = /https:\S+/.exec(server.line)?.[0] ?? '';
    const port = Number(/:(\d+), the namespace ""/.exec(await server.said('Serving CBOR-RPC at '))?.[1]);
    expect(await server.said('Asking')).toBe(`Asking for one of the 1 tokens in ${file('tokens.yaml')}.`);
    expect(await server.said('Configured')).toBe(`Configured by ${file('config.yaml')}, of which clients of CBOR-RPC get rejester.`);
    const status = (token: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        get(at, { ca: cert, agent: false, headers: { authorization: `Bearer ${token}` } }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
      });
    expect([await status(old), await status(fresh)]).toEqual([200, 401]);

    const client = Client.over(connectTls({ port, host: '127.0.0.1', ca: cert }));
    expect(await client.refused('get_config')).toBe('this server asks for a token: call authenticate with it first');
    await client.call('authenticate', old);
    expect(await client.call('get_config')).toEqual([{ rejester: { app_name: 'crawl' } }, null]);

    await writeFile(file('tokens.yaml'), line('fresh', fresh));
    server.signal('SIGHUP');
    expect(await server.said('again')).toBe(`Read ${file('tokens.yaml')} again: 1 tokens.`);
    await server.said(`Read ${file('cert.pem')} again.`);
    expect([await status(old), await status(fresh)]).toEqual([401, 200]);
    expect(await client.refused('now')).toMatch(/not one of this server/);
    client.close();

    await writeFile(file('tokens.yaml'), 'nonsense');
    server.signal('SIGHUP');
    await server.said('The tokens stay as they were: ');
    expect(await status(fresh)).toBe(200);
    expect(await server.stop('SIGTERM')).toBe(0);
  });

  test.each([
    [['--rest-host', '0.0.0.0'], '--rest-host 0.0.0.0 lets whoever reaches this machine use the queue; give --tokens, or, if that is meant, --allow-remote'],
    [['--rest-port', '70000'], '--rest-port must be a whole number from 0 to 65535'],
    [['--cbor-rpc-host', '0.0.0.0'], '--cbor-rpc-host 0.0.0.0 lets whoever reaches this machine use the queue; give --tokens, or, if that is meant, --allow-remote'],
    [['--tls-cert', 'cert.pem'], '--tls-cert and --tls-key must be given together'],
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
