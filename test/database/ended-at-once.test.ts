import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { connect, migrate } from 'pg-coordinate';
import { afterAll, expect, test } from 'vitest';
import { caught } from './caught.js';

/*
 * A server that ends a session as soon as it has begun, and says both at once, as one does that is shut down. An error that nobody listens to
 * at that moment would end the process; here it fails the run.
 */

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
};
const authenticated = message('R', Buffer.alloc(4));
const ready = message('Z', Buffer.from('I'));
const ended = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'));

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, ended])));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `postgres://user@127.0.0.1:${(server.address() as AddressInfo).port}/database`;
const pool = new pg.Pool({ connectionString: url });
// An application that has a pool listens to its errors.
pool.on('error', () => undefined);
afterAll(async () => {
  await pool.end();
  server.close();
});

test.each([
  ['connect() with a pool of our own', () => connect(url)],
  ["connect() with a user's pool", () => connect(pool)],
  ["migrate() with a user's pool", () => migrate(pool)],
  ['migrate() with a connection of its own', () => migrate(url)],
])('%s tells that the session has ended', async (_, begin) => {
  const error = await caught(begin());
  expect(error).toBeInstanceOf(Error);
  expect(pool.totalCount).toBe(0);
});
