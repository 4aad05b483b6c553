import { CoordinateError, InvalidArgumentError } from 'pg-coordinate';
import { beforeAll, describe, expect, test } from 'vitest';
import { caught } from '../database/caught.js';
import { testDatabase } from '../support/database.js';
import { dump } from './dump.js';
import { makeObjects, type Objects } from './public-functions.js';

/*
 * What the conformance suite does not reach (src/testing/conformance/bad-arguments.ts): each call is refused with the name of the
 * argument, and not a row of any table changes.
 */

const database = await testDatabase();
let objects: Objects;
beforeAll(async () => {
  objects = await makeObjects(await database.connect());
});

type Call = (argument: never, of: Objects) => unknown;

async function expectRefused(call: Call, argument: unknown, field: string): Promise<void> {
  const before = await dump(database);
  // Being async, it turns what is thrown at once into a rejection too.
  const error = await caught((async () => call(argument as never, objects))());
  expect(error, String(error)).toBeInstanceOf(InvalidArgumentError);
  expect(String((error as InvalidArgumentError).details.field)).toMatch(new RegExp(`(^|[.\\]])${field}($|[.[])`));
  expect(await dump(database)).toEqual(before);
}

const dataCalls: Readonly<Record<string, Call>> = {
  'namespace.setWorkSpec': (data, { namespace }) => namespace.setWorkSpec({ name: 'new', more: data }),
  'spec.setData': (data, { spec }) => spec.setData({ name: 'spec', more: data }),
  'spec.addWorkUnit': (data, { spec }) => spec.addWorkUnit('unit', { more: data }),
  'spec.addWorkUnits': (data, { spec }) => spec.addWorkUnits([{ name: 'new', data: {} }, { name: 'unit', data: { more: data } }]),
  'worker.update': (data, { worker }) => worker.update({ data: { more: data } }),
  'attempt.renew': (data, { attempt }) => attempt.renew(1_000, { more: data }),
  'attempt.expire': (data, { attempt }) => attempt.expire({ more: data }),
  'attempt.finish': (data, { attempt }) => attempt.finish({ more: data }),
  'attempt.fail': (data, { attempt }) => attempt.fail({ more: data }),
  'attempt.retry': (data, { attempt }) => attempt.retry({ more: data }),
  'namespace.finishAll': (data, { namespace, attempt }) => namespace.finishAll([{ attempt, data: { more: data } }]),
  'namespace.renewAll': (data, { namespace, attempt }) => namespace.renewAll([{ attempt, data: { more: data } }]),
};

const circularObject: Record<string, unknown> = { deep: { deeper: {} } };
(circularObject.deep as Record<string, unknown>).deeper = circularObject;
const circularList: unknown[] = [];
circularList.push([circularList]);
const circularMap = new Map<string, unknown>();
circularMap.set('self', circularMap);
let deep: unknown = 0;
for (let depth = 0; depth < 100_000; depth++) deep = [deep];

describe('data that cannot be stored', () => {
  describe.each(Object.entries(dataCalls))('are refused by %s:', (_, call) => {
    test.each([
      ['an object that holds itself', circularObject],
      ['a list that holds itself', circularList],
      ['a map that holds itself', circularMap],
      ['an endless depth', deep],
      ['a function', () => 1],
      ['a class', class Unknown {}],
      ['an object of a class', new (class Unknown {})()],
      ['a symbol', Symbol('s')],
      ['a promise', Promise.resolve(1)],
      ['an invalid date', new Date(Number.NaN)],
      ['half of a surrogate pair', '\ud83d'],
      ['half of a surrogate pair as a key', { ['\udc00']: 1 }],
      ['an integer beyond 64 bits', 2n ** 64n],
    ])('%s', (__, data) => expectRefused(call, data, 'data'));
  });
});

