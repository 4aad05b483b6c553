import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { hashToken, makeToken, roles, TokenFile, writeTokenEntry, type Role } from 'pg-coordinate/access';
import { ManualClock } from 'pg-coordinate/testing';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { methodTable } from '../../src/cbor-rpc/method-table.js';
import { until } from '../database/until.js';
import { certificate } from '../support/certificate.js';
import { answerOf, Client, request } from './client.js';
import { served } from './served.js';

const { client: newClient, serve, coordinate, log } = await served();
const directory = await mkdtemp(join(tmpdir(), 'pg-coordinate-rpc-'));
afterAll(() => rm(directory, { recursive: true }));
const clock = new ManualClock(new Date('2026-11-20T00:00:00Z'));
const path = join(directory, 'tokens.yaml');

const namespace = 'crawl';
const lines: string[] = [];
function tokenFor(name: string, allowed: Record<string, Role[]>, expires: Date | null = null): string {
  const token = makeToken();
  lines.push(writeTokenEntry({ name, hash: hashToken(token), roles: new Map(Object.entries(allowed)), expires }));
  return token;
}
const ofRole = Object.fromEntries(roles.map((role) => [role, tokenFor(role, { [namespace]: [role] })])) as Record<Role, string>;
const elsewhere = tokenFor('elsewhere', { other: ['admin'] });
const brief = tokenFor('brief', { '*': ['read'] }, new Date('2026-11-20T00:01:00Z'));
await writeFile(path, lines.join('\n'));
const tokens = await TokenFile.load(path, { clock });

const included: Record<Role, Role[]> = { read: ['read'], produce: ['read', 'produce'], work: ['read', 'work'], admin: [...roles] };
const methods = [...methodTable].map(([name, { needs }]) => [name, needs] as const);
const refusal = /has not got the role/;

describe('with tokens', () => {
  test.each(methods)('%s is for those who have the role %s', async (method, needed) => {
    const server = await serve({ tokens, namespace });
    for (const role of roles) {
      const client = await Client.connect(server);
      onTestFinished(() => client.close());
      expect(await client.refused(method, 1, 2, 3, 4, 5, 6, 7)).toBe('this server asks for a token: call authenticate with it first');
      expect(await client.call('authenticate', role === 'read' ? Buffer.from(ofRole[role]) : ofRole[role])).toBe(true);
      const said = await client.refused(method, 1, 2, 3, 4, 5, 6, 7);
      expect([role, said.includes('has not got the role')]).toEqual([role, !included[role].includes(needed)]);
      if (included[role].includes(needed)) expect(said).toBe('wrong number of parameters');
    }
  });

  test('a token of another namespace, an expired one and a wrong one are worth nothing', async () => {
    const server = await serve({ tokens, namespace });
    const client = await Client.connect(server);
    onTestFinished(() => client.close());
    await client.call('authenticate', elsewhere);
    expect(await client.refused('list_work_specs', {})).toMatch(refusal);
    expect(await client.refused('authenticate', makeToken())).toMatch(/not one of this server/);
    expect(await client.refused('authenticate')).toBe('wrong number of parameters');
    expect(await client.refused('authenticate', 7)).toMatch(/must be a string/);
    await client.call('authenticate', brief);
    expect(await client.call('mode_counts')).toEqual([{}, null]);
    clock.advance(60_000);
    expect(await client.refused('mode_counts')).toBe('This server asks for a token: the token has expired');
  });

  test('each connection is by itself', async () => {
    const { client, server } = await newClient({ tokens, namespace });
    await client.call('authenticate', ofRole.read);
    const other = await Client.connect(server);
    onTestFinished(() => other.close());
    expect(await other.refused('now')).toMatch(/call authenticate/);
  });

  test('a port where all act as one token asks nobody for it, and allows no more', async () => {
    const { client } = await newClient({ tokens, namespace, actAs: 'work' });
    expect(await client.call('get_work', 'w', {})).toBeTruthy();
    expect(await client.refused('clear')).toMatch(refusal);
    await client.call('authenticate', ofRole.admin);
    expect(await client.call('clear')).toBe(0);
  });

  test.each([
    [{ actAs: 'nobody', tokens }, /actAs: is of no use: there is no token "nobody" in the token file/],
    [{ actAs: 'work' }, /actAs: is the name of one of the tokens, but there are no tokens/],
    [{ actAs: 'work', tokens, host: '0.0.0.0' }, /host: is 0\.0\.0\.0, which lets whoever reaches this machine use the queue/],
    [{ tokens: Object.create(null) as TokenFile }, /tokens: must be what TokenFile\.load\(\) gives/],
  ])('is not started with %j', async (options, sentence) => {
    await expect(serve(options)).rejects.toThrow(sentence);
  });

  test('a stranger gets little room, and little time to say who he is', async () => {
    const { client, server } = await newClient({ tokens, namespace });
    await client.call('authenticate', ofRole.produce);
    const size = 1_000_000;
    const large = await Client.connect(server);
    large.socket.write(request(1, 'set_work_spec', [{ name: 'spec', text: 'x'.repeat(size) }]));
    expect(await large.closed()).toEqual([]);
    // On a server of their own: nobody who is not to be cut off must hurry.
    const impatient = await serve({ tokens, namespace, messageMs: 200 });
    const [silent, chatty] = await Promise.all([Client.connect(impatient), Client.connect(impatient)]);
    expect(await silent.closed()).toEqual([]);
    // However often he says something else.
    await expect(
      (async () => {
        for (;;) expect(await chatty.refused('now')).toMatch(/call authenticate/);
      })(),
    ).rejects.toThrow('the connection was closed');
    expect(await client.call('set_work_spec', { name: 'spec', text: 'x'.repeat(size) })).toEqual([true, null]);
    const once = await Client.connect(server);
    once.socket.write(Buffer.concat([request(1, 'authenticate', [ofRole.produce]), request(2, 'set_work_spec', [{ name: 'spec', text: 'x'.repeat(size) }])]));
    expect([answerOf(await once.next()).result, answerOf(await once.next()).result]).toEqual([true, [true, null]]);
    once.close();
  });

  test('may listen where others come', async () => {
    expect((await serve({ tokens, host: '0.0.0.0' })).address.host).toBe('0.0.0.0');
  });
});

