import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, NoSuchWorkSpecError, RetriesExhaustedError, ServerBusyError, TooManyRequestsError, type Coordinate } from 'pg-coordinate';
import { connectRest } from 'pg-coordinate/rest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { wasNeverSent } from '../../../src/rest/client/was-never-sent.js';
import { errorToBody } from '../../../src/rest/wire/index.js';
import { steadyPort } from '../../support/steady-port.js';
import { serving } from '../server/serving.js';

const { server, coordinate: behind, database } = await serving();

const root = { url: '', summary_url: '/summary', namespaces_url: '/namespace', namespace_url: '/namespace/{namespace}' };

/** Something that answers over HTTP, and what it was asked. */
async function answering(listener: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const stub = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    listener(request, response);
  });
  await new Promise<void>((resolve) => stub.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    stub.closeAllConnections();
    stub.close();
  });
  return { url: `http://127.0.0.1:${(stub.address() as AddressInfo).port}/`, asked };
}

const json = (body: unknown, status = 200, type = 'application/json'): RequestListener => (_request, response) => {
  response.writeHead(status, { 'content-type': type });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

async function connected(url = server.url, options?: Parameters<typeof connectRest>[1]): Promise<Awaited<ReturnType<typeof connectRest>>> {
  const coordinate = await connectRest(url, options);
  onTestFinished(() => coordinate.close());
  return coordinate;
}

describe('connect', () => {
  test('takes the URL of a server where that of a database stood', async () => {
    const url: string = server.url;
    await using coordinate: Coordinate = await connect(url);
    const spec = await (await coordinate.namespace('connect')).setWorkSpec({ name: 's' });
    expect(await spec.addWorkUnits([{ name: 'a', data: {} }])).toBe(1);
    expect(await (await behind.namespace('connect')).workSpecNames()).toEqual(['s']);
  });

  test('takes no options of a database for a server', async () => {
    await expect(connect(server.url, { migrate: true })).rejects.toMatchObject({ code: 'InvalidArgument', details: { field: 'options.migrate' } });
  });

  test.each([
    ['queue.example', 'target: must be the URL of a server, such as http://127.0.0.1:5980'],
    ['ftp://queue.example', 'target: must be the URL of a server, such as http://127.0.0.1:5980'],
    ['http://me:secret@queue.example', 'target: must not hold a user or a password: servers ask for a token, as options.token'],
    ['http://queue.example/?a=b', 'target: must have no query and no fragment'],
  ])('refuses %s', async (url, message) => {
    await expect(connectRest(url)).rejects.toThrow(message);
  });

  test.each([
    [{ token: 'two words' }, 'options.token: must be text of printable ASCII characters without spaces'],
    [{ format: 'xml' as 'json' }, "options.format: must be 'auto' or 'json'"],
    [{ retry: 3 }, 'options.retry: is not an option; known are'],
    [{ retries: -1 }, 'options.retries: must be at least 0, not -1'],
  ])('refuses the options %j', async (options, message) => {
    await expect(connectRest(server.url, options as never)).rejects.toThrow(message);
  });
});

describe('what answers', () => {
  test.each([
    ['is a page', json('<html>', 200, 'text/html'), 'does not answer as a Coordinate server: it answers 200 with a body of type "text/html"; see'],
    ['has nothing there', json('404 page not found', 404, 'text/plain'), 'it answers 404 with a body of type "text/plain"'],
    ['is another JSON', json({ hello: 'world' }), 'it has no namespaces_url'],
    ['is a list', json([1]), 'it answers 200 with what cannot be read (the body must be an object)'],
    ['is broken JSON', json('{"url":'), 'it answers 200 with what cannot be read'],
    ['is an error of something else', json({ status: 500 }, 500), 'it answers 500 with what cannot be read (it is no error of the protocol)'],
    ['wants a token', json({ message: 'no' }, 401), 'it answers 401, so give a token that it accepts as options.token'],
    ['leads elsewhere', json({ ...root, namespaces_url: 'http://elsewhere.example/' }), 'its link "http://elsewhere.example/" leads elsewhere'],
  ])('%s: that is said in one sentence', async (_what, listener, message) => {
    const { url } = await answering(listener);
    const error: unknown = await connectRest(url, { retries: 0 }).catch((raised: unknown) => raised);
    expect(error).toMatchObject({ code: 'UnexpectedAnswer', message: expect.stringContaining(message) });
  });

  test('nobody', async () => {
    await expect(connectRest('http://127.0.0.1:1', { retries: 0 })).rejects.toThrow(
      'The server at http://127.0.0.1:1/ cannot be reached: nobody listens there; see that it runs there, and try again',
    );
  });
});

describe('requests', () => {
  test('have the token, and are CBOR where the server offers it, JSON where that is wanted', async () => {
    const seen: unknown[] = [];
    const { url } = await answering((request, response) => {
      seen.push([request.headers.authorization, request.headers.accept]);
      json(root)(request, response);
    });
    await (await connected(url, { token: 'abc' })).close();
    await (await connected(url, { format: 'json' })).close();
    expect(seen).toEqual([
      ['Bearer abc', 'application/cbor, application/vnd.diffeo.coordinate.v1+json;q=0.9, application/json;q=0.8'],
      [undefined, 'application/vnd.diffeo.coordinate.v1+json'],
    ]);
    expect((await connected()).connection.format).toBe('cbor');
    expect((await connected(server.url, { format: 'json' })).connection.format).toBe('json');
  });

  test('that change nothing the second time are sent again when the connection breaks; others are not', async () => {
    let breaks = 0;
    const { url, asked } = await answering((request, response) => {
      if (request.url === '/') json(root)(request, response);
      else if (breaks-- > 0) request.socket.destroy();
      else json({ name: 'n', url: '/n', work_specs_url: '/n/specs', namespaces: [] })(request, response);
    });
    const coordinate = await connected(url);
    const namespace = await coordinate.namespace('n');
    breaks = 2;
    expect(await coordinate.namespaces()).toEqual([]);
    breaks = 1;
    await namespace.destroy();
    breaks = 1;
    await expect(namespace.setWorkSpec({ name: 's' })).rejects.toMatchObject({
      code: 'ServerUnreachable',
      details: { url, problem: 'the connection broke' },
    });
    expect(asked.slice(2)).toEqual([...Array(3).fill('GET /namespace'), ...Array(2).fill('DELETE /namespace/n'), 'POST /n/specs']);
  });

  test('that could not be sent are sent again, whatever they do', async () => {
    // No connection is kept that would break instead.
    const stub = createServer((request, response) => {
      response.setHeader('connection', 'close');
      json(root)(request, response);
    });
    const port = await steadyPort();
    const listen = () => new Promise<void>((resolve) => stub.listen(port, '127.0.0.1', resolve));
    await listen();
    const coordinate = await connected(`http://127.0.0.1:${port}/`);
    await new Promise((resolve) => stub.close(resolve));
    const posted = coordinate.connection.post(new URL(`http://127.0.0.1:${port}/x`), { body: {} });
    await listen();
    onTestFinished(() => {
      stub.closeAllConnections();
      stub.close();
    });
    expect((await posted).body).toEqual(root);
  });

  test('that a server refuses unread, having too much to do, are sent again, whatever they do', async () => {
    let refusals = 0;
    const { url, asked } = await answering((request, response) => {
      const error = refusals % 2 === 0 ? new ServerBusyError() : new TooManyRequestsError(5);
      if (request.url !== '/' && refusals-- > 0) json(errorToBody(error), error.status)(request, response);
      else json(root)(request, response);
    });
    const coordinate = await connected(url, { retries: 2 });
    const post = (): Promise<unknown> => coordinate.connection.post(new URL('x', url), { body: {} });
    refusals = 2;
    await post();
    expect(asked).toEqual(['GET /', ...Array(3).fill('POST /x')]);
    refusals = 3;
    await expect(post()).rejects.toMatchObject({ code: 'TooManyRequests' });
    // Of another error of that status nobody knows what was done.
    const failing = await answering((request, response) => json(request.url === '/' ? root : errorToBody(new RetriesExhaustedError(9)), request.url === '/' ? 200 : 503)(request, response));
    const other = await connected(failing.url);
    await expect(other.connection.post(new URL('x', failing.url), { body: {} })).rejects.toMatchObject({ code: 'RetriesExhausted' });
    expect(failing.asked).toEqual(['GET /', 'POST /x']);
  });

  test('whose connection breaks after the request was done are no errors for having been done', async () => {
    let breaks = 0;
    const { url } = await answering((request, response) => {
      if (request.url === '/') json(root)(request, response);
      else if (request.method === 'GET') json({ name: 'n', url: '/n', work_spec_url: '/n/{spec}' })(request, response);
      else if (breaks-- > 0) request.socket.destroy();
      else json(errorToBody(new NoSuchWorkSpecError('s')), 404)(request, response);
    });
    const namespace = await (await connected(url)).namespace('n');
    breaks = 1;
    await namespace.destroyWorkSpec('s');
    await expect(namespace.destroyWorkSpec('s')).rejects.toMatchObject({ code: 'NoSuchWorkSpec' });
  });

  test('to take an attempt away are not sent again: it could be another one by then', async () => {
    const { url, asked } = await answering((request, response) => {
      if (request.url === '/') json(root)(request, response);
      else if (request.method === 'PUT') request.socket.destroy();
      else json({ name: 'n', url: '/n', work_spec_url: '/n', work_unit_url: '/u' })(request, response);
    });
    const unit = await (await (await (await connected(url)).namespace('n')).workSpec('n')).workUnit('n');
    await expect(unit.clearActiveAttempt()).rejects.toMatchObject({ code: 'ServerUnreachable' });
    expect(asked.filter((each) => each.startsWith('PUT'))).toEqual(['PUT /u']);
  });

  test.each([
    [{ code: 'ECONNREFUSED', syscall: 'connect' }, true],
    [{ code: 'ENOTFOUND', syscall: 'getaddrinfo' }, true],
    [{ code: 'UND_ERR_CONNECT_TIMEOUT' }, true],
    [{ code: 'ETIMEDOUT', syscall: 'connect' }, true],
    [{ code: 'ETIMEDOUT', syscall: 'read' }, false],
    [{ code: 'EHOSTUNREACH', syscall: 'write' }, false],
    [{ code: 'ECONNRESET', syscall: 'read' }, false],
  ])('that failed with %j were never sent: %s', (error, expected) => {
    expect(wasNeverSent(Object.assign(new Error('it failed'), error))).toBe(expected);
    expect(wasNeverSent(new AggregateError([Object.assign(new Error('it failed'), error)]))).toBe(expected);
  });

  test('that a gateway cannot pass on are sent again if that does no harm', async () => {
    let failing = 0;
    const { url, asked } = await answering((request, response) => {
      if (failing-- > 0) json('<html>', 502, 'text/html')(request, response);
      else json({ ...root, namespaces: null })(request, response);
    });
    const coordinate = await connected(url);
    failing = 2;
    expect(await coordinate.namespaces()).toEqual([]);
    expect(asked).toEqual(['GET /', ...Array(3).fill('GET /namespace')]);
  });
});

describe('what needs PostgreSQL', () => {
  test('says so', async () => {
    const coordinate = await connected();
    const namespace = await coordinate.namespace('transactions');
    const spec = await namespace.setWorkSpec({ name: 's' });
    await spec.addWorkUnit('a', {});
    const [attempt] = await (await namespace.worker('w')).requestAttempts();
    const client = { query: () => Promise.resolve({ rows: [] }) };
    for (const call of [
      () => spec.addWorkUnit('b', {}, {}, { client }),
      () => spec.addWorkUnits([{ name: 'b', data: {} }], { client }),
      () => spec.addWorkUnits(new Set([{ name: 'b', data: {} }]), { client }),
      () => attempt!.finish({}, { client }),
      () => attempt!.fail({}, { client }),
      () => attempt!.retry({}, 0, { client }),
      () => attempt!.requireHeld({ client }),
      () => namespace.finishAll([{ attempt: attempt! }], { client }),
      () => coordinate.transaction(),
    ]) {
      await expect(call()).rejects.toThrow('transactions need PostgreSQL: connect() to postgres://… instead of http://… to use them');
    }
    expect(await spec.countWorkUnitStatus()).toEqual({ pending: 1 });
  });

  test('a server is no database to migrate', async () => {
    const { migrate } = await import('pg-coordinate');
    await expect(migrate(server.url)).rejects.toThrow(/^target: is a server over HTTP, but this needs PostgreSQL itself/);
  });
});

describe('reports that are all or none', () => {
  test('change nothing when one of them is refused', async () => {
    const namespace = await (await connected()).namespace('all or none');
    const next = await namespace.setWorkSpec({ name: 'next' });
    const spec = await namespace.setWorkSpec({ name: 's', then: 'next' });
    await spec.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
    const attempts = await (await namespace.worker('w')).requestAttempts({ workSpecs: [spec], numberOfWorkUnits: 3 });
    const [first, second, lost] = attempts.map((attempt, n) => ({ attempt, ...(n === 0 && { data: { output: ['sum'] } }) }));
    await lost!.attempt.retry();
    await expect(namespace.finishAll([first!, second!, lost!], { allOrNone: true })).rejects.toMatchObject({ code: 'NotPending' });
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1, pending: 2 });
    const verdicts = await namespace.finishAll([first!, second!], { allOrNone: true });
    expect(verdicts.map(({ error }) => error)).toEqual([null, null]);
    expect((await next.workUnits()).map(({ name }) => name)).toEqual(['sum']);
  });

  test('are not for a client of a transaction', async () => {
    const namespace = await behind.namespace('all or none');
    const client = { query: () => Promise.resolve({ rows: [] }) };
    await expect(namespace.finishAll([], { allOrNone: true, client })).rejects.toMatchObject({ details: { field: 'options.allOrNone' } });
  });
});

