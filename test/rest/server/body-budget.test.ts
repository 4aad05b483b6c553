import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../../database/until.js';
import { askingOf, serveAgain, serving } from './serving.js';

const { coordinate } = await serving();
const limits = { bodyLimitBytes: 10_000, maxBufferedBytes: 15_000 };
/** Of a body of 9,000 bytes all but the last. */
const most = 'x'.repeat(8_999);
const head = 'POST /namespace HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n';

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connectSocket(Number(port), hostname);
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/**
 * Sends bytes over a connection of their own, and waits until the server has read them. Whoever asked before that whether they have arrived
 * could be given the room that they need, and they would be refused.
 */
async function send(url: string, bytes: string): Promise<Socket> {
  const accepted: Socket[] = [];
  const onAccepted = (message: unknown): void => void accepted.push((message as { readonly socket: Socket }).socket);
  subscribe('net.server.socket', onAccepted);
  onTestFinished(() => void unsubscribe('net.server.socket', onAccepted));
  const socket = await open(url);
  socket.write(bytes);
  const isRead = (): boolean => accepted.some(({ remotePort, bytesRead }) => remotePort === socket.localPort && bytesRead >= bytes.length);
  await until('it has been read', isRead);
  return socket;
}

/** The status of a request whose body has so many bytes. */
const statusOf = async (url: string, bytes: number): Promise<number> =>
  (await askingOf(url)('POST', '/namespace', { body: { name: 'n', x: 'x'.repeat(bytes - 18) } })).status;

describe('the bodies of all requests together', () => {
  test('are limited: who sends more is told to come later, and may then', async () => {
    const { url } = await serveAgain(coordinate, limits);
    const slow = await send(url, head + most);
    await until('it has arrived', async () => (await statusOf(url, 9_000)) === 503);
    const { status, headers, json } = await askingOf(url)('POST', '/namespace', { body: { name: 'x'.repeat(8_000) } });
    expect([status, headers.get('retry-after'), headers.get('connection'), json.code]).toEqual([503, '1', 'close', 'ServerBusy']);
    // There is room for small ones.
    expect(await statusOf(url, 5_000)).toBe(201);
    slow.write('x');
    await once(slow, 'data');
    expect(await statusOf(url, 9_000)).toBe(201);
  });

  test.each([
    ['breaks off', (socket: Socket) => void socket.resetAndDestroy()],
    ['ends its side', (socket: Socket) => void socket.end()],
  ])('count no more when the client %s', async (_, leave) => {
    const { url } = await serveAgain(coordinate, limits);
    const slow = await send(url, head + most);
    await until('it has arrived', async () => (await statusOf(url, 9_000)) === 503);
    leave(slow);
    await until('there is room again', async () => (await statusOf(url, 9_000)) === 201);
  });

  test('count no more when the client is refused for the size of its own', async () => {
    const { url } = await serveAgain(coordinate, limits);
    const chunks = `${(9_000).toString(16)}\r\n${'x'.repeat(9_000)}\r\n`;
    for (let count = 0; count < 4; count++) {
      const socket = await open(url);
      socket.write(`POST /namespace HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}${chunks}`);
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 413 /);
    }
    expect(await statusOf(url, 9_000)).toBe(201);
  });

  test('count no more of requests that came one behind the other', async () => {
    const { url } = await serveAgain(coordinate, limits);
    const waiting = JSON.stringify({ wait: 60e9 });
    const wait = `POST /namespace/n/worker/w/request_attempts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${waiting.length}\r\n\r\n${waiting}`;
    for (let count = 0; count < 4; count++) {
      const socket = await send(url, wait + head + most);
      await until('it has arrived', async () => (await statusOf(url, 9_000)) === 503);
      socket.destroy();
      await until('there is room again', async () => (await statusOf(url, 9_000)) === 201);
    }
  });

  test('are apart from the answers that clients do not take, which are limited in the same way', async () => {
    const namespace = await coordinate.namespace('large');
    const spec = await namespace.setWorkSpec({ name: 's' });
    // More than the buffers of a connection hold.
    await spec.addWorkUnit('u', { text: 'x'.repeat(16_000_000) });
    const { url } = await serveAgain(coordinate, { bodyLimitBytes: 10_000, maxBufferedBytes: 20_000_000 });
    const at = '/namespace/large/work_spec/s/work_unit/u';
    const slow = await open(url);
    slow.write(`GET ${at} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    // Not before it is being answered: it could be this one that is refused.
    await once(slow, 'readable');
    expect(String(slow.read(12))).toBe('HTTP/1.1 200');
    const statusOfLarge = async (): Promise<number> => (await askingOf(url)('GET', at)).status;
    await until('it is being held', async () => (await statusOfLarge()) === 503);
    // Of work that cannot be told of nothing is kept.
    const refused = await askingOf(url)('POST', '/namespace/large/worker/w/request_attempts', { body: {} });
    expect([refused.status, refused.json.code]).toEqual([503, 'ServerBusy']);
    await until('it is given back', async () => (await (await spec.workUnit('u')).status()) === 'available');
    expect(await statusOf(url, 9_000)).toBe(201);
    slow.destroy();
    await until('there is room again', async () => (await statusOfLarge()) === 200);
  });

  test('may not be limited to less than one of them may have', async () => {
    await expect(serveAgain(coordinate, { bodyLimitBytes: 100, maxBufferedBytes: 99 })).rejects.toMatchObject({ details: { field: 'options.maxBufferedBytes' } });
  });
});
