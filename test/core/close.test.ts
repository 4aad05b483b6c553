import pg from 'pg';
import { ClosedError, connect, type PostgresCoordinate } from 'pg-coordinate';
import { afterAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { caught } from '../database/caught.js';
import { untilWaiting } from '../database/until.js';
import { whileLocked } from './blocked.js';
import { everyFunction, makeObjects, methodsOf, publicFunctions, type Objects } from './public-functions.js';

const database = await testDatabase();
const application = `pg-coordinate test ${database.schema}`;
const pool = new pg.Pool({ connectionString: database.url, application_name: application });
afterAll(() => pool.end());

const kinds: [string, () => Promise<PostgresCoordinate>][] = [
  ['its own pool', () => database.connect({ pool: { max: 2 } })],
  ["a user's pool", () => connect(pool, { schema: database.schema })],
];

test('every function of every object is known to these tests', async () => {
  const objects = await makeObjects(await database.connect());
  for (const [kind, calls] of Object.entries(publicFunctions)) {
    // What is public of a class but not of its interface; and closing.
    const others = { namespace: ['checkExists'], coordinate: ['close'], worker: ['isDry', 'armAndLook', 'takeWhileIdle'], spec: [], unit: [], attempt: [] }[kind as keyof Objects];
    expect([...Object.keys(calls), ...others].toSorted(), kind).toEqual(methodsOf(objects[kind as keyof Objects]).toSorted());
  }
});

describe.each(kinds)('on %s, once closed', (_, connectTo) => {
  const connecting = connectTo().then(makeObjects);
  const closed = connecting.then(async (objects) => {
    await objects.coordinate.close();
    return objects;
  });

  test.each(everyFunction)('$name raises Closed', async ({ call }) => {
    const objects = await closed;
    const error = await caught((async () => call(objects))());
    expect(error).toBeInstanceOf(ClosedError);
    expect(error).toMatchObject({ code: 'Closed' });
  });

  test('an operation that is to join a transaction raises Closed', async () => {
    const { spec, attempt } = await closed;
    const client = await database.client();
    expect(await caught(spec.addWorkUnit('late', {}, {}, { client }))).toBeInstanceOf(ClosedError);
    expect(await caught(attempt.finish({}, { client }))).toBeInstanceOf(ClosedError);
    expect(await caught(attempt.requireHeld({ client }))).toBeInstanceOf(ClosedError);
  });

  test('it may be closed again, and by `await using`', async () => {
    const { coordinate } = await closed;
    await Promise.all([coordinate.close(), coordinate.close()]);
    await coordinate[Symbol.asyncDispose]();
    expect(await caught(coordinate.namespaces())).toBeInstanceOf(ClosedError);
  });
});

describe.each(kinds)('on %s, closing', { timeout: 20_000 }, (_, connectTo) => {
  test('waits for what is under way, which comes to its end', async () => {
    const { coordinate, namespace, spec } = await makeObjects(await connectTo());
    let isClosed = false;
    const [adding, closing] = await whileLocked(database, 'work_unit', async () => {
      const underWay = spec.addWorkUnits([{ name: 'last', data: {} }]);
      await untilWaiting(database);
      const waiting = coordinate.close().then(() => {
        isClosed = true;
      });
      // Time enough for one that does not wait.
      await database.query('select 1');
      expect(isClosed, 'closed while an operation was under way').toBe(false);
      return [underWay, waiting];
    });
    expect(await adding).toBe(1);
    await closing;
    const again = await (await database.connect()).namespace(namespace.name);
    expect(await (await again.workSpec('spec')).countWorkUnitStatus()).toMatchObject({ available: 1, pending: 1 });
  });

  test('keeps out whatever comes after it was asked for, though it has not ended', async () => {
    const { coordinate, spec } = await makeObjects(await connectTo());
    const closing = coordinate.close();
    expect(await caught(spec.addWorkUnit('late', {}))).toBeInstanceOf(ClosedError);
    await closing;
  });

  test('several times at once is the same as once', async () => {
    const coordinate = await connectTo();
    await coordinate.namespaces();
    await Promise.all([coordinate.close(), coordinate.close(), coordinate[Symbol.asyncDispose]()]);
  });

  test('before anything was done is no trouble', async () => {
    await using coordinate = await connectTo();
    await coordinate.close();
  });
});

test('closing leaves nobody waiting who has no connection yet', { timeout: 20_000 }, async () => {
  const { coordinate, spec } = await makeObjects(await database.connect({ pool: { max: 1 } }));
  const [operations, closing] = await whileLocked(database, 'work_unit', async () => {
    const underWay = [1, 2, 3].map((n) => spec.addWorkUnit(`unit ${n}`, {}).then(() => 'done', (error: unknown) => error));
    await untilWaiting(database);
    return [underWay, coordinate.close()];
  });
  const outcomes = await Promise.all(operations);
  await closing;
  for (const outcome of outcomes) expect(outcome === 'done' || outcome instanceof ClosedError, String(outcome)).toBe(true);
});

test('closing leaves a pool of the user’s as it was', async () => {
  const own = new pg.Pool({ connectionString: database.url, application_name: application });
  const before = own.eventNames().map((name) => [name, own.listenerCount(name)]);
  for (let round = 0; round < 3; round++) {
    const coordinate = await connect(own, { schema: database.schema });
    await coordinate.namespaces();
    await coordinate.close();
  }
  expect(own).toMatchObject({ ended: false, ending: false });
  expect(own.idleCount).toBe(own.totalCount);
  expect(own.eventNames().map((name) => [name, own.listenerCount(name)])).toEqual(before);
  expect((await own.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await own.end();
});

test('closing ends every connection of its own', async () => {
  const coordinate = await database.connect({ pool: { application_name: 'to be closed' } });
  await Promise.all(Array.from({ length: 4 }, () => coordinate.namespaces()));
  await coordinate.close();
  const left = async (): Promise<number> =>
    (await database.query('select from pg_stat_activity where application_name = $1', ['to be closed'])).length;
  await expect.poll(left, { timeout: 10_000 }).toBe(0);
});

test('a pool that the user has ended is said to be so', async () => {
  const own = new pg.Pool({ connectionString: database.url, application_name: application });
  const coordinate = await connect(own, { schema: database.schema });
  await own.end();
  expect(await caught(coordinate.namespaces())).toMatchObject({ code: 'CannotConnect', details: { target: 'the given pool' } });
  await coordinate.close();
});
