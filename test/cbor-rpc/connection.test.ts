import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { encodeValue, Tagged } from '../../src/codec/index.js';
import { openTransaction } from '../concurrency/waiting.js';
import { untilWaiting } from '../database/until.js';
import { answerOf, bytes, Client, message, request, tuple } from './client.js';
import { served } from './served.js';

const { client: newClient, serve, log, coordinate, database } = await served();

describe('packets', () => {
  test('that hold one byte each make a message', async () => {
    const { client } = await newClient();
    client.socket.setNoDelay(true);
    for (const byte of request(1, 'now', [])) {
      await new Promise<void>((resolve) => client.socket.write(Buffer.of(byte), () => resolve()));
    }
    expect(answerOf(await client.next())).toEqual({ id: 1, result: 1_795_165_000 });
  });

  test('that hold several messages are answered in order, whatever each call costs', async () => {
    const { client } = await newClient();
    const sent = [
      request(1, 'set_work_spec', [{ name: 'spec' }]),
      request(2, 'add_work_units', ['spec', Array.from({ length: 500 }, (_, index) => `${index}`)]),
      request(3, 'no_such_thing', []),
      request(4, 'count_work_units', ['spec']),
      request(5, 'clear', []),
      request(6, 'count_work_units', ['spec']),
    ];
    client.socket.write(Buffer.concat(sent));
    const answers: unknown[] = [];
    while (answers.length < sent.length) answers.push(answerOf(await client.next()));
    expect(answers).toEqual([
      { id: 1, result: [true, null] },
      { id: 2, result: [true, null] },
      { id: 3, error: { message: 'no such method NoSuchThing' } },
      { id: 4, result: [new Map([[1, 500]]), null] },
      { id: 5, result: 1 },
      { id: 6, result: [null, 'No such work spec spec'] },
    ]);
  });

  test.each([1, 2, 3, 5, 17, 18, 23, 1_000, 30_000])('that are cut every %i bytes make the same messages', async (size) => {
    const { client } = await newClient();
    client.socket.setNoDelay(true);
    const long = 'x'.repeat(size * 40);
    const sent = Buffer.concat([
      request(1, 'get_work_spec', ['none']),
      request(2, 'set_work_spec', [{ name: 'spec', long }]),
      request(3, 'get_work_spec', [bytes('spec')]),
    ]);
    const write = (from: number): Promise<void> =>
      new Promise((resolve) => client.socket.write(sent.subarray(from, from + size), () => resolve()));
    const answers: unknown[] = [];
    const reading = (async () => {
      for (let left = 3; left > 0; left--) answers.push(answerOf(await client.next()));
    })();
    for (let from = 0; from < sent.length; from += size) await write(from);
    await reading;
    expect(answers).toEqual([
      { id: 1, result: null },
      { id: 2, result: [true, null] },
      { id: 3, result: { name: 'spec', long } },
    ]);
  });
});

