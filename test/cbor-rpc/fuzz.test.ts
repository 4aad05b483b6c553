import { once } from 'node:events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeValue } from '../../src/codec/index.js';
import { answerOf, Client, message, request } from './client.js';
import { call, damagedCall, likelyCall, noise, wrappedNoise } from './hostile-messages.js';
import { served } from './served.js';

/*
 * Hostile bytes, the same ones at each run. Whatever is sent, the server goes on: it answers with messages, or ends that connection; and whoever
 * behaves is served as if nothing had happened.
 */

const { client: newClient, log } = await served();
const seed = 5932;

describe('hostile messages', () => {
  test.each<[string, fc.Arbitrary<Buffer>, number]>([
    ['calls with anything for parameters', call, 1_000],
    ['calls that are nearly right', likelyCall, 1_000],
    ['damaged calls', damagedCall, 1_200],
    ['noise', noise, 1_000],
    ['noise in proper messages', wrappedNoise, 1_000],
  ])('%s are answered, or end the connection', async (_, arbitrary, count) => {
    const { client, namespace, server } = await newClient({ messageMs: 500, maxMessageBytes: 100_000, maxMessageItems: 10_000 });
    await (await namespace.setWorkSpec({ name: 'spec' })).addWorkUnits(['unit', 'x', 'me'].map((unit) => ({ name: unit, data: {} })));
    log.length = 0;
    const messages = fc.sample(arbitrary, { seed, numRuns: count });
    const before = process.memoryUsage();
    // Several at a time, each on a connection until that is ended.
    const queue = messages.values();
    const survivors = await Promise.all(Array.from({ length: 8 }, () => sendAll(() => Client.connect(server), queue)));
    expect(survivors.reduce((sum, sent) => sum + sent, 0)).toBe(count);
    await client.call('set_work_spec', { name: 'after' });
    expect(await client.call('get_work_spec', 'after')).toEqual({ name: 'after' });
    expect(log.filter((line) => !line.includes('was closed: Cannot decode CBOR'))).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(50_000_000);
    client.close();
    await server.stop();
    expect(server.connections).toBe(0);
  });

  test('a hundred million claimed bytes and items take no memory', async () => {
    const { client, server } = await newClient({ messageMs: 200 });
    const before = process.memoryUsage().arrayBuffers;
    const claims = ['d8185a00ffffff', 'd8185b00000000ffffffff', 'd8189affffffff', `d818${'9f'.repeat(600)}`, 'd8187affffffff', 'd8185f5a00ffffff'];
    const clients = await Promise.all(claims.flatMap(() => Array.from({ length: 20 }, () => Client.connect(server))));
    for (const [index, hostile] of clients.entries()) hostile.socket.write(Buffer.from(claims[index % claims.length]!, 'hex'));
    expect(await client.call('readlock', [])).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    for (const hostile of clients) await hostile.closed();
    // The clients may hear of it before the server has forgotten them.
    do expect(await client.call('readlock', [])).toEqual([]);
    while (server.connections > 1);
  });

  test('ten thousand levels are refused wherever they are', async () => {
    const { client, server } = await newClient();
    const deep = Buffer.concat([Buffer.alloc(10_000, 0x81), Buffer.of(0)]);
    const params = Buffer.concat([encodeValue({ id: 1, method: 'archive', params: 0 }).subarray(0, -1), deep]);
    for (const content of [deep, params]) {
      const other = await Client.connect(server);
      other.socket.write(message(content));
      expect(await other.closed()).toEqual([]);
    }
    expect(await client.call('readlock', [])).toEqual([]);
  });
});

/** Sends messages until there are none, and takes whatever answer comes; resolves to how many were sent. */
async function sendAll(connect: () => Promise<Client>, queue: Iterator<Buffer>): Promise<number> {
  let client = await connect();
  let sent = 0;
  for (let next = queue.next(); next.done !== true; next = queue.next()) {
    sent++;
    // A call that is known to be answered follows: what was sent has been dealt with when its answer is there, or the connection is ended.
    client.socket.write(Buffer.concat([next.value, request(777_777, 'archive', [{}])]));
    if (await isServed(client)) continue;
    client.close();
    client = await connect();
  }
  const closing = once(client.socket, 'close');
  client.close();
  await closing;
  return sent;
}

async function isServed(client: Client): Promise<boolean> {
  try {
    for (;;) {
      const answer = answerOf(await client.next());
      if (Array.isArray(answer)) continue;
      if (typeof answer.error?.message !== 'string' && !('result' in answer)) throw new TypeError('an answer is neither result nor error');
      if (answer.id === 777_777) return true;
    }
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return false;
  }
}
