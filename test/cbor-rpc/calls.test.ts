import { describe, expect, test } from 'vitest';
import { CborSimple, Tagged, Uuid } from '../../src/codec/index.js';
import { beforeNextLook } from '../database/until.js';
import { bytes, Client, tuple } from './client.js';
import { served } from './served.js';

const { client: newClient, clock, serve, database } = await served();

describe('data come back', () => {
  const data = {
    text: 'naïve',
    bytes: new Uint8Array([0, 255]),
    int: -1,
    big: 2n ** 63n,
    float: 1.5,
    none: null,
    list: [],
    tuple: tuple('a', tuple(1)),
    uuid: Uuid.fromString('9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07'),
    nested: { ['__proto__']: 1, ints: new Map([[1, 'one'], [-2, 'two']]) },
  };

  test('of units, attempts, workers and work specs as they were sent', async () => {
    const { client } = await newClient();
    await client.call('set_work_spec', { name: 'spec', data });
    expect(await client.call('get_work_spec', 'spec')).toEqual({ name: 'spec', data });
    await client.call('add_work_units', 'spec', [tuple('unit', data)]);
    expect(await client.call('get_work_units', 'spec', {})).toEqual([[tuple(bytes('unit'), data)], null]);
    expect(await client.call('get_work', 'me', {})).toEqual([tuple('spec', bytes('unit'), data), null]);
    await client.call('update_work_unit', 'spec', 'unit', { data: { ...data, more: data } });
    expect(await client.call('get_work_units', 'spec', {})).toEqual([[tuple(bytes('unit'), { ...data, more: data })], null]);
    await client.call('worker_heartbeat', 'me', 'run', 60, data, null);
    expect(await client.call('get_worker_info', 'me')).toEqual([data, null]);
  });

  test('with text for the byte strings that were keys, at every depth', async () => {
    const { client } = await newClient();
    await client.call('set_work_spec', { name: 'spec' });
    const sent = new Map<unknown, unknown>([[bytes('a'), [new Map([[bytes('b'), tuple(new Map([[bytes('c'), bytes('d')]]))]])]]]);
    await client.call('add_work_units', 'spec', [tuple('unit', sent)]);
    expect(await client.call('get_work', 'me', {})).toEqual([tuple('spec', bytes('unit'), { a: [{ b: tuple({ c: bytes('d') }) }] }), null]);
  });

  test('without tags that the client could not read, where somebody else has put them', async () => {
    const { client, namespace } = await newClient();
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const when = new Date('2026-11-20T08:56:40.5Z');
    await spec.addWorkUnit('unit', { when, list: [1, { tagged: new Tagged(0, '2026') }], tuple: tuple(new CborSimple(23)), map: new Map([[1, when]]) });
    const read = { when: 1_795_165_000.5, list: [1, { tagged: '2026' }], tuple: tuple(null), map: new Map([[1, 1_795_165_000.5]]) };
    expect(await client.call('get_work', 'me', {})).toEqual([tuple('spec', bytes('unit'), read), null]);
  });

  test('not at all if their keys are no strings', async () => {
    const { client } = await newClient();
    await client.call('set_work_spec', { name: 'spec' });
    expect(await client.refused('add_work_units', 'spec', ['a', tuple('b', new Map([[1, 2]]))])).toBe(
      'work units[1] data: must be a map with strings for keys',
    );
    expect(await client.call('get_work_units', 'spec', {})).toEqual([[], null]);
  });
});

