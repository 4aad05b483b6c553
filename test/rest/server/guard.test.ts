import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashToken, makeToken, roles, TokenFile, writeTokenEntry, type Role } from 'pg-coordinate/access';
import { ManualClock } from 'pg-coordinate/testing';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { until } from '../../database/until.js';
import { needOf } from '../../../src/rest/server/route.js';
import { routes } from '../../../src/rest/server/routes.js';
import { askingOf, serveAgain, serving } from './serving.js';

const { coordinate, database, ask: askFreely } = await serving({ requestsPerSecond: 0 });
const directory = await mkdtemp(join(tmpdir(), 'pg-coordinate-guard-'));
afterAll(() => rm(directory, { recursive: true }));
const path = join(directory, 'tokens.yaml');
const clock = new ManualClock(new Date('2026-11-20T00:00:00Z'));

const lines: string[] = [];
function tokenFor(name: string, allowed: Record<string, Role[]>, expires: Date | null = null): string {
  const token = makeToken();
  lines.push(writeTokenEntry({ name, hash: hashToken(token), roles: new Map(Object.entries(allowed)), expires }));
  return token;
}

const ofRole = Object.fromEntries(roles.map((role) => [role, tokenFor(role, { blue: [role] })])) as Record<Role, string>;
const both = tokenFor('both', { blue: ['produce', 'work'] });
const everywhere = tokenFor('everywhere', { '*': ['read'] });
const brief = tokenFor('brief', { '*': ['admin'] }, new Date('2026-11-20T00:01:00Z'));
await writeFile(path, lines.join('\n'));
const tokens = await TokenFile.load(path, { clock });
const server = await (await import('pg-coordinate/rest')).serveRest({ coordinate, port: 0, tokens, requestsPerSecond: 0 });
afterAll(() => server.stop());
const ask = askingOf(server.url);

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

