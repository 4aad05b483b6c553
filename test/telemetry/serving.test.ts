import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect, drop } from 'pg-coordinate';
import { serveCborRpc } from 'pg-coordinate/cbor-rpc';
import { jsonLogger, Metrics, Readiness, requestLog, type LoggedRequest } from 'pg-coordinate/telemetry';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveRest } from '../../src/rest/index.js';
import { askingOf, serveAgain } from '../rest/server/serving.js';
import { Client } from '../cbor-rpc/client.js';
import { freezeTimers } from '../database/frozen-time.js';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';

const database = await testDatabase();

/** A way to the database that can be cut: then nobody is there. */
async function wayTo(target: string): Promise<{ readonly url: string; readonly cut: () => void }> {
  const { hostname, port } = new URL(target);
  const sockets: Socket[] = [];
  const proxy = createServer((client) => {
    const server = createConnection(Number(port), hostname);
    sockets.push(client, server);
    client.on('error', () => {}).pipe(server.on('error', () => {})).pipe(client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(cut);
  const url = new URL(target);
  url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return { url: url.href, cut };
}

describe('health', () => {
  test('is live and ready while the database answers', async () => {
    const { url } = await serveAgain(await database.connect());
    const ask = askingOf(url);
    const live = await ask('GET', '/health/live');
    expect([live.status, live.json]).toEqual([200, { status: 'live' }]);
    const ready = await ask('GET', '/health/ready');
    expect([ready.status, ready.json]).toEqual([200, { status: 'ready' }]);
    expect(ready.headers.get('cache-control')).toBe('no-store');
  });

  test('is not ready, but live, when the tables are not those expected, or the connection is closed', async () => {
    const other = await testDatabase();
    const coordinate = await other.connect();
    const ask = askingOf((await serveAgain(coordinate)).url);
    await drop(other.url, { schema: other.schema });
    const ready = await ask('GET', '/health/ready');
    expect([ready.status, ready.json]).toEqual([503, { status: 'not ready', problem: 'SchemaMissing' }]);
    await coordinate.close();
    const closed = await askingOf((await serveAgain(coordinate)).url)('GET', '/health/ready');
    expect([closed.status, closed.json]).toEqual([503, { status: 'not ready', problem: 'Closed' }]);
    expect((await ask('GET', '/health/live')).status).toBe(200);
  });

  test('is not ready when the server cannot be reached any more, and says no more than that', async () => {
    const way = await wayTo(database.url);
    const coordinate = await connect(way.url, { schema: database.schema });
    onTestFinished(() => coordinate.close());
    way.cut();
    await until('the connections have broken', () => coordinate.connections.idle === 0);
    const ready = await askingOf((await serveAgain(coordinate)).url)('GET', '/health/ready');
    expect([ready.status, ready.json]).toEqual([503, { status: 'not ready', problem: 'CannotConnect' }]);
  });

  test('is asked of the database once in a while, by however many, and given up after a time', async () => {
    const coordinate = await database.connect({ pool: { max: 1 } });
    const timers = freezeTimers();
    let passed = 0;
    const readiness = new Readiness(coordinate, { now: () => passed, timeoutMs: 300 });
    expect(await Promise.all([readiness.check(), readiness.check()])).toEqual([null, null]);
    await coordinate.transaction(async () => {
      // The only connection is taken: who asks now waits in vain.
      expect(await readiness.check()).toBeNull();
      passed += 1_000;
      const check = readiness.check();
      await timers.pass(300);
      expect(await check).toBe('Timeout');
    });
    expect(await readiness.check()).toBe('Timeout');
    passed += 1_000;
    expect(await readiness.check()).toBeNull();
  });
});

describe('/metrics', () => {
  test('tells what was done over HTTP, in the format of Prometheus', async () => {
    const metrics = new Metrics();
    const coordinate = await database.connect({ telemetry: metrics });
    metrics.watch(coordinate);
    const ask = askingOf((await serveAgain(coordinate, { metrics })).url);
    const spec = await (await coordinate.namespace('http')).setWorkSpec({ name: 'fetch' });
    await spec.addWorkUnit('a', {});
    const { json } = await ask('POST', '/namespace/http/worker/w/request_attempts', { body: {} });
    const [attempt] = (json as { attempts: { finish_url: string }[] }).attempts;
    await ask('POST', attempt!.finish_url, { body: {} });
    const { status, headers, text } = await ask('GET', '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('coordinate_work_units{namespace="http",work_spec="fetch",status="finished"} 1\n');
    expect(text).toContain('coordinate_attempts_started_total{namespace="http",work_spec="fetch"} 1\n');
    expect(text).toContain('coordinate_attempts_ended_total{namespace="http",work_spec="fetch",status="finished"} 1\n');
    expect(text).toContain('coordinate_attempt_seconds_count{namespace="http",work_spec="fetch"} 1\n');
  });

  test('tells how long requests took, by route: neither names nor inventions of clients make series of their own', async () => {
    const metrics = new Metrics();
    const ask = askingOf((await serveAgain(await database.connect(), { metrics })).url);
    for (const name of ['a', 'b', 'c']) await ask('GET', `/namespace/${name}`);
    await ask('GET', '/nowhere');
    await ask('GET', '/nowhere/else');
    await ask('PROPFIND', '/namespace/a');
    await ask('DELETE', '/namespace/a', { headers: { accept: 'text/html' } });
    const counts = async (): Promise<string[]> =>
      (await metrics.read()).split('\n').filter((line) => line.startsWith('coordinate_http_request_seconds_count')).map((line) => line.slice(37)).sort();
    await expect.poll(counts, { timeout: 30_000 }).toEqual([
      '{route="/namespace/:namespace",method="DELETE",status="4xx"} 1',
      '{route="/namespace/:namespace",method="GET",status="2xx"} 3',
      '{route="/namespace/:namespace",method="other",status="4xx"} 1',
      '{route="none",method="GET",status="4xx"} 2',
    ]);
  });

  test('is nowhere unless the server was given some', async () => {
    const coordinate = await database.connect();
    expect((await askingOf((await serveAgain(coordinate)).url)('GET', '/metrics')).status).toBe(404);
    await expect(serveRest({ coordinate, metrics: {} as never })).rejects.toThrow(/options\.metrics: must have a method read/);
    await expect(serveRest({ coordinate, requestLog: 'json' as never })).rejects.toThrow(/options\.requestLog: must be a function/);
  });
});

test('a client is not told where the database is, nor what that has said', async () => {
  const way = await wayTo(database.url);
  const coordinate = await connect(way.url, { schema: database.schema });
  onTestFinished(() => coordinate.close());
  const log: string[] = [];
  const logger = { warn: (line: string) => void log.push(line), error: (line: string) => void log.push(line) };
  const ask = askingOf((await serveAgain(coordinate, { logger })).url);
  const rpc = await serveCborRpc({ coordinate, port: 0, logger });
  onTestFinished(() => rpc.stop());
  const client = await Client.connect(rpc);
  onTestFinished(() => client.close());
  way.cut();
  await until('the connections have broken', () => coordinate.connections.idle === 0);
  const { status, json, text } = await ask('GET', '/namespace');
  expect([status, json]).toEqual([503, expect.objectContaining({ code: 'CannotConnect' })]);
  const { port, username, pathname } = new URL(way.url);
  const refused = await client.refused('list_work_specs', {});
  expect(refused).toMatch(/^Cannot connect to PostgreSQL/);
  for (const secret of [port, pathname.slice(1), `"${username}"`, 'ECONNREFUSED']) {
    expect(text).not.toContain(secret);
    expect(refused).not.toContain(secret);
  }
  expect(log).toEqual([expect.stringMatching(`^GET /namespace failed: .*:${port}`), expect.stringMatching(`^the call list_work_specs of a CBOR-RPC client failed: .*:${port}`)]);
});

describe('the request log', () => {
  const at = new Date('2026-11-20T08:55:24.105Z');
  const request: LoggedRequest = {
    address: '127.0.0.1',
    method: 'GET',
    url: '/namespace/a/work_spec/b/work_unit?name=secret&name=other&limit=5',
    httpVersion: '1.1',
    status: 200,
    bytes: 17,
    durationMs: 3.14159,
    userAgent: 'curl/8"\n\\é',
  };
  const lineOf = (format: 'combined' | 'json', changed: Partial<LoggedRequest> = {}): string => {
    const lines: string[] = [];
    requestLog(format, (line) => void lines.push(line), () => at)({ ...request, ...changed });
    return lines.join('|');
  };

  test('combined: one line, with no values of the query, and nothing that a client could end it with', () => {
    expect(lineOf('combined')).toBe(
      '127.0.0.1 - - [20/Nov/2026:08:55:24 +0000] "GET /namespace/a/work_spec/b/work_unit?name&limit HTTP/1.1" 200 17 "-" "curl/8\\"\\x0a\\\\\\xc3\\xa9" 3.1\n',
    );
    const bare = lineOf('combined', { url: '/', bytes: undefined, userAgent: undefined, user: 'a b' });
    expect(bare).toBe('127.0.0.1 - a_b [20/Nov/2026:08:55:24 +0000] "GET / HTTP/1.1" 200 - "-" "-" 3.1\n');
  });

  test('JSON: an object a line', () => {
    const line = lineOf('json', { url: `/${'x'.repeat(5_000)}?a=1` });
    expect(line).toMatch(/^[^\n]*\n$/);
    expect(JSON.parse(line)).toEqual({
      level: 'info',
      time: '2026-11-20T08:55:24.105Z',
      msg: 'request',
      address: '127.0.0.1',
      method: 'GET',
      url: `/${'x'.repeat(999)}...?a`,
      httpVersion: '1.1',
      status: 200,
      bytes: 17,
      userAgent: 'curl/8"\n\\é',
      durationMs: 3.1,
    });
    expect(() => requestLog('xml' as never, () => {})).toThrow(/format: must be 'combined' or 'json'/);
  });

  test('has every request that was answered, and neither secrets nor payloads', async () => {
    const lines: string[] = [];
    const { url } = await serveAgain(await database.connect(), { requestLog: requestLog('json', (line) => void lines.push(line)) });
    const ask = askingOf(url);
    await ask('POST', '/namespace?token=hidden', { body: { name: 'payload' }, headers: { authorization: 'Bearer hidden' } });
    await ask('GET', '/nowhere', { headers: { cookie: 'hidden' } });
    await ask('PATCH', '/namespace', { body: '{' });
    await until('all are logged', () => lines.length >= 3);
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map(({ method, url: path, status }) => [method, path, status])).toEqual([
      ['POST', '/namespace?token', 201],
      ['GET', '/nowhere', 404],
      ['PATCH', '/namespace', 400],
    ]);
    expect(lines.join('')).not.toMatch(/hidden|payload/);
  });
});

describe('the JSON logger', () => {
  test('writes messages and details, from a level on', () => {
    const lines: string[] = [];
    const logger = jsonLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });
    logger.debug('not told');
    logger.info('one', { workSpec: 'fetch', attempt: 5 });
    logger.warn('two\nlines');
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told).toEqual([
      { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), workSpec: 'fetch', attempt: 5, msg: 'one' },
      { level: 'warn', time: expect.any(String), msg: 'two\nlines' },
    ]);
    expect(lines.every((line) => /^[^\n]*\n$/.test(line))).toBe(true);
  });
});
