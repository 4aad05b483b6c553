import { describe, expect, test } from 'vitest';
import { CborFloat, Uuid } from '../../src/codec/index.js';
import { bytes, Client, tuple } from './client.js';
import { served } from './served.js';

const { client: newClient, serve, clock, coordinate, database } = await served();

describe('a path can be locked if', () => {
  const held = ['a', 'b', 'c'];

  test.each<[string, unknown[], boolean]>([
    ['it is another one', ['a', 'b', 'd'], true],
    ['it is beside the end', ['a', 'b', 'cc'], true],
    ['it is below another one', ['a', 'bb', 'c'], true],
    ['its labels only look alike', ['a', 'b', bytes('c')], true],
    ['its labels run together alike', ['a', 'bc'], true],
    ['not if it is the same', ['a', 'b', 'c'], false],
    ['not if it is below', ['a', 'b', 'c', 'd', 'e'], false],
    ['not if it is above', ['a', 'b'], false],
    ['not if it is the top', ['a'], false],
    ['not if it is above everything', [], false],
  ])('%s', async (_, path, verdict) => {
    const { client } = await newClient();
    expect(await client.call('lock', 'me', 10, [held])).toEqual([true, null]);
    expect(await client.call('lock', 'me', 10, [tuple(...path)])).toEqual([verdict, verdict ? null : expect.stringMatching(/ is not lockable$/)]);
    expect(await client.call('readlock', [held])).toEqual(['me']);
  });

  test('nothing is locked, for the path above everything', async () => {
    const { client } = await newClient();
    expect(await client.call('lock', 'me', 10, [[]])).toEqual([true, null]);
    for (const path of [[], ['a'], [0], [tuple()], [null]]) {
      expect(await client.call('lock', 'you', 10, [path])).toEqual([false, expect.any(String)]);
    }
    expect(await client.call('unlock', 'me', [[]])).toEqual([true, null]);
    expect(await client.call('lock', 'you', 10, [['a']])).toEqual([true, null]);
  });
});

test('labels of any type and value are told apart', async () => {
  const { client } = await newClient();
  const labels = [
    'x', bytes('x'), 1, new CborFloat(1), 1.5, -1, 2 ** 60, true, false, null, '', bytes(''), tuple('x'), ['x'], tuple(), { x: 1 },
    Uuid.fromString('9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07'), 'x\0', '\xff'.repeat(300),
  ]; // prettier-ignore
  const paths = labels.map((label) => [label, label]);
  expect(await client.call('locksome', 'me', 10, paths)).toEqual([paths, null]);
  for (const [index, path] of paths.entries()) {
    expect(await client.call('unlock', 'me', [path])).toEqual([true, null]);
    const holders = paths.map((_, place) => (place > index ? 'me' : null));
    expect(await client.call('readlock', paths)).toEqual(holders);
  }
});

test('a call locks all its keys as if each were the only one, or one after another', async () => {
  const { client } = await newClient();
  const keys = [['a'], ['a', 'b'], ['a']];
  expect(await client.call('lock', 'me', 10, keys)).toEqual([true, null]);
  expect(await client.call('readlock', keys)).toEqual(['me', 'me', 'me']);
  expect(await client.call('renew', 'me', 20, keys)).toEqual([true, null]);
  expect(await client.call('unlock', 'me', keys)).toEqual([true, null]);
  expect(await client.call('locksome', 'me', 10, keys)).toEqual([[['a'], null, null], null]);
  expect(await client.call('lock', 'me', 10, [])).toEqual([true, null]);
  expect(await client.call('readlock', [])).toEqual([]);
});