describe('units', () => {
  test('are read page by page, however many there are, and as many as asked for', async () => {
    const { client, namespace } = await newClient();
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const keys = Array.from({ length: 2_500 }, (_, index) => `unit ${String(index).padStart(5, '0')}`);
    await spec.addWorkUnits(keys.map((name) => ({ name, data: {} })));
    const read = async (options: object): Promise<string[]> => {
      const [units] = (await client.call('get_work_units', 'spec', options)) as [{ items: [Uint8Array] }[]];
      return units.map(({ items }) => Buffer.from(items[0]).toString());
    };
    expect(await read({})).toEqual(keys.slice(0, 1_000));
    expect(await read({ limit: 2_200 })).toEqual(keys.slice(0, 2_200));
    expect(await read({ limit: 10 ** 12 })).toEqual(keys);
    expect(await read({ limit: 10 ** 12, state: 1, start: keys[9] })).toEqual(keys.slice(10));
    expect(await read({ limit: 0 })).toEqual([]);
    expect(await read({ work_unit_keys: [...keys.toReversed(), ''] })).toEqual(keys);
    expect(await read({ start: bytes(''), limit: 1 })).toEqual(keys.slice(0, 1));
    const [states] = (await client.call('get_work_unit_status', 'spec', keys)) as [unknown[]];
    expect(states).toEqual(keys.map(() => ({ status: 1 })));
  });

  test('that would be more than an answer may hold are not read, and not handed out', async () => {
    const { client } = await newClient({ maxAnswerBytes: 100_000 });
    await client.call('set_work_spec', { name: 'spec', desc: 'x'.repeat(60_000) });
    await client.call('set_work_spec', { name: 'twin', desc: 'x'.repeat(60_000) });
    await client.call('add_work_units', 'spec', ['a', 'b', 'c'].map((key) => tuple(key, { text: 'x'.repeat(40_000) })));
    const tooLarge = 'the answer would be larger than the 100000 bytes it may have; ask for less at a time';
    expect(await client.refused('get_work_units', 'spec', {})).toBe(tooLarge);
    expect(await client.refused('list_work_specs', {})).toBe(tooLarge);
    expect(await client.call('list_work_specs', { limit: 1 })).toMatchObject([[{ name: 'spec' }], 'twin']);
    expect(await client.call('get_work_units', 'spec', { limit: 2 })).toMatchObject([{ length: 2 }, null]);
    expect(await client.call('get_work', 'me', { max_jobs: 3 })).toMatchObject([{ length: 2 }, null]);
    expect(await client.call('count_work_units', 'spec')).toEqual([new Map([[1, 1], [3, 2]]), null]);
    await client.call('worker_heartbeat', 'me', null, 60, null, 'parent');
    expect(await client.call('get_work', 'me', { max_jobs: 3 })).toMatchObject([{ length: 1 }, null]);
    expect(await client.refused('get_child_work_units', 'parent')).toBe(tooLarge);
    for (const key of ['a', 'b', 'c']) {
      await client.call('update_work_unit', 'spec', key, { status: 5, data: { traceback: 'x'.repeat(50_000) } });
    }
    expect(await client.refused('get_work_unit_status', 'spec', ['a', 'b', 'c'])).toBe(tooLarge);
    expect(await client.call('get_work_unit_status', 'spec', ['a'])).toMatchObject([[{ status: 5 }], null]);
  });

  test('have their delays counted in whole seconds', async () => {
    const { client, namespace } = await newClient();
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await client.call('add_work_units', 'spec', [tuple('a', {}, { delay: 5.9 }), tuple('b', null, { delay: -5 }), tuple('c', {}, { delay: 1e300 })]);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1, delayed: 2 });
    expect(await client.call('count_work_units', 'spec')).toEqual([new Map([[1, 3]]), null]);
    expect(await client.call('get_work_units', 'spec', { state: 1 })).toMatchObject([{ length: 3 }, null]);
    clock.advance(5_000);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 2, delayed: 1 });
  });

  test('keep their meta when their data are replaced', async () => {
    const { client, namespace } = await newClient();
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const notBefore = new Date(clock.now().getTime() + 60_000);
    const unit = await spec.addWorkUnit('a', { n: 1 }, { priority: 7.5, notBefore });
    expect(await client.call('update_work_unit', 'spec', 'a', { data: { n: 2 }, status: 1 })).toEqual([true, null]);
    expect(await unit.data()).toEqual({ n: 2 });
    expect(await unit.meta()).toEqual({ priority: 7.5, notBefore });
  });

  test('that end while their data are to be replaced do not run again', async () => {
    const { client, namespace } = await newClient();
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const unit = await spec.addWorkUnit('a', {});
    const blocker = await database.client();
    await blocker.query('begin');
    // What a report on the unit does, and does not commit yet.
    await blocker.query(`select from ${database.bucket}.work_unit where id = $1 for no key update`, [unit.id]);
    const updating = client.call('update_work_unit', 'spec', 'a', { data: { n: 2 } });
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%rpc.hold-unit%'`;
    while ((await database.query(waiting)).length === 0) await beforeNextLook();
    await blocker.query(`delete from ${database.bucket}.ready where unit_id = $1`, [unit.id]);
    await blocker.query(`update ${database.bucket}.work_unit set ended = 'finished', active_attempt = 999, attempts = 1 where id = $1`, [unit.id]);
    await blocker.query(
      `insert into ${database.bucket}.attempt (spec_id, unit_id, number, worker_id, status, started_at, ended_at, expires_at)
      select spec_id, id, 999, 1, 'finished', now(), now(), now() from ${database.bucket}.work_unit where id = $1`,
      [unit.id],
    );
    await blocker.query('commit');
    expect(await updating).toEqual([false, null]);
    expect(await unit.status()).toBe('finished');
  });
});