describe('names', () => {
  const long = 'x'.repeat(1_001);
  const longInBytes = 'é'.repeat(501);
  const nameCalls: Readonly<Record<string, [Call, field: string]>> = {
    'coordinate.namespace': [(name, { coordinate }) => coordinate.namespace(name), 'name'],
    'namespace.setWorkSpec': [(name, { namespace }) => namespace.setWorkSpec({ name }), 'name'],
    'namespace.workSpec': [(name, { namespace }) => namespace.workSpec(name), 'name'],
    'namespace.destroyWorkSpec': [(name, { namespace }) => namespace.destroyWorkSpec(name), 'name'],
    'namespace.worker': [(name, { namespace }) => namespace.worker(name), 'name'],
    'namespace.workers': [(start, { namespace }) => namespace.workers({ start }), 'start'],
    'spec.addWorkUnit': [(name, { spec }) => spec.addWorkUnit(name, {}), 'name'],
    'spec.addWorkUnits': [(name, { spec }) => spec.addWorkUnits([{ name: 'new', data: {} }, { name, data: {} }]), 'name'],
    'spec.workUnit': [(name, { spec }) => spec.workUnit(name), 'name'],
    'spec.workUnits by name': [(name, { spec }) => spec.workUnits({ names: [name] }), 'names'],
    'spec.workUnits after a name': [(previousName, { spec }) => spec.workUnits({ previousName }), 'previousName'],
    'spec.deleteWorkUnits': [(name, { spec }) => spec.deleteWorkUnits({ names: ['unit', name] }), 'names'],
    'worker.requestAttempts of specs': [(name, { worker }) => worker.requestAttempts({ workSpecs: [name] }), 'workSpecs'],
    'worker.requestAttempts of runtimes': [(name, { worker }) => worker.requestAttempts({ runtimes: [name] }), 'runtimes'],
  };
  describe.each(Object.entries(nameCalls))('are refused by %s:', (_, [call, field]) => {
    test.each([
      ['of 1,001 letters', long],
      ['of 501 letters that are 1,002 bytes', longInBytes],
      ['with half of a surrogate pair', 'a\ud800b'],
      ['that are no text', Symbol('name')],
      ['that are a number', 7],
    ])('%s', (__, name) => {
      // A definition's own rules about its name have errors of their own.
      if (call === nameCalls['namespace.setWorkSpec']![0] && typeof name !== 'string') return;
      return expectRefused(call, name, field === 'name' ? '(data\\.)?name' : field);
    });
  });

  test('of a thousand bytes are none too long', async () => {
    const { coordinate } = objects;
    const name = 'é'.repeat(500);
    const namespace = await coordinate.namespace(name);
    const spec = await namespace.setWorkSpec({ name });
    const unit = await spec.addWorkUnit(name, {});
    const worker = await namespace.worker(name);
    expect((await worker.requestAttempts({ workSpecs: [name] })).map(({ workUnit }) => workUnit.name)).toEqual([name]);
    expect(unit.key).toHaveLength(1_000);
    await namespace.destroy();
  });
});

describe('transaction()', () => {
  test.each([
    ['body', 5, undefined],
    ['body', undefined, undefined],
    ['body', null, undefined],
    ['body', { query: 1 }, undefined],
    ['settings', async () => undefined, 5],
    ['settings', async () => undefined, null],
    ['settings', async () => undefined, 'serializable'],
    ['isolation', async () => undefined, { isolation: 5 }],
    ['isolation', async () => undefined, { isolation: 'read uncommitted' }],
    ['isolation', async () => undefined, { isolation: 'serializable; select 1' }],
    ['isolatoin', async () => undefined, { isolatoin: 'serializable' }],
    ['signal', async () => undefined, { signal: 5 }],
    ['signal', async () => undefined, { signal: new AbortController() }],
  ])('refuses a bad %s', (field, body, settings) =>
    expectRefused((_, { coordinate }) => coordinate.transaction(body as never, settings as never), undefined, field),
  );
});