/** What there is to be done; in the namespace `blue`, or another, on things that are not there. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const operations = routes.flatMap((route) => methods.map((method) => [method, route.path, needOf(route, method)] as const));
const pathIn = (namespace: string, template: string): string =>
  template.replace(':namespace', namespace).replace(':number', '1').replaceAll(/:\w+/g, 'nothing');

const included: Record<Role, Role[]> = { read: ['read'], produce: ['read', 'produce'], work: ['read', 'work'], admin: ['read', 'produce', 'work', 'admin'] };

describe('with tokens', () => {
  test.each(operations)('%s %s is for those who have the role %s', async (method, template, needed) => {
    const url = pathIn('blue', template);
    const statusFor = async (token: string): Promise<number> => (await ask(method, url, { headers: bearer(token) })).status;
    for (const role of roles) {
      // Without a body it goes no further than being let in; an admin who deletes must find the namespace again.
      const allowed = included[role].includes(needed);
      const status = await statusFor(ofRole[role]);
      expect([role, allowed ? status !== 403 && status !== 401 && status !== 500 : status]).toEqual([role, allowed ? true : 403]);
    }
    await coordinate.namespace('blue');
    if (!template.includes(':namespace')) return;
    // A role in another namespace is none.
    const elsewhere = await ask(method, pathIn('green', template), { headers: bearer(ofRole.admin) });
    expect(elsewhere.status).toBe(403);
    expect((await ask(method, pathIn('green', template))).status).toBe(401);
  });

  test('every role was tried where it is needed', () => {
    expect(new Set(operations.map(([, , needed]) => needed))).toEqual(new Set(roles));
  });

  test('what is refused has done nothing', async () => {
    expect((await askFreely('GET', '/namespace')).json.namespaces.map(({ name }: { name: string }) => name)).toEqual(['blue']);
  });

  test('says what was missing', async () => {
    const { status, headers, json } = await ask('DELETE', '/namespace/blue', { headers: bearer(both) });
    expect([status, json.code, json.message]).toEqual([403, 'NotAllowed', 'The token "both" has not got the role admin in the namespace "blue"']);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="pg-coordinate", error="insufficient_scope", scope="admin"');
  });

  test.each([
    ['nothing', {}, 'Bearer realm="pg-coordinate"'],
    ['another scheme', { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` }, 'Bearer realm="pg-coordinate"'],
    ['a bare token', { authorization: ofRole.admin }, 'Bearer realm="pg-coordinate"'],
    ['an unknown token', bearer(makeToken()), /^Bearer realm="pg-coordinate", error="invalid_token", error_description="[^"]+ not one of this server"$/],
    ['a token with something behind', bearer(`${ofRole.admin}x`), /invalid_token/],
    ['the hash of a token', bearer(hashToken(ofRole.admin).toString('hex')), /invalid_token/],
  ])('lets nobody in for %s', async (_, headers, challenge) => {
    for (const [method, url] of [['GET', '/'], ['GET', '/summary'], ['POST', '/namespace'], ['GET', '/nowhere'], ['GET', '/namespace/%E0%A4%A']] as const) {
      const answer = await ask(method, url, { headers });
      if (url.includes('%E0')) expect([400, 401]).toContain(answer.status);
      else {
        expect([url, answer.status, answer.json.code]).toEqual([url, 401, 'NotAuthenticated']);
        expect(answer.headers.get('www-authenticate')).toEqual(expect.stringMatching(challenge));
      }
    }
  });

  test('lets a token in until it expires', async () => {
    expect((await ask('GET', '/', { headers: bearer(brief) })).status).toBe(200);
    clock.advance(60_000);
    const { status, json } = await ask('GET', '/', { headers: bearer(brief) });
    expect([status, json.message]).toEqual([401, 'This server asks for a token: the token has expired']);
  });

  test('gives nothing to who has waited for work for longer than his token is worth', async () => {
    const fleeting = tokenFor('fleeting', { waiting: ['work'] }, new Date(clock.now().getTime() + 1_000));
    await writeFile(path, lines.join('\n'));
    await tokens.reload();
    const spec = await (await coordinate.namespace('waiting')).setWorkSpec({ name: 's' });
    const waiters = async (): Promise<number> => Number((await database.query<{ count: string }>(`select count(*) from ${database.bucket}.waiter where waiting`))[0]?.count);
    const answer = ask('POST', '/namespace/waiting/worker/w/request_attempts', { headers: bearer(fleeting), body: { wait: 60e9 } });
    await until('it waits', async () => (await waiters()) > 0);
    clock.advance(1_000);
    await spec.addWorkUnit('a', {});
    const { status, json } = await answer;
    expect([status, json.message]).toEqual([401, 'This server asks for a token: the token has expired']);
    await until('it is given back', async () => (await (await spec.workUnit('a')).status()) === 'available');
    await (await coordinate.namespace('waiting')).destroy();
  });

  test('shows of all namespaces only those that the token is for', async () => {
    await (await coordinate.namespace('red')).setWorkSpec({ name: 'r' });
    await (await (await coordinate.namespace('red')).workSpec('r')).addWorkUnit('u', {});
    const seen = async (token: string): Promise<[string[], number]> => [
      (await ask('GET', '/namespace', { headers: bearer(token) })).json.namespaces.map(({ name }: { name: string }) => name),
      (await ask('GET', '/summary', { headers: bearer(token) })).json.length,
    ];
    expect(await seen(ofRole.read)).toEqual([['blue'], 0]);
    expect(await seen(everywhere)).toEqual([['blue', 'red'], 1]);
  });

  test('asks the database only for the namespaces that the token names', async () => {
    const asked = vi.spyOn(coordinate, 'namespaces');
    onTestFinished(() => asked.mockRestore());
    const list = async (token: string): Promise<string[]> =>
      (await ask('GET', '/namespace', { headers: bearer(token) })).json.namespaces.map(({ name }: { name: string }) => name);
    expect([await list(ofRole.work), await list(everywhere)]).toEqual([['blue'], ['blue', 'red']]);
    expect((await ask('GET', '/namespace/blue', { headers: bearer(ofRole.read) })).status).toBe(200);
    expect(asked.mock.calls).toEqual([[{ names: ['blue'] }], [{}], [{ names: ['blue'] }]]);
  });

  test('makes no namespace for a body that names one which the token is not for, nor for who may only look', async () => {
    const post = async (token: string, name: string): Promise<number> => (await ask('POST', '/namespace', { headers: bearer(token), body: { name } })).status;
    expect([await post(ofRole.admin, 'green'), await post(ofRole.admin, 'blue'), await post(everywhere, 'new'), await post(everywhere, 'blue')]).toEqual([403, 201, 404, 201]);
    expect((await ask('GET', '/namespace/new', { headers: bearer(everywhere) })).json.code).toBe('NoSuchNamespace');
    expect((await coordinate.namespaces()).map(({ name }) => name)).toEqual(['blue', 'red']);
  });

  test('makes no worker for who may not work, whatever is asked of it', async () => {
    const { json } = await ask('GET', '/namespace/blue/worker/unheard-of', { headers: bearer(ofRole.read) });
    expect([json.code, json.message]).toEqual(['NoSuchWorker', 'No such worker unheard-of']);
    for (const [method, at, token] of [
      ['GET', '', ofRole.produce],
      ['HEAD', '', ofRole.read],
      ['GET', '/active_attempts', ofRole.read],
      ['GET', '/all_attempts', everywhere],
      ['GET', '/child_attempts', ofRole.produce],
      // There is no such method, which is only said of what is there.
      ['PATCH', '', ofRole.read],
    ] as const) {
      expect([at, (await ask(method, `/namespace/blue/worker/unheard-of${at}`, { headers: bearer(token) })).status]).toEqual([at, 404]);
    }
    const workers = async (): Promise<string[]> => (await (await coordinate.namespace('blue')).workers({ start: 'unheard-of', limit: 1 })).map(({ name }) => name);
    expect(await workers()).not.toContain('unheard-of');
    expect((await ask('GET', '/namespace/blue/worker/unheard-of', { headers: bearer(ofRole.work) })).status).toBe(200);
    expect((await ask('GET', '/namespace/blue/worker/unheard-of', { headers: bearer(ofRole.read) })).json).toMatchObject({ name: 'unheard-of', active: true });
  });

  test('the request log has whose token it was, and never the token', async () => {
    const logged: (string | undefined)[] = [];
    const { url } = await serveAgain(coordinate, { tokens, requestLog: ({ user }) => void logged.push(user) });
    for (const headers of [bearer(ofRole.read), bearer(both), bearer(makeToken()), {}]) await askingOf(url)('DELETE', '/namespace/blue', { headers });
    await askingOf(url)('GET', '/docs', { headers: bearer(ofRole.read) });
    const free = await serveAgain(coordinate, { requestLog: ({ user }) => void logged.push(user) });
    await askingOf(free.url)('GET', '/');
    await until('all are logged', () => logged.length === 6);
    expect(logged).toEqual(['read', 'both', undefined, undefined, undefined, undefined]);
  });

  test('a report cannot reach over into another namespace', async () => {
    const url = '/namespace/red/work_spec/r/work_unit/u/attempt/w/1';
    const { status } = await ask('POST', '/namespace/blue/attempt_reports', { headers: bearer(both), body: { reports: [{ action: 'finish', url }] } });
    expect(status).toBe(400);
  });

  test('the page and the description of the API are for everybody', async () => {
    expect([(await ask('GET', '/docs')).status, (await ask('GET', '/openapi.json')).status]).toEqual([200, 200]);
  });

  test('the tokens are read again on demand', async () => {
    const fresh = makeToken();
    const line = writeTokenEntry({ name: 'fresh', hash: hashToken(fresh), roles: new Map([['*', ['read']]]), expires: null });
    await writeFile(path, [...lines, line].join('\n'));
    expect((await ask('GET', '/', { headers: bearer(fresh) })).status).toBe(401);
    await tokens.reload();
    expect((await ask('GET', '/', { headers: bearer(fresh) })).status).toBe(200);
  });
});

/** As a browser, which says more than fetch lets one say. */
async function sentTo(url: string, method: string, at: string, headers: Readonly<Record<string, string>>): Promise<{ status: number | undefined; json: any }> {
  const { request } = await import('node:http');
  const sending = request(new URL(at, url), { method, headers: { ...headers, ...(method === 'POST' && { 'content-type': 'text/plain' }) } });
  sending.end(method === 'POST' ? '{}' : undefined);
  const [answer] = (await once(sending, 'response')) as [IncomingMessage];
  const body = await text(answer);
  return { status: answer.statusCode, json: body.startsWith('{') ? JSON.parse(body) : undefined };
}