describe('work', () => {
  test.each<[unknown, number]>([
    [undefined, 300],
    [null, 300],
    [0.5, 300],
    [1, 1],
    [90.5, 90.5],
    [86_400, 86_400],
    [86_401, 300],
    [-1, 300],
  ])('has a lease of the lease_time asked for: %s', async (lease_time, seconds) => {
    const { client } = await newClient();
    await client.call('set_work_spec', { name: 'spec' });
    await client.call('add_work_units', 'spec', ['a']);
    await client.call('get_work', 'me', { ...(lease_time !== undefined && { lease_time }) });
    const [[state]] = (await client.call('get_work_unit_status', 'spec', ['a'])) as [[{ expiration: number }]];
    expect(state.expiration).toBe(Math.floor((clock.now().getTime() + seconds * 1000) / 1000));
  });

  test('whose lease has ended is given to the next who asks', async () => {
    const { client } = await newClient();
    await client.call('set_work_spec', { name: 'spec' });
    await client.call('add_work_units', 'spec', ['a']);
    await client.call('get_work', 'one', { lease_time: 10 });
    clock.advance(10_001);
    expect(await client.call('get_work_unit_status', 'spec', ['a'])).toEqual([[{ status: 1 }], null]);
    expect(await client.call('get_work', 'two', {})).toMatchObject([{ items: ['spec', bytes('a'), {}] }, null]);
  });

  test('is of one work spec, and of those named', async () => {
    const { client } = await newClient();
    for (const name of ['one', 'two']) {
      await client.call('set_work_spec', { name, priority: name === 'one' ? 1 : 0 });
      await client.call('add_work_units', name, ['a', 'b', 'c']);
    }
    const named = async (options: object): Promise<string[]> => {
      const [work] = (await client.call('get_work', 'me', options)) as [{ items: [string, Uint8Array] }[]];
      return work.map(({ items: [spec, key] }) => `${spec} ${Buffer.from(key).toString()}`);
    };
    expect(await named({ max_jobs: 2, work_spec_names: tuple(bytes('two'), 'nix') })).toEqual(['two a', 'two b']);
    expect(await named({ max_jobs: 10, work_spec_names: [] })).toEqual(['one a', 'one b', 'one c']);
    expect(await named({ MAX_JOBS: 2.9 })).toEqual(['two c']);
    expect(await named({ max_jobs: 10n ** 15n })).toEqual([]);
  });

  test('of children is shown to their parent with what the active attempt says, whoever has it', async () => {
    const { client, namespace } = await newClient();
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    const unit = await spec.addWorkUnit('a', { n: 1 });
    await client.call('worker_heartbeat', 'child', 'run', 60, null, 'parent');
    await client.call('get_work', 'child', {});
    await (await namespace.worker('thief')).makeAttempt(unit, 7_000);
    const expires = Math.floor((clock.now().getTime() + 7_000) / 1000);
    expect(await client.call('get_child_work_units', 'parent')).toEqual([
      { child: [{ work_spec_name: 'spec', work_unit_key: bytes('a'), work_unit_data: { n: 1 }, worker_id: 'thief', expires }] },
      null,
    ]);
    await unit.clearActiveAttempt();
    expect(await client.call('get_child_work_units', 'parent')).toEqual([{ child: [] }, null]);
    await client.call('worker_heartbeat', 'child', 'run', 60, null, null);
    expect(await client.call('get_child_work_units', 'parent')).toEqual([{}, null]);
  });

  test('may be reported on by anybody, also while others do', async () => {
    const { client, server } = await newClient();
    await client.call('set_work_spec', { name: 'spec' });
    await client.call('add_work_units', 'spec', ['a']);
    await client.call('get_work', 'me', {});
    const clients = await Promise.all(Array.from({ length: 8 }, () => Client.connect(server)));
    const answers = await Promise.all(clients.map((other) => other.call('update_work_unit', 'spec', 'a', { status: 4 })));
    expect(answers.filter((answer) => (answer as unknown[])[0] === true)).toHaveLength(1);
    expect(await client.call('count_work_units', 'spec')).toEqual([new Map([[4, 1]]), null]);
    for (const other of clients) other.close();
  });
});