test('without tokens, authenticating is allowed, and changes nothing', async () => {
  const { client } = await newClient();
  expect(await client.call('authenticate', 'whatever')).toBe(true);
  expect(await client.call('clear')).toBe(0);
});

describe('with a certificate', () => {
  test('speaks TLS and nothing else, and goes on with another one', async () => {
    const [first, second] = await Promise.all([certificate(), certificate()]);
    const server = await serve({ tls: first });
    const { port, host } = server.address;
    const nowOver = async (ca: string): Promise<unknown> => {
      const client = Client.over(connectTls({ port, host, ca }));
      onTestFinished(() => client.close());
      return client.call('now');
    };
    expect(await nowOver(first.cert)).toBe(1_795_165_000);
    const plain = connectSocket(port, host);
    plain.on('error', () => undefined);
    // As many bytes as a record of TLS begins with, so that it need not wait for more of them.
    plain.write(request(1, 'now', []));
    await once(plain, 'close');
    server.renewTls(second);
    expect(await nowOver(second.cert)).toBe(1_795_165_000);
    await expect(nowOver(first.cert)).rejects.toThrow();
  });

  test('stops although somebody does not end the handshake', async () => {
    const server = await serve({ tls: await certificate() });
    const socket = connectSocket(server.address.port, server.address.host);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await server.stop();
    await closed;
    await coordinate.namespaces();
  });
});

test('takes so many connections from one address and no more, until one of them is closed', async () => {
  const { client, server } = await newClient({ maxConnectionsPerAddress: 1 });
  await client.call('now');
  for (let more = 0; more < 2; more++) {
    const socket = connectSocket(server.address.port, server.address.host);
    socket.on('error', () => undefined);
    await once(socket, 'close');
  }
  const refusals = log.filter((text) => text === 'a CBOR-RPC client was turned away: there are 1 connections from 127.0.0.1');
  expect(refusals).toHaveLength(1);
  client.close();
  await until('it is noticed', () => server.connections === 0);
  const next = await Client.connect(server);
  expect(await next.call('now')).toBe(1_795_165_000);
  next.close();
});
