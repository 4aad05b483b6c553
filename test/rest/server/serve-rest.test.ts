import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { ClosedError, type Coordinate } from 'pg-coordinate';
import { serveRest } from 'pg-coordinate/rest';
import { describe, expect, test } from 'vitest';
import { askingOf, serveAgain, serving } from './serving.js';

const { coordinate, server } = await serving();

/** Something that one part of a test waits for, and another says. */
function signalled(): { given: Promise<void>; give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give: () => give() };
}

describe('a server', () => {
  test('says where it is, on a port of its own', async () => {
    const other = await serveAgain(coordinate);
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(other.url).not.toBe(server.url);
    expect((await fetch(other.url)).status).toBe(200);
  });

  test('stops twice, and is gone then; the queue is not', async () => {
    const other = await serveRest({ coordinate, port: 0 });
    await fetch(other.url);
    await Promise.all([other.stop(), other.stop()]);
    await other[Symbol.asyncDispose]();
    await expect(fetch(other.url)).rejects.toThrow();
    await coordinate.namespaces();
  });

  test('lets what is under way come to its end before it stops', async () => {
    let goOn = (): void => undefined;
    const asked = signalled();
    const slow = Object.create(coordinate) as Coordinate;
    slow.summarize = async () => {
      asked.give();
      await new Promise<void>((resolve) => (goOn = resolve));
      return [];
    };
    const other = await serveRest({ coordinate: slow, port: 0 });
    const answer = fetch(new URL('/summary', other.url));
    await asked.given;
    const stopped = other.stop();
    goOn();
    expect(await (await answer).json()).toEqual([]);
    await stopped;
  });

  test('does not wait for a connection on which nothing was asked', async () => {
    const other = await serveRest({ coordinate, port: 0, graceMs: 3_600_000 });
    const { hostname, port } = new URL(other.url);
    const socket = connectSocket(Number(port), hostname);
    await once(socket, 'connect');
    // Connected is not yet accepted: what comes after it is.
    await fetch(other.url);
    const closed = once(socket, 'close');
    await other.stop();
    await closed;
  });

  test('cuts off what takes longer than its grace', async () => {
    const asked = signalled();
    const stuck = Object.create(coordinate) as Coordinate;
    stuck.summarize = () => {
      asked.give();
      return new Promise(() => undefined);
    };
    const other = await serveRest({ coordinate: stuck, port: 0, graceMs: 1 });
    const answer = fetch(new URL('/summary', other.url)).then(() => 'answered', () => 'cut off');
    await asked.given;
    await other.stop();
    expect(await answer).toBe('cut off');
  });

  test('cannot listen where somebody does', async () => {
    const port = Number(new URL(server.url).port);
    await expect(serveRest({ coordinate, port })).rejects.toMatchObject({ code: 'CannotListen', details: { address: `127.0.0.1:${port}` } });
  });

  test.each([
    [{ port: 70_000 }, 'options.port'],
    [{ port: '5980' }, 'options.port'],
    [{ host: '' }, 'options.host'],
    [{ coordinate: {} }, 'options.coordinate'],
    [{ bodyLimitBytes: 0 }, 'options.bodyLimitBytes'],
    [{ graceMs: -1 }, 'options.graceMs'],
    [{ prot: 1 }, 'options.prot'],
  ])('is not started with %j', async (options, field) => {
    const wrong = { coordinate, port: 0, ...options } as unknown as Parameters<typeof serveRest>[0];
    await expect(serveRest(wrong)).rejects.toMatchObject({ code: 'InvalidArgument', details: { field } });
  });

  test('answers with what the queue says when its connection is closed', async () => {
    const closed = Object.create(coordinate) as typeof coordinate;
    closed.namespaces = () => Promise.reject(new ClosedError());
    const { status, json } = await askingOf((await serveAgain(closed)).url)('GET', '/namespace');
    expect([status, json.code]).toEqual([503, 'Closed']);
  });
});
