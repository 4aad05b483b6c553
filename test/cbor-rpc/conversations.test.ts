import { describe, expect, test } from 'vitest';
import { CborFloat, CborSimple, PythonTuple, Uuid } from '../../src/codec/index.js';
import { methodTable } from '../../src/cbor-rpc/method-table.js';
import { answerOf, bytes, request, tuple, type Client } from './client.js';
import { served } from './served.js';

/*
 * Conversations with the bytes in both directions, as they were once recorded and compared with the protocol. A difference is a difference on the
 * wire, which clients will notice: look at it before you record it anew (vitest -u).
 */

const { client: newClient, clock } = await served();
const uuid = Uuid.fromString('9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07');
const none = {};

type Step = readonly [method: string, ...params: unknown[]] | { readonly wait: number };

/** Every method, most of them with what they refuse. */
const conversations: Readonly<Record<string, readonly Step[]>> = {
  'work-specs': [
    ['now'],
    ['list_work_specs', none],
    ['get_work_spec', bytes('spec')],
    ['set_work_spec', { name: bytes('spec'), module: bytes('os.path'), run_function: 'join', nice: 5, min_gb: 0.5, desc: 'naïve' }],
    ['set_work_spec', { name: 'abc', continuous: true, interval: 60, weight: 1, max_running: 3, disabled: true }],
    ['set_work_spec', { desc: 'nothing' }],
    ['set_work_spec', { name: 5 }],
    ['set_work_spec', { name: '' }],
    ['set_work_spec', { name: new Uint8Array([0xff]) }],
    ['set_work_spec', [1]],
    ['get_work_spec', 'spec'],
    ['get_work_spec', 5],
    ['list_work_specs', none],
    ['list_work_specs', { limit: 1 }],
    ['list_work_specs', { start: bytes('spec'), limit: 1 }],
    ['list_work_specs', { limit: 'one' }],
    ['get_work_spec_meta', 'abc'],
    ['get_work_spec_meta', 'spec'],
    ['get_work_spec_meta', 'nix'],
    ['control_work_spec', bytes('abc'), { status: 1, continuous: false, interval: 2.9, weight: 7, max_running: 4, unknown: 1 }],
    ['get_work_spec_meta', 'abc'],
    ['control_work_spec', 'abc', { Status: 2, WEIGHT: null, [`max_running`]: new CborFloat(2) }],
    ['get_work_spec_meta', 'abc'],
    ['control_work_spec', 'spec', { continuous: true }],
    ['control_work_spec', 'spec', { status: 'paused' }],
    ['control_work_spec', 'spec', { continuous: 1 }],
    ['control_work_spec', 'nix', none],
    ['del_work_spec', 'abc'],
    ['del_work_spec', 'abc'],
    ['clear'],
    ['clear'],
  ],
  'work-units': [
    ['add_work_units', 'spec', ['a']],
    ['set_work_spec', { name: 'spec' }],
    [
      'add_work_units',
      bytes('spec'),
      [
        bytes('a'),
        tuple(bytes('b'), { text: 't', [`bytes`]: bytes('b'), int: 1, float: new CborFloat(1), tuple: tuple(1, tuple(2)), uuid, none: null, list: [] }),
        ['c', none, { priority: 2, delay: 5.7 }],
        tuple(new Uint8Array([0, 255]), none, null, 1.5),
        tuple('d', none, { priority: 2 }, null),
      ],
    ],
    ['add_work_units', 'spec', [5]],
    ['add_work_units', 'spec', [tuple('only')]],
    ['add_work_units', 'spec', [tuple('e', none, { priority: 'high' })]],
    ['add_work_units', 'spec', [tuple('e', none, null, 'high')]],
    ['add_work_units', 'spec', [tuple(5, none)]],
    ['add_work_units', 'spec', [tuple('e', [])]],
    ['add_work_units', 'spec', [tuple('', none)]],
    ['add_work_units', 'spec', 'e'],
    ['count_work_units', 'spec'],
    ['get_work_units', 'spec', none],
    ['get_work_units', 'spec', { limit: 1 }],
    ['get_work_units', 'spec', { start: bytes('b'), limit: 1 }],
    ['get_work_units', 'spec', { work_unit_keys: ['d', 'nix', bytes('a')], state: 4 }],
    ['get_work_units', 'spec', { state: 1, start: 'a' }],
    ['get_work_units', 'spec', { state: tuple(3, 4) }],
    ['get_work_units', 'spec', { state: 2 }],
    ['get_work_units', 'nix', none],
    ['get_work', 'worker', none],
    ['update_work_unit', 'spec', 'd', { status: 5, data: { traceback: 'it broke' } }],
    ['get_work', 'worker', none],
    ['get_work_unit_status', 'spec', [bytes('a'), 'c', 'd', 'nix', new Uint8Array([0, 255])]],
    ['get_work_unit_status', 'spec', tuple('a')],
    ['get_work_unit_status', 'spec', 'a'],
    ['get_work_unit_status', 'nix', []],
    ['count_work_units', 'spec'],
    ['count_work_units', 'nix'],
    ['prioritize_work_units', 'spec', { work_unit_keys: ['a', 'nix'], priority: 9 }],
    ['prioritize_work_units', 'spec', { work_unit_keys: ['b'], adjustment: 10.5, priority: null }],
    ['prioritize_work_units', 'spec', { work_unit_keys: ['b'] }],
    ['prioritize_work_units', 'spec', { priority: 1 }],
    ['prioritize_work_units', 'spec', { work_unit_keys: ['b'], priority: 'high' }],
    ['prioritize_work_units', 'nix', none],
    ['get_work', 'worker', { max_jobs: 2 }],
    ['del_work_units', 'spec', none],
    ['del_work_units', 'spec', { work_unit_keys: ['d', 'c'], state: 5 }],
    ['del_work_units', 'spec', { state: 3 }],
    ['del_work_units', 'spec', { state: 9 }],
    ['get_work_units', 'spec', none],
    ['del_work_units', 'spec', { work_unit_keys: ['nix'] }],
    ['del_work_units', 'spec', { all: true }],
    ['del_work_units', 'nix', { all: true }],
    ['archive', none],
  ],
  'doing-work': [
    ['get_work', 'one', none],
    ['get_work', 'one', { max_jobs: 2 }],
    ['set_work_spec', { name: 'spec', then: 'next', min_gb: 1 }],
    ['set_work_spec', { name: 'next' }],
    ['set_work_spec', { name: 'go', runtime: 'go' }],
    ['add_work_units', 'go', ['not for us']],
    ['add_work_units', 'spec', ['a', 'b', 'c', 'd'].map((key) => tuple(key, { n: 1 }))],
    ['get_work', bytes('one'), { available_gb: 0.5 }],
    ['get_work', 'one', { work_spec_names: ['next'] }],
    ['get_work', 'one', { available_gb: 2, lease_time: 60, max_jobs: 1, work_spec_names: null }],
    ['get_work', 'one', { max_jobs: 'two' }],
    ['get_work_unit_status', 'spec', ['a']],
    ['update_work_unit', 'spec', 'a', { lease_time: 100, data: { n: 2 }, worker_id: 'somebody' }],
    ['get_work_unit_status', 'spec', ['a']],
    ['get_work_units', 'spec', { work_unit_keys: ['a'] }],
    ['update_work_unit', 'spec', 'a', { status: 2 }],
    ['update_work_unit', 'spec', 'a', { status: 1 }],
    ['get_work_units', 'spec', { work_unit_keys: ['a'] }],
    ['update_work_unit', 'spec', 'a', none],
    ['update_work_unit', 'spec', 'a', { status: 2 }],
    ['update_work_unit', 'spec', 'a', { data: { n: 3 } }],
    ['get_work_units', 'spec', { work_unit_keys: ['a'] }],
    ['update_work_unit', 'spec', 'a', { status: 3, worker_id: 'two', lease_time: 0 }],
    ['get_work_unit_status', 'spec', ['a']],
    ['update_work_unit', 'spec', 'a', { status: 4, data: { output: { 'x': { from: 'a' } } } }],
    ['get_work_units', 'next', none],
    ['update_work_unit', 'spec', 'a', { status: 5 }],
    ['update_work_unit', 'spec', 'a', { status: 3 }],
    ['update_work_unit', 'spec', 'a', { status: 1 }],
    ['update_work_unit', 'spec', 'b', { status: 5, data: { traceback: 'no' } }],
    ['update_work_unit', 'spec', 'b', none],
    ['update_work_unit', 'spec', 'b', { status: 3 }],
    ['update_work_unit', 'spec', 'b', { status: 4, data: { n: 4 } }],
    ['get_work_units', 'spec', { state: 4 }],
    ['update_work_unit', 'spec', 'c', { status: 5 }],
    ['update_work_unit', 'spec', 'c', { status: 1 }],
    ['update_work_unit', 'spec', 'nix', none],
    ['update_work_unit', 'nix', 'a', none],
    ['update_work_unit', 'spec', 'a', { data: 'none' }],
    ['get_work', 'one', { max_jobs: 2, work_spec_names: [bytes('spec')] }],
    ['worker_heartbeat', 'one', 'run', 60, null, 'parent'],
    ['worker_heartbeat', 'idle', 'run', 60, null, bytes('parent')],
    ['get_child_work_units', 'parent'],
    ['get_child_work_units', 'nobody'],
    ['get_child_work_units', 5],
  ],
  workers: [
    ['worker_stats'],
    ['worker_heartbeat', bytes('one'), bytes('run'), 60.9, { pid: 7, [`env`]: tuple('a', bytes('b')) }, null],
    ['worker_heartbeat', 'two', null, 30, null, 'one'],
    ['worker_heartbeat', 'three', 'idle', 90, none, ''],
    ['list_worker_modes'],
    ['mode_counts'],
    ['worker_stats'],
    ['get_worker_info', 'one'],
    ['get_worker_info', 'two'],
    ['get_worker_info', 'nobody'],
    { wait: 31_000 },
    ['list_worker_modes'],
    ['worker_unregister', 'three'],
    ['worker_unregister', 'nobody'],
    ['list_worker_modes'],
    ['mode_counts'],
    ['worker_stats'],
    ['worker_heartbeat', 5, 'run', 60, null, null],
    ['worker_heartbeat', 'one', 5, 60, null, null],
    ['worker_heartbeat', 'one', 'run', 'soon', null, null],
    ['worker_heartbeat', 'one', 'run', 60, 'data', null],
    ['worker_heartbeat', 'one', 'run', 60, null, 5],
  ],
  locks: [
    ['lock', 'me', 0, [tuple('a', 'b'), ['c']]],
    ['readlock', [['a', 'b'], tuple('c'), tuple('a'), [bytes('c')]]],
    ['lock', bytes('you'), 10, [['d'], ['a', 'b', 'x']]],
    ['lock', 'me', 10, [['a']]],
    ['readlock', [['d']]],
    ['locksome', 'you', 10, [['d'], ['a', 'c'], ['a', 'b'], tuple('d', 'e'), [bytes('c')]]],
    ['renew', 'you', 70, [['d']]],
    ['renew', 'you', 70, [['d'], ['a', 'b']]],
    ['renew', 'you', 70, [['nix']]],
    { wait: 60_000 },
    ['readlock', [['a', 'b'], ['d']]],
    ['unlock', 'me', [['d']]],
    ['unlock', 'you', [['d'], ['a', 'b']]],
    ['unlock', 'you', [['d']]],
    ['lock', 'me', 100, [['n', 1], ['n', new CborFloat(1)], ['n', '1'], ['m']]],
    ['delete_namespace', 'n'],
    ['readlock', [['n', 1], ['m']]],
    ['lock', 'me', 10, 'key'],
    ['lock', 'me', 10, ['key']],
    ['locksome', 'me', 10, 5],
    ['renew', 'me', 10, [5]],
    ['unlock', 'me', null],
    ['readlock', none],
    ['lock', 5, 10, []],
    ['lock', 'me', 'long', []],
  ],
  server: [
    ['now'],
    ['get_config'],
    ['now', 1],
    ['get_work'],
    ['no_such_thing'],
    ['constructor'],
    ['__proto__', 1],
    ['archive', 5],
    ['get_worker_info', new CborSimple(23)],
    ['get_work_spec', new Uint8Array([0xff, 0xfe])],
  ],
};