describe('a client may', () => {
  test('end its side after its last request, and is answered', async () => {
    const { client } = await newClient();
    client.socket.end(Buffer.concat([request(1, 'now', []), request(2, 'now', [])]));
    expect((await client.closed()).map((answer) => answerOf(answer).id)).toEqual([1, 2]);
  });

  test('send texts for byte strings, keys in any order, and others besides', async () => {
    const { client } = await newClient();
    client.socket.write(message(encodeValue({ params: [], extra: [1], method: 'now', id: 7 })));
    expect(answerOf(await client.next())).toEqual({ id: 7, result: 1_795_165_000 });
  });

  test('send parameters by name', async () => {
    const { client } = await newClient();
    await client.call('set_work_spec', { name: 'spec' });
    client.socket.write(request(1, 'add_work_units', { work_spec_name: 'spec', [`items`]: ['a'] }));
    expect(answerOf(await client.next())).toEqual({ id: 1, result: [true, null] });
    client.socket.write(request(2, 'count_work_units', new Map([[bytes('name'), bytes('spec')]])));
    expect(answerOf(await client.next())).toEqual({ id: 2, result: [new Map([[1, 1]]), null] });
    for (const params of [{}, { nom: 'spec' }, { name: 'spec', other: 1 }, { name: 'spec', work_spec_name: 'spec' }, new Map([[1, 'spec']]), 'spec', null, 5]) {
      client.socket.write(request(3, 'count_work_units', params));
      expect(answerOf(await client.next())).toEqual({ id: 3, error: { message: 'wrong number of parameters' } });
    }
  });

  test('send several requests in one message, and gets as many answers in one', async () => {
    const { client } = await newClient();
    const calls = [
      { id: 1, method: 'now', params: [] },
      { id: 2, method: 'nothing', params: [] },
      { id: 2n ** 64n - 1n, method: 'readlock', params: tuple(tuple()) },
    ];
    client.socket.write(message(encodeValue(calls)));
    expect(answerOf(await client.next())).toEqual([
      { id: 1, result: 1_795_165_000 },
      { id: 2, error: { message: 'no such method Nothing' } },
      { id: 2n ** 64n - 1n, result: [] },
    ]);
    client.socket.write(message(encodeValue([])));
    expect(answerOf(await client.next())).toEqual([]);
    const many = Array.from({ length: 300 }, (_, id) => ({ id, method: 'now', params: [] }));
    client.socket.write(message(encodeValue(many)));
    expect(answerOf(await client.next())).toHaveLength(300);
  });

  test('send maps and lists of indefinite length, and strings in chunks', async () => {
    const { client } = await newClient();
    const content = Buffer.from('bf 7f626964ff 01 666d6574686f64 5f416e426f77ff 66706172616d73 9fff ff'.replaceAll(' ', ''), 'hex');
    client.socket.write(message(content));
    expect(answerOf(await client.next())).toEqual({ id: 1, result: 1_795_165_000 });
    const chunks = Buffer.concat([Buffer.from('d8185f', 'hex'), encodeValue(content.subarray(0, 5)), encodeValue(content.subarray(5)), Buffer.of(255)]);
    client.socket.write(chunks);
    expect(answerOf(await client.next())).toEqual({ id: 1, result: 1_795_165_000 });
    client.socket.write(message(Buffer.concat([Buffer.of(0x9f), content, Buffer.of(255)])));
    expect(answerOf(await client.next())).toEqual([{ id: 1, result: 1_795_165_000 }]);
  });

  test('ask without parameters or a method, and is told', async () => {
    const { client } = await newClient();
    client.socket.write(message(encodeValue({ id: 1, method: 'now' })));
    expect(answerOf(await client.next())).toEqual({ id: 1, result: 1_795_165_000 });
    client.socket.write(message(encodeValue({ id: 2, method: 'get_work' })));
    expect(answerOf(await client.next())).toEqual({ id: 2, error: { message: 'wrong number of parameters' } });
    client.socket.write(message(encodeValue({ id: 3, params: [] })));
    expect(answerOf(await client.next()).error?.message).toMatch(/^no such method/);
    client.socket.write(message(encodeValue({ id: 4, method: 5, params: [] })));
    expect(answerOf(await client.next()).error?.message).toMatch(/^no such method/);
  });

  test('send parameters that cannot be decoded, and is told', async () => {
    const { client } = await newClient();
    const params = [
      ['a1 41ff 01', /byte string for a key that is not UTF-8/],
      ['81 a2 6161 01 6161 02', /the key "a" twice/],
      ['81 62 ffff', /not UTF-8/],
      [`${'81'.repeat(502)}00`, /nests deeper than 500/],
    ] as const;
    for (const [hex, reason] of params) {
      const call = Buffer.concat([encodeValue({ id: 5, method: 'archive', params: 0 }).subarray(0, -1), Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
      client.socket.write(message(call));
      expect(answerOf(await client.next()).error?.message).toMatch(reason);
    }
  });

  test('vanish in the middle of a message, of a call or of an answer, and nobody else notices', async () => {
    const { client, namespace, server } = await newClient();
    const spec = await namespace.setWorkSpec({ name: 'spec', big: 'x'.repeat(1_000_000) });
    const breakOff = async (sent: Buffer): Promise<void> => {
      const { socket } = await Client.connect(server, { paused: true });
      await new Promise<void>((resolve) => socket.write(sent, () => resolve()));
      socket.resetAndDestroy();
    };
    const whole = request(1, 'add_work_units', ['spec', ['a']]);
    await breakOff(whole.subarray(0, 20));
    await breakOff(whole);
    await breakOff(Buffer.concat(Array.from({ length: 50 }, () => request(1, 'get_work_spec', ['spec']))));
    expect(await client.call('get_work_spec', 'spec')).toMatchObject({ name: 'spec' });
    await spec.addWorkUnit('b', {});
    expect(await client.call('get_work_units', 'spec', { work_unit_keys: ['b'] })).toEqual([[tuple(bytes('b'), {})], null]);
    client.close();
    await server.stop();
    expect(server.connections).toBe(0);
  });
});

describe('the connection is ended', () => {
  const ended: [string, Buffer][] = [
    ['text', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['an item that is no message', encodeValue([1, 2, 3])],
    ['another tag', encodeValue(new Tagged(25, Buffer.from('a0', 'hex')))],
    ['a tag around something else', encodeValue(new Tagged(24, 'text'))],
    ['a message without content', message(new Uint8Array())],
    ['a message with two items', message(Buffer.from('a0a0', 'hex'))],
    ['a message with half an item', message(Buffer.from('a1', 'hex'))],
    ['a message that is neither map nor list', message(encodeValue('now'))],
    ['a list with something else', message(encodeValue([{ id: 1, method: 'now', params: [] }, 5]))],
    ['too many calls', message(encodeValue(Array.from({ length: 1_001 }, () => ({}))))],
    ['no id', message(encodeValue({ method: 'now', params: [] }))],
    ['a negative id', message(encodeValue({ id: -1, method: 'now', params: [] }))],
    ['a text for an id', message(encodeValue({ id: '1', method: 'now', params: [] }))],
    ['a message that claims 2^62 bytes', Buffer.from('d8185b4000000000000000', 'hex')],
    ['a message that is too long by a byte', Buffer.from('d8185a00002711', 'hex')],
    ['a message with too many items', message(encodeValue({ id: 1, method: 'archive', params: Array.from({ length: 1_000 }, () => 0) }))],
  ];

  test.each(ended)('after %s, once what came before is answered', async (_, sent) => {
    const { client } = await newClient({ maxMessageBytes: 10_000, maxMessageItems: 900 });
    log.length = 0;
    client.socket.write(Buffer.concat([request(1, 'now', []), sent, request(2, 'now', [])]));
    const answers = (await client.closed()).map((answer) => answerOf(answer).id);
    expect(answers).toEqual([1]);
    expect(log).toEqual([expect.stringMatching(/^the connection of a CBOR-RPC client \(127\.0\.0\.1 port \d+\) was closed: Cannot decode CBOR: /)]);
  });

  test('when a message has begun and does not end', async () => {
    const { client } = await newClient({ messageMs: 30 });
    client.socket.write(request(1, 'now', []).subarray(0, 10));
    expect(await client.closed()).toEqual([]);
  });

  test('when nothing is said for long', async () => {
    // It speaks at once, as the time counts from when it is let in.
    const client = await Client.connect(await serve({ idleMs: 500 }));
    await client.call('now');
    expect(await client.closed()).toEqual([]);
  });

  test('when unfinished messages of all clients are too much together', async () => {
    const { client, server } = await newClient({ maxBufferedBytes: 10_000 });
    const half = Buffer.concat([Buffer.from('d8185a00010000', 'hex'), Buffer.alloc(6_000)]);
    client.socket.write(half);
    const other = await Client.connect(server);
    other.socket.write(half);
    await Promise.race([client.closed(), other.closed()]);
    expect(log.at(-1)).toMatch(/too many bytes of unfinished messages/);
    client.close();
    other.close();
    const third = await Client.connect(server);
    expect(await third.call('now')).toBe(1_795_165_000);
    third.close();
  });
});

describe('the server', () => {
  test('takes so many connections and no more', async () => {
    const { client, server } = await newClient({ maxConnections: 1 });
    await client.call('now');
    const second = connectSocket(server.address.port, server.address.host);
    second.on('error', () => undefined);
    await once(second, 'close');
    expect(log.at(-1)).toBe('a CBOR-RPC client was turned away: there are 1 connections');
    client.close();
  });

  test('answers what is under way when it is stopped, closes everything, and may be stopped again', async () => {
    const { client, namespace, server } = await newClient();
    const idle = await Client.connect(server);
    await idle.call('now');
    await namespace.setWorkSpec({ name: 'spec' });
    const spec = await namespace.workSpec('spec');
    const locker = await openTransaction(database);
    await locker.query(`lock table ${database.bucket}.work_unit in share mode`);
    client.socket.write(request(1, 'add_work_units', ['spec', Array.from({ length: 2_000 }, (_, index) => `${index}`)]));
    client.socket.write(request(2, 'clear', []));
    await untilWaiting(database);
    const first = client.next();
    const stopped = Promise.all([server.stop(), server.stop()]);
    await locker.query('commit');
    await stopped;
    expect(await idle.closed()).toEqual([]);
    expect(answerOf(await first)).toEqual({ id: 1, result: [true, null] });
    await client.closed();
    expect(server.connections).toBe(0);
    expect(await spec.countWorkUnitStatus()).toMatchObject({ available: 2_000 });
    const late = connectSocket(server.address.port, server.address.host);
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  test('says when its port is taken', async () => {
    const server = await serve();
    await expect(serve({ port: server.address.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('can be disposed of', async () => {
    const server = await serve();
    await server[Symbol.asyncDispose]();
    expect(server.connections).toBe(0);
  });

  test.each([
    [{ host: '0.0.0.0' }, /options\.host: is 0\.0\.0\.0, which lets whoever reaches this machine use the queue/],
    [{ host: '' }, /options\.host: must be a host name or an address/],
    [{ port: 70_000 }, /options\.port: must be at most 65535/],
    [{ coordinate: {} as never }, /options\.coordinate: must be what connect/],
    [{ prot: 1 } as never, /did you mean "port"/],
    [{ namespace: 5 as never }, /options\.namespace: must be a string/],
    [{ logger: {} as never }, /options\.logger: must have/],
    [{ config: { f: () => 1 } }, /options\.config\.f: is a function/],
    [{ concurrency: 0 }, /options\.concurrency: must be at least 1/],
  ])('refuses %o', async (options, message) => {
    await expect(serve(options)).rejects.toThrow(message);
  });

  test('listens where anybody can connect only if told to', async () => {
    const server = await serve({ host: '0.0.0.0', allowRemote: true });
    expect(server.address.host).toBe('0.0.0.0');
  });

  test('gives its configuration to who asks', async () => {
    const { client } = await newClient({ config: { coordinate: { address: ['localhost', 5932] } } });
    expect(await client.call('get_config')).toEqual([{ coordinate: { address: ['localhost', 5932] } }, null]);
  });

  test('says what went wrong on its own side to its log only', async () => {
    const { client } = await newClient();
    const broken = await coordinate.namespace('broken');
    const prototype = Object.getPrototypeOf(broken) as { workSpecNames: () => Promise<string[]> };
    const original = prototype.workSpecNames;
    prototype.workSpecNames = async () => {
      throw new Error('something secret');
    };
    try {
      expect(await client.refused('clear')).toBe("internal error; the server's log says more");
    } finally {
      prototype.workSpecNames = original;
    }
    expect(log.at(-1)).toBe('the call clear of a CBOR-RPC client failed: something secret');
  });
});
