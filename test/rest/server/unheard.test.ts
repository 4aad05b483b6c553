import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { serveRest } from 'pg-coordinate/rest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { closeGate } from '../../concurrency/waiting.js';
import { until, untilWaiting } from '../../database/until.js';
import { askingOf, serveAgain, serving } from './serving.js';

const { coordinate, database } = await serving();
const path = '/namespace/n/worker/w/request_attempts';
const namespace = await coordinate.namespace('n');
const spec = await namespace.setWorkSpec({ name: 's' });
await namespace.worker('w');

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connectSocket(Number(port), hostname);
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

function request(body: object, to = path): string {
  const text = JSON.stringify(body);
  return `POST ${to} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

const numAttempts = async (name: string): Promise<number> => (await spec.workUnit(name)).numAttempts();
const isAvailable = async (name: string): Promise<boolean> => (await (await spec.workUnit(name)).status()) === 'available';

describe('what is claimed for a client that has gone', () => {
  test.each([
    ['breaks off', (socket: Socket) => void socket.resetAndDestroy()],
    ['closes', (socket: Socket) => void socket.destroy()],
    ['ends its side', (socket: Socket) => void socket.end()],
  ])('while the claim was under way is available again at once: it %s', async (how, leave) => {
    const { url } = await serveAgain(coordinate);
    await spec.addWorkUnit(how, {});
    const gate = await closeGate(database);
    const socket = await open(url);
    socket.write(request({ work_specs: ['s'] }));
    await untilWaiting(database);
    leave(socket);
    // A later request is answered after the server has heard that the other one's client is gone.
    for (let looks = 0; looks < 3; looks++) await fetch(new URL('/docs', url));
    await gate.open();
    await until('it was claimed', async () => (await numAttempts(how)) === 1);
    await until('it is given back', () => isAvailable(how));
    await spec.deleteWorkUnits();
  });

  test('is not claimed for one that waits behind another request of its connection', async () => {
    const { url } = await serveAgain(coordinate);
    const socket = await open(url);
    const minute = { wait: 60e9 };
    // The second is begun, but has no connection to itself before the first is answered.
    socket.write(request({ ...minute, work_specs: ['other'] }) + request({ ...minute, work_specs: ['s'] }));
    const waiters = (): Promise<{ count: string }[]> => database.query(`select count(*) from ${database.bucket}.waiter where waiting`);
    await until('somebody waits', async () => Number((await waiters())[0]?.count) > 0);
    // Both are there once a third, of another connection, has found nothing and waits as well.
    expect((await askingOf(url)('POST', path, { body: { wait: 1e6, work_specs: ['s'] } })).json).toEqual({ attempts: null });
    socket.destroy();
    await until('nobody waits', async () => Number((await waiters())[0]?.count) === 0);
    await spec.addWorkUnit('pipelined', {});
    expect(await isAvailable('pipelined')).toBe(true);
    await spec.deleteWorkUnits();
  });
});

test('what is claimed while the server is told to stop belongs to the client that asked for it', async () => {
  const server = await serveRest({ coordinate, port: 0 });
  await spec.addWorkUnit('stopping', {});
  const gate = await closeGate(database);
  const answer = askingOf(server.url)('POST', path, { body: { work_specs: ['s'] } });
  await untilWaiting(database);
  const stopped = server.stop();
  await gate.open();
  const { json } = await answer;
  await stopped;
  expect(json.attempts).toHaveLength(1);
  expect(await (await spec.workUnit('stopping')).status()).toBe('pending');
});
