import { once } from 'node:events';
import { request } from 'node:http';
import { connect as connectSocket, type Socket } from 'node:net';
import { encodeValue } from '../../../src/codec/index.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readHttpAnswers } from '../../fuzz/http-answers.js';
import { serveAgain, serving } from './serving.js';

const { coordinate, ask, server } = await serving({ requestsPerSecond: 0 });
const json = { 'content-type': 'application/json' };
const namespace = await coordinate.namespace('');
await namespace.setWorkSpec({ name: 's' });

/** All that comes until the server closes the connection. */
async function answerTo(url: string, ...pieces: (string | Uint8Array)[]): Promise<string> {
  const socket = open(url);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  for (const piece of pieces) socket.write(piece);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connectSocket(Number(port), hostname);
  socket.on('error', () => undefined);
  return socket;
}

describe('a body of 1 GB', () => {
  test('is refused by what it says of itself, before any of it is sent', async () => {
    const answer = await answerTo(server.url, 'POST /namespace HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"RequestTooLarge"');
  });

  test('is refused while it streams in, and is not kept', async () => {
    const { url } = await serveAgain(coordinate, { bodyLimitBytes: 1024 * 1024 });
    const before = process.memoryUsage().arrayBuffers;
    const sending = request(new URL('/namespace', url), { method: 'POST', headers: json });
    const answered = once(sending, 'response').then(([response]) => (response as { statusCode: number }).statusCode);
    const closed = new Promise<void>((resolve) => sending.once('close', resolve));
    sending.on('error', () => undefined);
    const piece = Buffer.alloc(64 * 1024, ' ');
    let [sent, most] = [0, 0];
    while (sent < 1024 ** 3 && !sending.destroyed) {
      sent += piece.length;
      if (!sending.write(piece)) await Promise.race([once(sending, 'drain').catch(() => undefined), closed]);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(await answered.catch(() => 'cut off')).toSatisfy((status) => status === 413 || status === 'cut off');
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    expect(most).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('10,000 levels of nesting', () => {
  const deep = 10_000;
  test.each([
    ['lists in JSON', 'application/json', `{"data":{"name":"s","x":${'['.repeat(deep)}${']'.repeat(deep)}}}`],
    ['objects in JSON', 'application/json', `{"data":{"name":"s","x":${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}}}`],
    ['lists that never end', 'application/json', '['.repeat(deep)],
    ['lists in CBOR', 'application/cbor', Buffer.concat([Buffer.from([0xa1, 0x64, ...Buffer.from('data')]), Buffer.alloc(deep, 0x81), Buffer.from([0])])],
    ['tags in CBOR', 'application/cbor', Buffer.concat([Buffer.from([0xa1, 0x64, ...Buffer.from('data')]), Buffer.alloc(deep, 0xc1), Buffer.from([0])])],
    ['base64 of lists in CBOR', 'application/json', JSON.stringify({ data: Buffer.concat([Buffer.from([0xa1, 0x61, 0x61]), Buffer.alloc(deep, 0x81), Buffer.from([0])]).toString('base64') })],
  ])('of %s are refused', async (_, type, body) => {
    const { status } = await ask('POST', '/namespace/-/work_spec', { headers: { 'content-type': type }, body });
    expect(status).toBe(400);
  });
});

describe('a client that takes its time', () => {
  test('is cut off when its headers do not end', async () => {
    const { url } = await serveAgain(coordinate, { headersTimeoutMs: 60 });
    const socket = open(url);
    let got = '';
    socket.setEncoding('latin1').on('data', (text: string) => (got += text));
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    // A header now and then does not help.
    const drip = setInterval(() => socket.write('X-Drip: 1\r\n'), 5);
    await once(socket, 'close');
    clearInterval(drip);
    expect(got).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(got).toContain('it took too long to arrive');
  });

  test('is cut off when it says nothing at all', async () => {
    const { url } = await serveAgain(coordinate, { headersTimeoutMs: 60 });
    await answerTo(url);
  });

  test('is cut off when its body does not end', async () => {
    const { url } = await serveAgain(coordinate, { headersTimeoutMs: 60, requestTimeoutMs: 90 });
    const answer = await answerTo(url, 'POST /namespace HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{');
    expect(answer).toMatch(/^(?:HTTP\/1\.1 4\d\d |$)/);
  });

  test('keeps nobody else waiting', async () => {
    const { url } = await serveAgain(coordinate);
    const slow = Array.from({ length: 200 }, () => open(url));
    await Promise.all(slow.map((socket) => once(socket, 'connect')));
    for (const socket of slow) socket.write('GET / HTTP/1.1\r\nHost:');
    expect((await fetch(url)).status).toBe(200);
    for (const socket of slow) socket.destroy();
  });
});

test('a client that waits to be asked for its body, behind another request, is answered in whole answers', async () => {
  const head = (request: string, more = ''): string => `${request} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  const body = '{"name":"expected"}';
  const waiting = `Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n`;
  for (const requests of [[head('POST /namespace', waiting) + body], [head('GET /summary'), head('POST /namespace', waiting) + body], [head('GET /summary') + head('GET /x/%', waiting) + body]]) {
    const { statuses, problems } = readHttpAnswers(Buffer.from(await answerTo(server.url, ...requests), 'latin1'), true);
    expect(problems).toEqual([]);
    expect([...statuses.keys()].filter((status) => status !== 100)).toHaveLength(requests.join('').includes('GET') ? 2 : 1);
  }
});

describe('a client that comes too often', () => {
  test('is told to come later, before anything else is looked at', async () => {
    const { url } = await serveAgain(coordinate, { requestsPerSecond: 3 });
    const answers = await Promise.all(Array.from({ length: 40 }, () => fetch(new URL('/nowhere', url))));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(20);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(await refused[0]?.json()).toMatchObject({ code: 'TooManyRequests', details: { limit: 3 } });
    expect(answers.filter(({ status }) => status === 404).length).toBeGreaterThanOrEqual(3);
  });

  test('gets so many connections, and no more', async () => {
    const warnings: string[] = [];
    const logger = { warn: (text: string) => void warnings.push(text), error: () => undefined };
    const { url } = await serveAgain(coordinate, { maxConnections: 2, logger });
    const held = [open(url), open(url)];
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    // Connected is not yet accepted: an answer is.
    for (const socket of held) socket.write('GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all(held.map((socket) => once(socket, 'data')));
    await once(open(url), 'close');
    expect(warnings).toContain('an HTTP client was turned away: there are 2 connections');
    for (const socket of held) socket.destroy();
  });
});

describe.runIf(process.platform === 'linux')('a client that opens many connections', () => {
  /** Another address of this machine, which Linux has without being told. */
  const connected = async (url: string, localAddress: string): Promise<Socket> => {
    const { hostname, port } = new URL(url);
    const socket = connectSocket({ port: Number(port), host: hostname, localAddress });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return socket;
  };

  test('gets so many, and others theirs; it is logged once', async () => {
    const warnings: string[] = [];
    const logger = { warn: (text: string) => void warnings.push(text), error: () => undefined };
    const { url } = await serveAgain(coordinate, { maxConnectionsPerAddress: 2, logger });
    const held = [await connected(url, '127.0.0.1'), await connected(url, '127.0.0.1')];
    await Promise.all(held.map((socket) => once(socket, 'data')));
    for (let more = 0; more < 3; more++) {
      const refused = await connected(url, '127.0.0.1');
      const answered: unknown[] = [];
      refused.on('data', (chunk) => answered.push(chunk));
      await once(refused, 'close');
      expect(answered).toEqual([]);
    }
    await once(await connected(url, '127.0.0.2'), 'data');
    expect(warnings).toEqual(['an HTTP client was turned away: there are 2 connections from 127.0.0.1']);

    held[0]!.destroy();
    // The server hears of it when it does.
    for (let isIn = false; !isIn; ) {
      const next = await connected(url, '127.0.0.1');
      isIn = await Promise.race([once(next, 'data').then(() => true), once(next, 'close').then(() => false)]);
    }
    await once(await connected(url, '127.0.0.1'), 'close');
  });
});

test('what goes wrong inside is logged without what was sent', async () => {
  const log: string[] = [];
  const logger = { warn: (text: string) => void log.push(text), error: (text: string) => void log.push(text) };
  const broken = Object.create(coordinate) as typeof coordinate;
  broken.namespace = () => Promise.reject(new TypeError('broken'));
  const { url } = await serveAgain(broken, { logger });
  const answer = await fetch(new URL('/namespace?secret=inQuery', url), {
    method: 'POST',
    headers: { ...json, authorization: 'Bearer secretToken' },
    body: JSON.stringify({ name: 'a', data: 'secretPayload' }),
  });
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('broken');
  expect(log).toEqual([expect.stringContaining('POST /namespace failed: TypeError: broken')]);
  expect(log.join()).not.toMatch(/secret/i);
});

/** A small generator whose numbers are the same in every run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Whether bytes are nothing but whole answers, each with an error or an object in its body. */
function answersIn(bytes: string): number {
  let [rest, count] = [bytes, 0];
  for (; rest !== ''; count++) {
    const end = rest.indexOf('\r\n\r\n');
    const head = rest.slice(0, end);
    if (!/^HTTP\/1\.1 [1-5]\d\d [A-Za-z -]+\r\n/.test(`${head}\r\n`)) throw new Error(`not an answer: ${rest.slice(0, 200)}`);
    // Node itself answers so to a request without a host.
    const isEmptyChunked = /^transfer-encoding: chunked$/im.test(head) && rest.startsWith('0\r\n\r\n', end + 4);
    const length = isEmptyChunked ? 5 : Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    if (body.length !== length) throw new Error(`cut off: ${rest.slice(0, 200)}`);
    if (length > 0 && /content-type: .*json/i.test(head)) JSON.parse(body);
    if (head.startsWith("HTTP/1.1 500")) throw new Error(`a failure: ${rest.slice(0, 400)}`);
    rest = rest.slice(end + 4 + length);
  }
  return count;
}

describe('3,000 requests of nonsense', () => {
  const body = JSON.stringify({ name: 'u', data: { a: [1, 2.5, null, 'x'] }, meta: { priority: 1, not_before: '2026-11-20T00:00:00Z' } });
  const cbor = Buffer.from(encodeValue({ work_units: [{ name: new Uint8Array([0xff, 0]), data: { b: new Uint8Array(3) } }] }, 'body'));
  const head = (method: string, path: string, type: string, length: number): string =>
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nAccept: ${type}, */*;q=0.1\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`;
  const seeds = [
    Buffer.from(head('POST', '/namespace/-/work_spec/s/work_unit', 'application/json', body.length) + body),
    Buffer.concat([Buffer.from(head('POST', '/namespace/-/work_spec/s/work_units', 'application/cbor', cbor.length)), cbor]),
    Buffer.from(head('GET', '/namespace/-/work_spec/s/work_unit?name=u&status=available&previous=-YQ&limit=3', 'application/json', 0)),
    Buffer.from(head('PUT', '/namespace/-/worker/w', 'text/json', 37) + '{"active":true,"mode":"m","data":{}}\n'),
    Buffer.from('POST /namespace HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"nam\r\n7\r\ne":"a"}\r\n0\r\n\r\n'),
  ];

  test('crash nothing, and are all answered in whole answers', async () => {
    const { url } = await serveAgain(coordinate, { headersTimeoutMs: 300, requestTimeoutMs: 400 });
    const below = numbersFrom(20_261_120);
    const mutate = (seed: Buffer): Buffer => {
      const bytes = Buffer.from(seed);
      for (let count = below(6); count >= 0; count--) bytes[below(bytes.length)] = below(256);
      const cut = below(4) === 0 ? below(bytes.length) : bytes.length;
      return below(10) === 0 ? Buffer.from(Array.from({ length: below(400) }, () => below(256))) : bytes.subarray(0, cut);
    };
    const messages = Array.from({ length: 3_000 }, (_, index) => mutate(seeds[index % seeds.length]!));
    let answers = 0;
    // What is cut short would be waited for until its time is over, were the other side not ended as well.
    const send = async (message: Buffer): Promise<void> => {
      const socket = open(url);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.end(message);
      await once(socket, 'close');
      answers += answersIn(Buffer.concat(chunks).toString('latin1'));
    };
    const queue = messages.values();
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        for (const message of queue) await send(message);
      }),
    );
    expect(answers).toBeGreaterThan(1_500);
    expect((await fetch(url)).status).toBe(200);
  });
});

describe('what two servers in a row could read as different requests', () => {
  const smuggled = 'GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const host = 'Host: localhost\r\nContent-Type: application/json\r\n';
  test.each([
    ['both lengths', `${host}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['two lengths', `${host}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`],
    ['a length with a sign', `${host}Content-Length: +0\r\n\r\n${smuggled}`],
    ['a list of lengths', `${host}Content-Length: 0, 0\r\n\r\n${smuggled}`],
    ['chunked, but not last', `${host}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
    ['chunked with a letter too many', `${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['a space before the colon', `${host}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`],
    ['lines that end with a line feed alone', `${host.replaceAll('\r', '')}Transfer-Encoding: chunked\n\n0\n\n${smuggled}`],
    ['a chunk whose length is none', `${host}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n${smuggled}`],
  ])('is refused, and nothing after it is answered: %s', async (_, rest) => {
    const answer = await answerTo(server.url, `POST /namespace HTTP/1.1\r\n${rest}`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });
});

describe('a body of few bytes that would be much', () => {
  const most = 2_000_000;
  const listOf = (count: number, item: Buffer): Buffer => {
    const head = Buffer.from([0x9a, 0, 0, 0, 0]);
    head.writeUInt32BE(count, 1);
    return Buffer.concat([head, Buffer.alloc(count * item.length, item)]);
  };
  const member = (name: string, value: Buffer): Buffer => Buffer.concat([Buffer.of(0xa1, 0x60 + name.length), Buffer.from(name), value]);
  /** Tags around empty lists: two bytes for two values. */
  const tags = listOf(most / 2, Buffer.of(0xc1, 0x80));
  const half = member('x', listOf(most / 4, Buffer.of(0xc1, 0x80))).toString('base64');

  test.each([
    ['empty lists in JSON', '/namespace', 'application/json', `{"name":"n","x":[${'[],'.repeat(most / 2)}[]]}`],
    ['empty objects in JSON', '/namespace', 'application/json', `{"name":"n","x":[${'{},'.repeat(most / 2)}{}]}`],
    ['tags in CBOR', '/namespace', 'application/cbor', member('x', tags)],
    ['tags in CBOR in base64', '/namespace/-/work_spec', 'application/json', `{"data":"${member('x', tags).toString('base64')}"}`],
    ['tags in the CBOR of several units', '/namespace/-/work_spec/s/work_units', 'application/json', JSON.stringify({ work_units: ['a', 'b', 'c'].map((name) => ({ name, data: half })) })],
  ])('is refused before it is: %s', async (_, path, type, body) => {
    const { status, json: error } = await ask('POST', path, { headers: { 'content-type': type }, body: body instanceof Buffer ? new Uint8Array(body) : body });
    expect([status, error.code, error.message]).toEqual([400, 'MalformedRequest', expect.stringContaining(`the body holds more than ${most} values; send less at once`)]);
  });

  test('is taken when it is no more than that', async () => {
    const x = `[${'0,'.repeat(most - 10)}0]`;
    expect((await ask('POST', '/namespace', { headers: json, body: `{"name":"","x":${x}}` })).status).toBe(201);
  });

  test('is refused for a number of a million digits', async () => {
    const { status, json: error } = await ask('POST', '/namespace', { headers: json, body: `{"name":"n","x":${'7'.repeat(1_000_000)}}` });
    expect([status, error.message]).toEqual([400, 'The request cannot be understood: a number has more than 1000 digits']);
  });
});