describe('queries', () => {
  test('that name more units than go into one URL are made in parts', async () => {
    const spec = await (await (await connected()).namespace('parts')).setWorkSpec({ name: 's' });
    const names = Array.from({ length: 900 }, (_, n) => `${String(n).padStart(3, '0')} ${'é'.repeat(20)}`);
    expect(await spec.addWorkUnits(names.map((name) => ({ name, data: {} })))).toBe(900);
    const shuffled = [...names.toReversed(), ...names];
    expect((await spec.workUnits({ names: shuffled })).map(({ name }) => name)).toEqual(names);
    expect((await spec.workUnits({ names: shuffled, limit: 500 })).length).toBe(500);
    await spec.adjustWorkUnitPriorities({ names: shuffled, limit: 500 }, 2);
    const priorities = await Promise.all([499, 500].map(async (n) => (await spec.workUnit(names[n]!)).priority()));
    expect(priorities).toEqual([2, 0]);
    expect(await spec.deleteWorkUnits({ names: shuffled, limit: 600 })).toBe(600);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 300 });
  });
});

describe('closing', () => {
  test('lets what is under way come to its end, and nothing more begin', async () => {
    const coordinate = await connectRest(server.url);
    const spec = await (await coordinate.namespace('closing')).setWorkSpec({ name: 's' });
    const adding = Promise.all(['a', 'b'].map((name) => spec.addWorkUnit(name, {})));
    await coordinate.close();
    await expect(spec.data()).rejects.toMatchObject({ code: 'Closed' });
    expect((await adding).length).toBe(2);
    const [row] = await database.query<{ count: string }>(`select count(*) from ${database.bucket}.work_unit where name in ('a', 'b')`);
    expect(Number(row?.count)).toBeGreaterThanOrEqual(2);
  });
});
