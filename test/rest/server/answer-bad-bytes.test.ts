import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { answerBadBytes } from '../../../src/rest/server/answer-bad-bytes.js';
import { serving } from './serving.js';

const { coordinate, server: http, ask } = await serving();

/** Both ends of a connection. */
async function connected({ allowHalfOpen = false } = {}): Promise<{ client: Socket; server: Socket }> {
  const listening = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  onTestFinished(() => void listening.close());
  await once(listening, 'listening');
  const client = connect({ port: (listening.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen });
  const [server] = (await once(listening, 'connection')) as [Socket];
  onTestFinished(() => void client.destroy());
  return { client, server };
}

const tooLate = Object.assign(new Error('too late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });

test('a request that never becomes one does not cut off the answer to the one before, however slowly that is taken', async () => {
  const { client, server } = await connected();
  const closed = once(server, 'close');
  // More than the buffers of a connection hold, of which nothing is taken yet; the client has ended its side, and so its server does.
  server.end(Buffer.alloc(16_000_000));
  answerBadBytes(tooLate, server);
  let taken = 0;
  for await (const chunk of client) taken += (chunk as Buffer).length;
  expect(taken).toBe(16_000_000);
  await closed;
});

test('is answered itself behind it, if it still can be', async () => {
  const { client, server } = await connected();
  server.write('an answer');
  answerBadBytes(tooLate, server);
  const chunks: Buffer[] = [];
  for await (const chunk of client) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toMatch(/^an answerHTTP\/1\.1 408 Request Timeout\r\n/);
});

test('what is no request, behind one with a large answer, does not cut off that, although nobody reads it for a while', async () => {
  const spec = await (await coordinate.namespace('n')).setWorkSpec({ name: 's' });
  // Less than a connection's buffers hold: the server has soon said all it has to say.
  await spec.addWorkUnit('u', { text: 'x'.repeat(700_000) });
  const socket = connect(Number(new URL(http.url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write('GET /namespace/n/work_spec/s/work_unit/u HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'readable');
  for (const sent of ['no request', 'y'.repeat(3_000)]) {
    socket.write(sent);
    // By the time that others have been answered, so has this.
    for (let others = 0; others < 5; others++) await ask('GET', '/health/live');
  }
  socket.end();
  let taken = '';
  for await (const chunk of socket) taken += String(chunk);
  const [head = '', body = ''] = taken.split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(body.length).toBeGreaterThan(700_000);
  expect(taken).toMatch(/HTTP\/1\.1 400 Bad Request\r\n[^{]*\{.*\}$/);
});

test('a client that does not end its side is not waited for for ever', async () => {
  const { client, server } = await connected({ allowHalfOpen: true });
  client.resume();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const finished = once(server, 'finish');
  answerBadBytes(tooLate, server);
  await finished;
  vi.advanceTimersByTime(4_999);
  expect(server.destroyed).toBe(false);
  const closed = once(server, 'close');
  vi.advanceTimersByTime(1);
  await closed;
});
