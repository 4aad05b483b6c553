import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashToken, makeToken, TokenFile, writeTokenEntry } from 'pg-coordinate/access';
import { connectRest, serveRest } from 'pg-coordinate/rest';
import { ManualClock } from 'pg-coordinate/testing';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { PostgresNamespace, WorkSpec } from 'pg-coordinate';
import { until } from '../../database/until.js';
import { readStream, type ReadStream } from './reading-events.js';
import { askingOf, serveAgain, serving } from './serving.js';

const { ask, coordinate, database, server } = await serving();
let namespace: PostgresNamespace;
let spec: WorkSpec;
let path: string;
beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 's' });
  path = `/namespace/${namespace.name}/events`;
});

const follow = (url = server.url, headers = {}): Promise<ReadStream> => readStream(new URL(path, url), headers);
const watchers = async (): Promise<number> =>
  (await database.query(`select from ${database.bucket}.watcher where namespace_id = $1`, [namespace.id])).length;

describe('a stream of events', () => {
  test('is found from the root, and from its namespace', async () => {
    const root = (await ask('GET', '/')).json;
    expect(root.namespace_events_url.replace('{namespace}', namespace.name)).toBe(path);
    expect((await ask('GET', `/namespace/${namespace.name}`)).json.events_url).toBe(path);
  });

  test('tells what happens, from the moment it begins on', async () => {
    const stream = await follow();
    expect([stream.status, stream.headers.get('content-type'), stream.headers.get('cache-control')]).toEqual([200, 'text/event-stream', 'no-store']);
    expect(await stream.block()).toBe('retry: 2000\nid: 1\n: listening');
    await spec.addWorkUnits([{ name: 'a\nb', data: {} }, { name: 'c', data: {} }]);
    const [attempt] = await (await namespace.worker('w')).requestAttempts();
    await attempt!.finish();
    const about = { work_spec: 's', work_unit: 'a\nb', attempt: attempt!.number, worker: 'w', time: '2026-11-20T08:55:24.105Z' };
    expect(await stream.event()).toEqual({ kind: 'added', work_spec: 's', count: 2 });
    expect(await stream.event()).toEqual({ kind: 'started', ...about });
    expect(await stream.event()).toEqual({ kind: 'finished', ...about });
  });

  test('costs the database the same however many read it, and nothing once nobody does', async () => {
    const streams = await Promise.all(Array.from({ length: 50 }, () => follow()));
    expect(await watchers()).toBe(1);
    await spec.addWorkUnits([{ name: 'a', data: {} }]);
    for (const stream of streams) expect(await stream.event()).toEqual({ kind: 'added', work_spec: 's', count: 1 });
    await Promise.all(streams.slice(1).map((stream) => stream.leave()));
    await spec.addWorkUnits([{ name: 'b', data: {} }]);
    expect(await streams[0]!.event()).toMatchObject({ kind: 'added' });
    await streams[0]!.leave();
    await until('nobody watches', async () => (await watchers()) === 0);
    expect(await (await follow()).block()).toContain('listening');
  });

  test('says that it is still there when nothing happens', async () => {
    const stream = await follow((await serveAgain(coordinate, { heartbeatMs: 5 })).url);
    await stream.block();
    expect([await stream.block(), await stream.block()]).toEqual([': still here', ': still here']);
  });

  test('tells who comes again that he may have missed something', async () => {
    const stream = await follow(server.url, { 'last-event-id': '1' });
    expect(await stream.event()).toEqual({ kind: 'missed' });
  });

  test('is for GET, and for those who take it', async () => {
    expect((await ask('HEAD', path)).headers.get('content-type')).toBe('text/event-stream');
    expect([(await ask('POST', path, { body: {} })).status, (await ask('GET', path, { headers: { accept: 'application/json' } })).status]).toEqual([405, 406]);
    expect((await ask('GET', path, { headers: { accept: 'text/event-stream;q=0, */*' } })).json.code).toBe('NotAcceptable');
    expect((await ask('GET', path, { headers: { accept: 'text/*;q=0.1' } })).status).toBe(200);
    await until('nobody watches', async () => (await watchers()) === 0);
  });

  test('ends when the server stops', async () => {
    const other = await serveRest({ coordinate, port: 0 });
    const stream = await follow(other.url);
    await stream.block();
    await other.stop();
    expect(await stream.block()).toBeUndefined();
    await until('nobody watches', async () => (await watchers()) === 0);
  });

  test('ends when the token has expired', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'pg-coordinate-events-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const clock = new ManualClock(new Date('2026-11-20T00:00:00Z'));
    const token = makeToken();
    const entry = { name: 'brief', hash: hashToken(token), roles: new Map([['*', ['read' as const]]]), expires: new Date('2026-11-20T00:01:00Z') };
    await writeFile(join(directory, 'tokens'), writeTokenEntry(entry));
    const tokens = await TokenFile.load(join(directory, 'tokens'), { clock });
    const guarded = await serveAgain(coordinate, { tokens, heartbeatMs: 5 });
    const stream = await follow(guarded.url, { authorization: `Bearer ${token}` });
    await stream.block();
    expect(await stream.block()).toBe(': still here');
    clock.advance(60_000);
    await until('it has ended', async () => (await stream.block()) === undefined);
    expect((await askingOf(guarded.url)('GET', path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
  });

  test('is refused when there are as many as there may be', async () => {
    const { url } = await serveAgain(coordinate, { maxEventStreams: 1 });
    const first = await follow(url);
    const refused = await askingOf(url)('GET', path);
    expect([refused.status, refused.json.code, refused.json.details]).toEqual([503, 'TooManyStreams', { limit: 1 }]);
    await first.leave();
    await until('there is room again', async () => (await askingOf(url)('GET', path)).status === 200);
  });

  test('that nobody takes is cut short, and says so', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connectSocket(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    await until('it listens', () => text.includes('listening'));
    socket.pause();
    // More than what both ends of the connection hold, too.
    const count = 20_000;
    const long = 'x'.repeat(900);
    const fast = await follow();
    const told: string[] = [];
    const reading = (async () => {
      while (told.at(-1) !== 'added 1') {
        const { kind, count: added } = await fast.event();
        told.push(kind === 'added' ? `added ${added}` : kind);
      }
    })();
    await spec.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `${long}${index}`, data: {} })));
    for (let taken = 2_000; taken <= count; taken += 2_000) {
      await (await namespace.worker('w')).requestAttempts({ numberOfWorkUnits: 2_000 });
      await until('they have been told', () => told.length > taken);
    }
    await spec.addWorkUnits([{ name: 'last', data: {} }]);
    await reading;
    expect(told).toHaveLength(count + 2);
    socket.resume();
    await until('the rest has come', () => text.includes('"count":1}'));
    expect(text.match(/"kind":"missed"/g)).toHaveLength(1);
    expect(text.match(/"kind":"started"/g)!.length).toBeLessThan(count);
    socket.end();
    await once(socket, 'close');
  });

  test('of a queue that is itself reached over HTTP is passed on', async () => {
    await using behind = await connectRest(server.url);
    const stream = await follow((await serveAgain(behind as never)).url);
    await stream.block();
    await spec.addWorkUnits([{ name: 'a', data: {} }]);
    expect(await stream.event()).toEqual({ kind: 'added', work_spec: 's', count: 1 });
    await stream.leave();
  });
});
