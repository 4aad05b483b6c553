import { connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { text as textOf } from 'node:stream/consumers';
import { decodeValue, encodeValue } from '../../../src/codec/index.js';
import { CborFloat, PythonTuple } from 'pg-coordinate';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { routes } from '../../../src/rest/server/routes.js';
import { askingOf, serveAgain, serving, v1 } from './serving.js';

const { ask, coordinate, server } = await serving();
const S = '/namespace/n/work_spec/s';
beforeAll(async () => {
  const spec = await (await coordinate.namespace('n')).setWorkSpec({ name: 's' });
  await spec.addWorkUnit('a', { f: new CborFloat(1) });
});

describe('the media type of an answer', () => {
  test.each([
    ['*/*', v1],
    ['text/*', 'text/json'],
    ['application/json', 'application/json'],
    ['application/vnd.diffeo.coordinate+json', 'application/vnd.diffeo.coordinate+json'],
  ])('%s is answered in %s', async (accept, type) => {
    const { headers, text } = await ask('GET', `${S}/work_unit/a`, { headers: { accept } });
    expect(headers.get('content-type')).toBe(type);
    expect(text).toContain('"data":{"f":1.0}');
  });

  test.each([
    ['text/html', 406, 'No acceptable representation for response'],
    ['json', 400, expect.stringContaining('The request cannot be understood: the Accept header has "json"')],
    ['text/json;q=7', 400, expect.stringContaining('Accept')],
  ])('%s is refused, in the default type', async (accept, status, message) => {
    const answer = await ask('GET', '/', { headers: { accept } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, v1]);
    expect(answer.json).toMatchObject({ error: 'error', message });
  });
});

describe('the body of a request', () => {
  test.each([v1, 'application/vnd.diffeo.coordinate+json', 'application/json', 'text/json', 'application/json; charset=utf-8'])('may be %s', async (type) => {
    const { status } = await ask('POST', `${S}/work_unit`, { body: { name: 'typed' }, headers: { 'content-type': type } });
    expect(status).toBe(201);
  });

  test.each([
    ['text/plain', 'text/plain'],
    ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded'],
    ['not a type', 'not a type'],
  ])('may not be %s', async (type, named) => {
    const { status, json } = await ask('POST', '/namespace', { body: { name: 'x' }, headers: { 'content-type': type } });
    expect([status, json.error, json.message]).toEqual([415, 'error', `Unsupported media type "${named}"`]);
  });

  test('must say what it is, also when there is none', async () => {
    for (const method of ['POST', 'PUT']) {
      const { status, json } = await ask(method, S);
      expect([status, json.message]).toEqual([415, 'Unsupported media type ""']);
    }
    const blob = await fetch(new URL('/namespace', server.url), { method: 'POST', body: new Blob(['{}']) });
    expect(blob.status).toBe(415);
  });

  test.each(['', '{', '{"name":}', '[]', '7', '"x"', 'null', '{"name":"\ud800"}', '{} {}', `{"data":${'['.repeat(100_000)}`, `{"a":1.5${'['.repeat(100_000)}`])(
    'is refused when it is no object in JSON: %#',
    async (body) => {
      const { status, json } = await ask('POST', '/namespace', { body: body === '' ? new Uint8Array() : body });
      if (body.includes('name":"')) expect(status).toBe(201);
      else expect([status, json.error, json.code]).toEqual([400, 'error', 'MalformedRequest']);
    },
  );

  test('may come in chunks, as old clients send it', async () => {
    const chunks = ['{"name":', '"in chunks"}'];
    const body = new ReadableStream({
      pull: (controller) => {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(Buffer.from(chunk));
      },
    });
    const response = await fetch(new URL('/namespace', server.url), { method: 'POST', body, duplex: 'half', headers: { 'content-type': v1 } });
    expect(response.status).toBe(201);
  });

  test('may be as large as the server is told, and no larger', async () => {
    const small = askingOf((await serveAgain(coordinate, { bodyLimitBytes: 1_000 })).url);
    const body = { name: 'x'.repeat(980) };
    expect((await small('POST', '/namespace', { body })).status).toBe(201);
    const { status, json } = await small('POST', '/namespace', { body: { ...body, more: 'x' } });
    expect([status, json.code]).toEqual([413, 'RequestTooLarge']);
    expect(json.message).toBe('The request is larger than the 1000 bytes that this server takes; send less at once');
  });
});

describe('CBOR', () => {
  const headers = { accept: 'application/cbor', 'content-type': 'application/cbor' };
  const exchange = async (method: string, path: string, body?: unknown): Promise<{ status: number; value: any }> => {
    const response = await fetch(new URL(path, server.url), { method, headers, ...(body !== undefined && { body: new Uint8Array(encodeValue(body)) }) });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (bytes.length > 0) expect(response.headers.get('content-type')).toBe('application/cbor');
    return { status: response.status, value: bytes.length === 0 ? undefined : decodeValue(bytes) };
  };

  test('goes in and comes out everywhere, with nothing lost', async () => {
    const data = { t: new PythonTuple([1]), b: Uint8Array.of(1, 2), f: new CborFloat(2), d: new Date(0), n: 2n ** 63n };
    expect(await exchange('POST', `${S}/work_unit`, { name: 'cbor', data })).toMatchObject({ status: 201, value: { name: 'cbor' } });
    const { value } = await exchange('GET', `${S}/work_unit/cbor`);
    expect(value.data).toEqual(data);
    expect(value.status).toBe('available');

    const worker = '/namespace/n/worker/cbor';
    const claimed = await exchange('POST', `${worker}/make_attempt`, { work_spec: 's', work_unit: Buffer.from('cbor') });
    expect(claimed.value).toMatchObject({ data, number: expect.any(Number) });
    expect((await exchange('POST', claimed.value.finish_url, { data: { r: new PythonTuple([]) } })).status).toBe(204);
    expect((await exchange('GET', claimed.value.url)).value.data).toEqual({ r: new PythonTuple([]) });
    for (const path of ['/', '/summary', '/namespace', S, `${S}/meta?counts=1`, `${S}/counts`, worker, `${worker}/all_attempts`]) {
      expect(await exchange('GET', path)).toMatchObject({ status: 200 });
    }
  });

  test('tells errors too', async () => {
    expect(await exchange('GET', `${S}/work_unit/none`)).toMatchObject({ status: 404, value: { error: 'ErrNoSuchWorkUnit', value: 'none' } });
    expect(await exchange('POST', '/namespace', [])).toMatchObject({ status: 400, value: { code: 'MalformedRequest' } });
    const response = await fetch(new URL('/namespace', server.url), { method: 'POST', headers, body: Uint8Array.of(0xa1) });
    expect(response.status).toBe(400);
  });
});

describe('a path', () => {
  test.each(['/nothing', '/namespace/', '/namespace/n/', `${S}/`, '/namespace/n/work_spec/s/nothing', '//', '/namespace//summary', '/index.html'])(
    '%s outside of the tree is 404 in plain text',
    async (path) => {
      const response = await fetch(`${server.url.slice(0, -1)}${path}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/plain; charset=utf-8']);
      expect((await response.text()).trim()).toBe('404 page not found');
    },
  );

  test.each(['/namespace/-!', '/namespace/-A', '/namespace/n/work_spec/-_w', `${S}/work_unit/-*`, '/namespace/%ff', '/namespace/%zz'])(
    '%s with a bad name is 400',
    async (path) => {
      const { status, json } = await ask('GET', path);
      expect([status, json.error, json.code]).toEqual([400, 'error', 'MalformedRequest']);
    },
  );

  test('with a name that is too long is 400', async () => {
    const { status, json } = await ask('GET', `/namespace/${'x'.repeat(1_001)}`);
    expect([status, json.message]).toEqual([400, 'name: must be at most 1000 bytes long, not 1001']);
  });
});

describe('a method', () => {
  const path = (pattern: string): string =>
    pattern.replace(':namespace', 'n').replace(':spec', 's').replace(':unit', 'a').replace('worker/:worker', 'worker/w');

  test.each(routes.filter(({ path: pattern }) => !pattern.includes(':number')).map((route) => [route.path, route] as const))(
    'that %s does not have is 405, and says which there are',
    async (pattern, route) => {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'M-SEARCH']) {
        if (route.methods.includes(method)) continue;
        const { status, headers, json } = await ask(method, path(pattern), ['POST', 'PUT', 'PATCH'].includes(method) ? { body: {} } : {});
        expect([status, json.error, json.message]).toEqual([405, 'error', `Method ${method} not allowed`]);
        expect(headers.get('allow')).toBe(route.methods.join(', '));
      }
    },
  );

  test.each(['/docs', '/openapi.json', '/health/live', '/health/ready'])('other than GET and HEAD is 405 at %s', async (url) => {
    for (const method of ['POST', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const { status, headers, json } = await ask(method, url, method === 'POST' ? { body: {} } : {});
      expect([status, headers.get('allow'), json.message]).toEqual([405, 'GET, HEAD', `Method ${method} not allowed`]);
    }
    const head = await ask('HEAD', url);
    expect([head.status, head.text, head.headers.get('content-type')]).toEqual([200, '', (await ask('GET', url)).headers.get('content-type')]);
  });

  test('of those that only Node knows does not make a path that is none', async () => {
    expect([(await ask('PROPFIND', '/nowhere')).status, (await ask('PROPFIND', '/namespace/n/')).status]).toEqual([404, 404]);
  });

  test('HEAD is GET without its body', async () => {
    const get = await ask('GET', S);
    const head = await ask('HEAD', S);
    expect([head.status, head.text]).toEqual([200, '']);
    for (const name of ['content-type', 'content-length']) expect(head.headers.get(name)).toBe(get.headers.get(name));
    expect((await ask('HEAD', `${S}/work_unit/none`)).status).toBe(404);
    expect((await ask('HEAD', `${S}/change`)).status).toBe(405);
  });
});

test('is checked in this order: what is accepted, the path, the body, the method', async () => {
  const nowhere = '/namespace/n/work_spec/none/counts';
  const bad = { body: '{', headers: { 'content-type': 'text/plain' } };
  expect((await ask('PUT', nowhere, { body: '{', headers: { ...bad.headers, accept: 'text/html' } })).status).toBe(406);
  expect((await ask('PUT', nowhere, bad)).status).toBe(404);
  expect((await ask('PUT', `${S}/counts`, bad)).status).toBe(415);
  expect((await ask('PUT', `${S}/counts`, { body: '{' })).status).toBe(400);
  expect((await ask('PUT', `${S}/counts`, { body: {} })).status).toBe(405);
});

describe('what should not happen', () => {
  test('is told to the log, and to the client only that it did', async () => {
    const logger = { warn: vi.fn(), error: vi.fn() };
    const broken = Object.create(coordinate) as typeof coordinate;
    broken.summarize = () => Promise.reject(new TypeError('secret of the server'));
    const { status, json, text } = await askingOf((await serveAgain(broken, { logger })).url)('GET', '/summary');
    expect([status, json.error]).toEqual([500, 'error']);
    expect(text).not.toContain('secret');
    expect(logger.error).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^GET \/summary failed: TypeError: secret of the server\n/));
  });

  test.each(['GARBAGE\r\n\r\n', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n', `GET /${'x'.repeat(300_000)} HTTP/1.1\r\n\r\n`, '\0\0\0\0\r\n\r\n'])(
    'bytes that are no HTTP end the connection with an answer: %#',
    async (bytes) => {
      const socket = connectTcp(Number(new URL(server.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.on('error', () => undefined).write(bytes);
      expect(await textOf(socket).catch(() => '')).toMatch(/^(HTTP\/1\.1 4\d\d |$)/);
      expect((await ask('GET', '/')).status).toBe(200);
    },
  );
});
