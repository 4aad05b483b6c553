import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { connectRest } from 'pg-coordinate/rest';
import type { WorkSpec } from 'pg-coordinate';
import { decodeValue } from '../../../src/codec/index.js';
import { PostgresWorkSpec } from '../../../src/core/work-spec/postgres-work-spec.js';
import { mostListedUnits } from '../../../src/rest/server/list-units.js';
import { until } from '../../database/until.js';
import { askingOf, serveAgain, serving } from './serving.js';

/* A list that is longer than the server wants to hold is read while it is sent. Clients see nothing of that. */

const { coordinate, server, ask } = await serving();
const path = '/namespace/n/work_spec/s/work_unit';
const count = 2 * mostListedUnits + 500;
const nameOf = (index: number): string => `unit ${String(index).padStart(5, '0')}`;
const all = Array.from({ length: count }, (_, index) => nameOf(index));
let spec: WorkSpec;

beforeAll(async () => {
  const namespace = await coordinate.namespace('n');
  spec = await namespace.setWorkSpec({ name: 's' });
  await spec.addWorkUnits(all.map((name) => ({ name, data: {} })));
  // Every other unit is running, so that pages by status pass by others.
  const worker = await namespace.worker('w');
  await worker.makeAttempts(await spec.workUnits({ names: all.filter((_, index) => index % 2 === 1) }));
});

const listed = async (query = ''): Promise<string[]> => (await ask('GET', path + query)).json.work_units.map(({ name }: { name: string }) => name);

/** What each statement was asked for at most, in the rest of the test. */
function limitsAsked(): () => number[] {
  const spies = [vi.spyOn(PostgresWorkSpec.prototype, 'workUnits'), vi.spyOn(PostgresWorkSpec.prototype, 'readWorkUnits')];
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  return () => spies.flatMap(({ mock }) => mock.calls.map(([query]) => query?.limit ?? Number.POSITIVE_INFINITY));
}

describe('a list of more units than are read at a time', () => {
  test('has all of them, in order, read a page at a time', async () => {
    const limits = limitsAsked();
    expect(await listed()).toEqual(all);
    expect(limits()).toEqual([mostListedUnits, mostListedUnits, mostListedUnits]);
  });

  test('has items as any other', async () => {
    const { headers, json } = await ask('GET', path);
    expect(headers.get('content-type')).toBe('application/vnd.diffeo.coordinate.v1+json');
    expect(Object.keys(json)).toEqual(['work_units']);
    expect(json.work_units.at(-1)).toEqual((await ask('GET', `${path}?name=${encodeURIComponent(all.at(-1)!)}`)).json.work_units[0]);
  });

  test.each([
    ['?status=available', all.filter((_, index) => index % 2 === 0)],
    ['?status=available&status=finished', all.filter((_, index) => index % 2 === 0)],
    [`?status=pending&limit=${mostListedUnits + 1}`, all.filter((_, index) => index % 2 === 1).slice(0, mostListedUnits + 1)],
    [`?limit=${mostListedUnits}`, all.slice(0, mostListedUnits)],
    [`?limit=${2 * mostListedUnits + 1}`, all.slice(0, 2 * mostListedUnits + 1)],
    [`?limit=999999999999&previous=${encodeURIComponent(nameOf(9))}`, all.slice(10)],
  ])('has those that %s asks for', async (query, expected) => {
    const limits = limitsAsked();
    expect(await listed(query)).toEqual(expected);
    expect(Math.max(...limits())).toBeLessThanOrEqual(mostListedUnits);
  });

  test('has those that are named', async () => {
    const named = all.slice(0, mostListedUnits + 3);
    expect(await listed(`?${named.toReversed().map((name) => `name=${encodeURIComponent(name)}`).join('&')}`)).toEqual(named);
  });

  test('is the same in CBOR, to our own client, and not there for HEAD', async () => {
    const answer = await fetch(new URL(path, server.url), { headers: { accept: 'application/cbor' } });
    expect(decodeValue(Buffer.from(await answer.arrayBuffer()))).toEqual((await ask('GET', path)).json);
    await using client = await connectRest(server.url);
    const units = await (await (await client.namespace('n')).workSpec('s')).workUnits();
    expect(units.map(({ name }) => name)).toEqual(all);
    const limits = limitsAsked();
    const head = await ask('HEAD', path);
    expect([head.status, head.text, limits()]).toEqual([200, '', [mostListedUnits]]);
  });

  test('that cannot be gone on with breaks off, so that nobody takes a part for all, and is logged', async () => {
    const errors: string[] = [];
    const { url } = await serveAgain(coordinate, { logger: { warn: () => undefined, error: (text) => void errors.push(text) } });
    const list = PostgresWorkSpec.prototype.workUnits;
    let calls = 0;
    const broken = vi.spyOn(PostgresWorkSpec.prototype, 'workUnits').mockImplementation(function (this: PostgresWorkSpec, query) {
      return calls++ === 1 ? Promise.reject(new Error('the database has gone')) : list.call(this, query);
    });
    onTestFinished(() => broken.mockRestore());
    await expect(askingOf(url)('GET', path)).rejects.toThrow();
    expect(errors).toEqual([expect.stringMatching(/^the answer to GET \S+\/work_unit broke off: Error: the database has gone/)]);
    expect(await listed()).toEqual(all);
  });

  test('is read no further when its client has gone, and no faster than it is taken', async () => {
    const long = await (await coordinate.namespace('n')).setWorkSpec({ name: 'long' });
    // What all buffers of a connection hold is some megabytes.
    const names = Array.from({ length: 20_000 }, (_, index) => `${String(index).padStart(6, '0')} ${'x'.repeat(900)}`);
    for (let from = 0; from < names.length; from += 5_000) await long.addWorkUnits(names.slice(from, from + 5_000).map((name) => ({ name, data: {} })));
    const limits = limitsAsked();
    const { hostname, port } = new URL(server.url);
    const socket = connectSocket(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    socket.write('GET /namespace/n/work_spec/long/work_unit HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'readable');
    let before = -1;
    await until('it waits for the client', async () => {
      before = limits().length;
      // Others are served meanwhile, who take longer than a page.
      for (let other = 0; other < 20; other++) await ask('GET', '/time');
      return limits().length === before;
    });
    expect(before).toBeLessThan(names.length / mostListedUnits);
    socket.destroy();
    await until('it is closed', () => socket.closed);
    expect(limits().length - before).toBeLessThanOrEqual(1);
  });
});