describe('a client', () => {
  const clientCalls: Readonly<Record<string, Call>> = {
    'spec.addWorkUnit': (client, { spec }) => spec.addWorkUnit('new', {}, {}, { client }),
    'spec.addWorkUnits': (client, { spec }) => spec.addWorkUnits([{ name: 'new', data: {} }], { client }),
    'spec.addWorkUnits of none': (client, { spec }) => spec.addWorkUnits([], { client }),
    'attempt.finish': (client, { attempt }) => attempt.finish({}, { client }),
    'attempt.fail': (client, { attempt }) => attempt.fail({}, { client }),
    'attempt.retry': (client, { attempt }) => attempt.retry({}, 0, { client }),
    'attempt.requireHeld': (client, { attempt }) => attempt.requireHeld({ client }),
    'namespace.finishAll': (client, { namespace, attempt }) => namespace.finishAll([{ attempt }], { client }),
    'namespace.failAll': (client, { namespace, attempt }) => namespace.failAll([{ attempt }], { client }),
  };
  const optionCalls: Readonly<Record<string, (options: never, of: Objects) => unknown>> = {
    'spec.addWorkUnits': (options, { spec }) => spec.addWorkUnits([{ name: 'new', data: {} }], options),
    'attempt.finish': (options, { attempt }) => attempt.finish({}, options),
    'attempt.retry': (options, { attempt }) => attempt.retry({}, 0, options),
    'namespace.finishAll': (options, { namespace, attempt }) => namespace.finishAll([{ attempt }], options),
    'attempt.requireHeld': (options, { attempt }) => attempt.requireHeld(options),
  };

  describe.each(Object.entries(clientCalls))('for %s', (_, call) => {
    test.each([
      ['null', null],
      ['a number', 5],
      ['an empty object', {}],
      ['an object whose query is no function', { query: 'select 1' }],
    ])('cannot be %s', (__, client) => expectRefused(call, client, 'client'));

    const mine = new Error('mine');
    test.each<[string, () => unknown]>([
      [
        'throws',
        () => {
          throw mine;
        },
      ],
      ['rejects', () => Promise.reject(mine)],
    ])('that %s is heard, and asked no more', async (__, query) => {
      const before = await dump(database);
      let asked = 0;
      const client = {
        query: (): unknown => {
          asked++;
          return query();
        },
      };
      // Adding nothing asks nothing of it.
      const error = await (async () => call(client as never, objects))().then(() => mine, (raised: unknown) => raised);
      expect(error).toBe(mine);
      expect(asked).toBeLessThanOrEqual(1);
      expect(await dump(database)).toEqual(before);
    });

    test.each(['40001', '40P01'])('that says %s is not asked again: the transaction is the caller’s', async (code) => {
      let asked = 0;
      const collided = Object.assign(new Error('collided'), { code });
      const client = {
        query: async (): Promise<never> => {
          asked++;
          throw collided;
        },
      };
      const error = await (async () => call(client as never, objects))().then(() => collided, (raised: unknown) => raised);
      expect(error).toBe(collided);
      expect(asked).toBeLessThanOrEqual(1);
    });
  });

  describe.each(Object.entries(optionCalls))('in the options of %s', (_, call) => {
    test.each([5, 'client', null, []])('which cannot be %o', async (options) => {
      await expectRefused(call, options, 'options');
    });
    test('is not to be misspelt', () => expectRefused(call, { cleint: {} }, 'cleint'));
  });

  test('is needed to require that an attempt is held', async () => {
    await expectRefused((_, { attempt }) => attempt.requireHeld({} as never), undefined, 'client');
    await expectRefused((_, { attempt }) => attempt.requireHeld(undefined as never), undefined, 'client');
  });
});

describe('a list with holes', () => {
  const holes: never[] = [];
  holes.length = 2;
  const listCalls: Readonly<Record<string, [Call, field: string]>> = {
    'spec.addWorkUnits': [(units, { spec }) => spec.addWorkUnits(units), 'units'],
    'spec.workUnits by name': [(names, { spec }) => spec.workUnits({ names }), 'names'],
    'spec.workUnits by status': [(statuses, { spec }) => spec.workUnits({ statuses }), 'statuses'],
    'spec.deleteWorkUnits': [(statuses, { spec }) => spec.deleteWorkUnits({ statuses }), 'statuses'],
    'worker.requestAttempts of specs': [(workSpecs, { worker }) => worker.requestAttempts({ workSpecs }), 'workSpecs'],
    'worker.requestAttempts of runtimes': [(runtimes, { worker }) => worker.requestAttempts({ runtimes }), 'runtimes'],
    'namespace.finishAll': [(reports, { namespace }) => namespace.finishAll(reports), 'reports'],
    'namespace.renewAll': [(reports, { namespace }) => namespace.renewAll(reports), 'reports'],
  };
  test.each(Object.entries(listCalls))('is refused by %s', (_, [call, field]) => expectRefused(call, holes, field));
});

test('a status that cannot be made text is refused like any other', () =>
  expectRefused((statuses, { spec }) => spec.workUnits({ statuses }), [Object.create(null)], 'statuses'));

test('objects that only look like ours are refused', async () => {
  const before = await dump(database);
  const { namespace, worker, unit, attempt } = objects;
  const alike = <T extends object>(object: T): T => ({ ...object });
  const calls: (() => Promise<unknown>)[] = [
    () => worker.makeAttempt(alike(unit)),
    () => worker.setParent(alike(worker)),
    () => namespace.finishAll([{ attempt: alike(attempt) }]),
    () => namespace.renewAll([{ attempt: alike(attempt) }]),
  ];
  for (const call of calls) {
    const error = await caught(call());
    expect(error, call.toString()).toBeInstanceOf(CoordinateError);
    expect(error).toMatchObject({ code: 'WrongBackend' });
  }
  expect(await dump(database)).toEqual(before);
});