test('a lock ends at its time, and no row of it stays for ever', async () => {
  const { client, namespace } = await newClient();
  const rows = async (): Promise<unknown> =>
    (await database.query(`select count(*)::integer as n from ${database.schema}.path_lock where namespace_id = $1`, [namespace.id]))[0];
  await client.call('lock', 'default', 0, [['a']]);
  await client.call('lock', 'short', 10, [['b']]);
  await client.call('lock', 'longest', 10_000_000, [['c']]);
  await client.call('lock', 'none', null, [['d']]);
  clock.advance(9_999);
  expect(await client.call('lock', 'you', 5, [['b', 'x']])).toEqual([false, expect.any(String)]);
  clock.advance(1);
  expect(await client.call('readlock', [['a'], ['b'], ['c'], ['d']])).toEqual(['default', null, 'longest', 'none']);
  expect(await client.call('renew', 'short', 5, [['b']])).toEqual([false, '("b") is not held']);
  expect(await client.call('lock', 'you', 5, [['b', 'x']])).toEqual([true, null]);
  expect(await rows()).toEqual({ n: 4 });
  clock.advance(50_000);
  expect(await client.call('readlock', [['a'], ['b', 'x'], ['c'], ['d']])).toEqual([null, null, 'longest', null]);
  expect(await client.call('lock', 'me', 5, [['a']])).toEqual([true, null]);
  expect(await rows()).toEqual({ n: 2 });
  clock.advance(1_000_000_000);
  expect(await client.call('readlock', [['c']])).toEqual([null]);
});

test('a lock that is renewed holds from then on', async () => {
  const { client } = await newClient();
  await client.call('lock', 'me', 10, [['a']]);
  clock.advance(9_000);
  expect(await client.call('renew', 'me', 10, [['a']])).toEqual([true, null]);
  clock.advance(9_000);
  expect(await client.call('readlock', [['a']])).toEqual(['me']);
  expect(await client.call('renew', 'you', 10, [['a']])).toEqual([false, '("a") is held by me']);
});

test('keys that are too long or too many are refused', async () => {
  const { client } = await newClient();
  expect(await client.refused('lock', 'me', 10, [['a'], ['x'.repeat(3_000)]])).toMatch(/^keys\[1\]: must be at most 2000 bytes long/);
  expect(await client.call('lock', 'me', 10, [['x'.repeat(1_900)]])).toEqual([true, null]);
  expect(await client.refused('readlock', Array.from({ length: 10_001 }, () => []))).toMatch(/^keys: must be at most 10000 key paths/);
});

test('several servers agree: of those who lock the same or overlapping paths at once, one gets them', async () => {
  const { client, namespace } = await newClient();
  const servers = await Promise.all([serve({ namespace: namespace.name }), serve({ namespace: namespace.name })]);
  const clients = await Promise.all(servers.flatMap((server) => [Client.connect(server), Client.connect(server), Client.connect(server)]));
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      clients.map((other, index) => other.call('lock', `${index}`, 10, [['round', round, ...Array.from({ length: index }, () => 'x')]])),
    );
    expect(answers.filter((answer) => (answer as unknown[])[0] === true)).toHaveLength(1);
    const some = await Promise.all(clients.map((other, index) => other.call('locksome', `${index}`, 10, [['some', round, 1], ['some', round, 2]])));
    expect(some.flatMap((answer) => (answer as [unknown[]])[0]).filter((path) => path !== null)).toHaveLength(2);
  }
  expect(await client.call('unlock', 'nobody', [['round', 0]])).toEqual([false, expect.any(String)]);
  for (const other of clients) other.close();
});

test('namespaces have locks of their own, which go with them', async () => {
  const one = await newClient();
  const two = await newClient();
  await one.client.call('lock', 'me', 10, [['a']]);
  expect(await two.client.call('lock', 'you', 10, [['a']])).toEqual([true, null]);
  await one.namespace.destroy();
  expect(await one.client.call('readlock', [['a']])).toEqual([null]);
  expect(await one.client.call('lock', 'you', 10, [['a']])).toEqual([true, null]);
  expect(await two.client.call('delete_namespace', 'b')).toBe(0);
  expect(await two.client.call('readlock', [['a']])).toEqual(['you']);
  await two.namespace.destroy();
  expect(await two.client.call('unlock', 'you', [['a']])).toEqual([false, '("a") is not held']);
  expect(await coordinate.namespace(two.namespace.name)).not.toMatchObject({ id: two.namespace.id });
});