describe('conversations', () => {
  test.each(Object.entries(conversations))('about %s are on the wire as they were recorded', async (name, steps) => {
    clock.set(new Date('2026-11-20T08:56:40Z'));
    const { client } = await newClient();
    const lines: string[] = [];
    for (const [index, step] of steps.entries()) {
      if ('wait' in step) {
        clock.advance(step.wait);
        lines.push(`wait ${step.wait / 1000} s`, '');
      } else {
        lines.push(...(await exchange(client, index, step)), '');
      }
    }
    await expect(lines.join('\n')).toMatchFileSnapshot(`conversations/${name}.txt`);
  });

  test('have every method', () => {
    const called = Object.values(conversations).flatMap((steps) => steps.map((step) => ('wait' in step ? '' : step[0])));
    expect([...methodTable.keys()].filter((method) => !called.includes(method))).toEqual([]);
  });
});

test('the example of the protocol', async () => {
  clock.set(new Date('2026-11-20T08:56:40Z'));
  const { client } = await newClient();
  client.socket.write(Buffer.from('d8185818a342696401466d6574686f64436e6f7746706172616d7380', 'hex'));
  expect((await client.next()).toString('hex')).toBe('d81851a24269640146726573756c741a6b000b48');
});

async function exchange(client: Client, id: number, [method, ...params]: readonly [string, ...unknown[]]): Promise<string[]> {
  const sent = request(id, method, params);
  client.socket.write(sent);
  const received = await client.next();
  const { result, error } = answerOf(received);
  return [
    `${method}(${params.map(show).join(', ')}) -> ${error === undefined ? show(result) : `error ${show(error.message)}`}`,
    `> ${sent.toString('hex')}`,
    `< ${received.toString('hex')}`,
  ];
}

/** Python's notation, more or less. */
function show(value: unknown): string {
  if (value instanceof PythonTuple) return `(${value.items.map(show).join(', ')})`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value instanceof Uint8Array) return `b${JSON.stringify(Buffer.from(value).toString('latin1'))}`;
  if (value instanceof CborFloat) return Number(value).toFixed(1);
  if (value instanceof CborSimple) return 'undefined';
  if (value instanceof Uuid) return `uuid ${value.toString()}`;
  if (value instanceof Map) return `{${[...value].map(([key, member]) => `${show(key)}: ${show(member)}`).join(', ')}}`;
  if (typeof value === 'object' && value !== null) return show(new Map(Object.entries(value)));
  return JSON.stringify(value);
}