describe('the namespace', () => {
  test('may be destroyed at any time: the server goes on with a new one', async () => {
    const { client, namespace } = await newClient();
    await client.call('set_work_spec', { name: 'spec' });
    await namespace.destroy();
    expect(await client.call('count_work_units', 'spec')).toEqual([null, 'No such work spec spec']);
    expect(await client.call('set_work_spec', { name: 'spec' })).toEqual([true, null]);
    expect(await client.call('add_work_units', 'spec', ['a'])).toEqual([true, null]);
  });

  test.each<[string, unknown[]]>([
    ['set_work_spec', [{ name: 'spec' }]],
    ['get_work_spec', ['spec']],
    ['list_work_specs', [{}]],
    ['del_work_spec', ['spec']],
    ['clear', []],
    ['control_work_spec', ['spec', {}]],
    ['add_work_units', ['spec', ['a']]],
    ['get_work_units', ['spec', {}]],
    ['del_work_units', ['spec', {}]],
    ['get_work', ['me', {}]],
    ['update_work_unit', ['spec', 'a', {}]],
    ['get_child_work_units', ['me']],
    ['worker_heartbeat', ['me', null, 60, null, 'parent']],
    ['worker_unregister', ['me']],
    ['get_worker_info', ['me']],
    ['list_worker_modes', []],
    ['lock', ['me', 10, [['a']]]],
    ['locksome', ['me', 10, [['a']]]],
    ['renew', ['me', 10, [['a']]]],
    ['unlock', ['me', [['a']]]],
    ['readlock', [[['a']]]],
    ['delete_namespace', ['a']],
  ])('that is gone makes no error of %s', async (method, params) => {
    const { client, namespace } = await newClient();
    await client.call('now');
    await namespace.destroy();
    await expect(client.call(method, ...params)).resolves.toBeDefined();
  });

  test('is "" unless another one is given', async () => {
    const server = await serve({ namespace: '' });
    const client = await Client.connect(server);
    await client.call('set_work_spec', { name: 'of nobody' });
    expect(await client.call('list_work_specs', {})).toEqual([[{ name: 'of nobody' }], null]);
    client.close();
  });
});