describe('without tokens', () => {
  test('listens where others come only if that is meant', async () => {
    const { serveRest } = await import('pg-coordinate/rest');
    await expect(serveRest({ coordinate, port: 0, host: '0.0.0.0' })).rejects.toMatchObject({ code: 'InvalidArgument', details: { field: 'options.host' } });
    expect((await fetch((await serveAgain(coordinate, { host: '0.0.0.0', allowRemote: true })).url.replace('0.0.0.0', '127.0.0.1'))).status).toBe(200);
    await serveAgain(coordinate, { host: '0.0.0.0', tokens });
  });

  test('takes no request that was sent to another name, as a web page could', async () => {
    const { request } = await import('node:http');
    const { url } = await serveAgain(coordinate, { allowedHosts: ['queue.example'] });
    const statusAt = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request(url, { headers: { host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on('error', reject)
          .end();
      });
    const hosts = ['localhost:5980', '127.0.0.1', '[::1]:1', 'QUEUE.example', 'evil.example', 'localhost.evil.example:5980'];
    expect(await Promise.all(hosts.map(statusAt))).toEqual([200, 200, 200, 200, 403, 403]);
  });

  test('says nothing that lets a page of another origin read answers', async () => {
    const { headers } = await askFreely('GET', '/', { headers: { origin: 'https://evil.example' } });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    const preflight = await askFreely('OPTIONS', '/namespace', { headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } });
    expect([preflight.status, [...preflight.headers.keys()].filter((name) => name.startsWith('access-control'))]).toEqual([403, []]);
  });

  test.each([
    [{ 'sec-fetch-site': 'cross-site' }, 'another server'],
    [{ 'sec-fetch-site': 'same-site' }, 'another server'],
    [{ origin: 'https://evil.example' }, '"https://evil.example"'],
    [{ origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }, '"http://localhost:3000"'],
    [{ origin: 'null', 'sec-fetch-site': 'cross-site' }, '"null"'],
  ])('does nothing for a page of another origin: %j', async (headers, named) => {
    const { url } = await serveAgain(coordinate, { allowRemote: true });
    for (const [method, at] of [['GET', '/namespace/forged'], ['POST', '/namespace'], ['GET', '/namespace/blue/worker/forged']] as const) {
      const { status, json } = await sentTo(url, method, at, headers);
      expect([status, json.code, json.details.origin]).toEqual([403, 'ForeignOrigin', named]);
    }
    expect((await coordinate.namespaces()).map(({ name }) => name)).not.toContain('forged');
    // What is the same for everybody may be linked to from anywhere.
    expect((await sentTo(url, 'GET', '/docs', headers)).status).toBe(200);
  });

  test('does what its own pages ask for, whatever stands between', async () => {
    const { url } = await serveAgain(coordinate, { allowedHosts: ['queue.example'] });
    const own = new URL(url).origin;
    for (const headers of [{ 'sec-fetch-site': 'none' }, { 'sec-fetch-site': 'same-origin' }, { origin: own, 'sec-fetch-site': 'same-origin' }, { origin: 'https://queue.example' }]) {
      expect((await sentTo(url, 'GET', '/namespace', headers)).status).toBe(200);
    }
  });
});
