import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { answerBadBytes } from '../../../src/rest/server/answer-bad-bytes.js';

/** Both ends of a connection. */
async function connected(): Promise<{ client: Socket; server: Socket }> {
  const listening = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  onTestFinished(() => void listening.close());
  await once(listening, 'listening');
  const client = connect((listening.address() as AddressInfo).port, '127.0.0.1');
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
