import { randomUUID } from 'node:crypto';
import type { Attempt, PostgresNamespace, WorkSpec } from 'pg-coordinate';
import { ManualClock } from 'pg-coordinate/testing';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { PostgresWorker } from '../../../src/core/worker/postgres-worker.js';
import type { AttemptRequest } from '../../../src/core/worker/attempt-request.js';
import { until } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { armed, longMs } from '../notify/waiting-worker.js';
import { countedOwnConnection } from '../producers/statements.js';

const database = await testDatabase();
const start = new Date('2031-05-06T07:08:09Z');
const clock = new ManualClock(start);
const coordinate = await database.connect({ clock });
/** Of another process, as far as the first one knows. */
const elsewhere = await database.connect({ clock });
let namespace: PostgresNamespace;
let spec: WorkSpec;
let worker: PostgresWorker;

beforeEach(async () => {
  clock.set(start);
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec' });
  worker = await namespace.worker('worker');
  return () => namespace.destroy();
});

interface Sleeper {
  /** What it was given since this was asked last. */
  given(): Promise<Attempt[]>;
  readonly offers: readonly number[];
  getUp(): void;
}

/** A worker that sleeps, with room for so many units. */
function sleeper(of: PostgresWorker, { room = 24, ...request }: AttemptRequest & { readonly room?: number } = {}): Sleeper {
  const offers: number[] = [];
  let promises: Promise<readonly Attempt[]>[] = [];
  const getUp = of.takeWhileIdle(
    { workSpecs: ['spec'], lifetimeMs: 60_000, ...request },
    {
      room: () => room,
      expect: (count, attempts) => {
        offers.push(count);
        promises.push(attempts);
      },
    },
  );
  return {
    offers,
    getUp,
    given: async () => {
      const all = (await Promise.all(promises)).flat();
      promises = [];
      return all;
    },
  };
}

/**
 * Until the connection of a coordinate listens, however long that takes: whoever subscribes then hears what he is told from the beginning,
 * and is not woken because it has just come to listen.
 */
async function untilListening({ bucket: { backend, schema } }: PostgresNamespace): Promise<void> {
  const unsubscribe = await backend.listener.subscribe(schema, () => undefined);
  onTestFinished(unsubscribe);
  await until('it listens', () => backend.listener.connected);
}

const names = (attempts: readonly Attempt[]): string[] => attempts.map(({ workUnit }) => workUnit.name);

describe('a worker that sleeps in the process that adds', () => {
  test('is given the unit as it is added, as an attempt like any other', async () => {
    const asleep = sleeper(worker);
    const unit = await spec.addWorkUnit('unit', { path: '/a' });
    const [attempt, ...others] = await asleep.given();
    expect(others).toEqual([]);
    expect(attempt).toMatchObject({
      data: { path: '/a' },
      status: 'pending',
      startTime: clock.now(),
      expirationTime: new Date(clock.now().getTime() + 60_000),
    });
    expect([attempt?.workUnit.workSpec.name, attempt?.workUnit.name]).toEqual(['spec', 'unit']);
    expect(await unit.status()).toBe('pending');
    expect(names(await worker.activeAttempts())).toEqual(['unit']);
    expect(await worker.requestAttempts({ workSpecs: ['spec'] })).toEqual([]);
    await attempt?.finish({ path: '/b' });
    expect(await unit.status()).toBe('finished');
    expect(await unit.data()).toEqual({ path: '/b' });
    expect(await worker.allAttempts()).toMatchObject([{ number: attempt?.number, status: 'finished' }]);
    asleep.getUp();
  });

  test('in one statement, by which it is also reported on in one', async () => {
    const connection = await countedOwnConnection(database);
    const own = await connection.coordinate.namespace(namespace.name);
    const asleep = sleeper(await own.worker('own'));
    const ownSpec = await own.workSpec('spec');
    connection.sentOf('');
    await ownSpec.addWorkUnit('unit', {});
    const [attempt] = await asleep.given();
    expect(connection.sentOf('')).toEqual(['work-unit.add-and-start']);
    await attempt?.finish();
    expect(connection.sentOf('attempt.')).toEqual(['attempt.end-placed']);
    asleep.getUp();
    await connection.close();
  });

  test('several that are added at once, in the order of priorities and names, and leaves nothing that waits', async () => {
    const asleep = sleeper(worker);
    await spec.addWorkUnits([
      { name: 'b', data: {} },
      { name: 'c', data: {}, meta: { priority: 3 } },
      { name: 'a', data: { large: 'x'.repeat(16_000) } },
    ]);
    const attempts = await asleep.given();
    expect(names(attempts)).toEqual(['c', 'a', 'b']);
    expect(attempts.map(({ data }) => Object.keys(data))).toEqual([[], ['large'], []]);
    expect(attempts.map(({ number }) => number)).toEqual(attempts.map(({ number }) => number).toSorted((a, b) => a - b));
    expect(await spec.countWorkUnitStatus()).toEqual({ pending: 3 });
    expect((await spec.meta({ counts: true })).availableCount).toBe(0);
    await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 3 });
    asleep.getUp();
  });

  test('loses it as any other when its lease ends', async () => {
    const asleep = sleeper(worker);
    const unit = await spec.addWorkUnit('unit', {});
    const [attempt] = await asleep.given();
    asleep.getUp();
    clock.advance(60_001);
    expect(await unit.status()).toBe('available');
    const [next] = await worker.requestAttempts({ workSpecs: ['spec'] });
    expect(next?.number).toBeGreaterThan(attempt?.number ?? Infinity);
    await expect(attempt?.finish()).rejects.toMatchObject({ code: 'NotPending' });
  });

  test('not once it has got up; and takes turns with others', async () => {
    const [one, other] = [sleeper(worker), sleeper(await namespace.worker('other'))];
    for (const name of ['a', 'b', 'c', 'd']) await spec.addWorkUnit(name, {});
    expect([names(await one.given()), names(await other.given())]).toEqual([['a', 'c'], ['b', 'd']]);
    one.getUp();
    for (const name of ['e', 'f']) await spec.addWorkUnit(name, {});
    expect([names(await one.given()), names(await other.given())]).toEqual([[], ['e', 'f']]);
    other.getUp();
    await spec.addWorkUnit('g', {});
    expect(await spec.countWorkUnitStatus()).toEqual({ pending: 6, available: 1 });
  });

  test('no more than it has room for, than are leased one by one, or than are read together', async () => {
    const asleep = sleeper(worker, { room: 2 });
    await spec.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
    const roomy = sleeper(await namespace.worker('roomy'), { room: 100 });
    await spec.addWorkUnits(Array.from({ length: 16 }, (_, index) => ({ name: `many ${index}`, data: {} })));
    await spec.addWorkUnit('large', { large: 'x'.repeat(20_000) });
    expect([asleep.offers, roomy.offers]).toEqual([[], []]);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 20 });
    asleep.getUp();
    roomy.getUp();
  });

  test('and keeps nobody waiting while its name is somebody else’s', async () => {
    const asleep = sleeper(worker);
    const client = await database.client();
    await client.query('begin');
    await spec.addWorkUnit('unit', { first: true }, {}, { client });
    const adding = spec.addWorkUnit('unit', { second: true });
    await until('it may be for the worker', () => asleep.offers.length === 1);
    expect(names(await asleep.given())).toEqual([]);
    await spec.setMeta({ priority: 5 });
    await client.query('commit');
    expect(await (await adding).data()).toEqual({ second: true });
    asleep.getUp();
  });

  test('whatever units specs have that it does not work for, or that are paused', async () => {
    const [other, paused] = [await namespace.setWorkSpec({ name: 'other' }), await namespace.setWorkSpec({ name: 'paused' })];
    await other.addWorkUnit('!', {});
    await paused.addWorkUnit('!', {});
    await paused.setMeta({ paused: true });
    const asleep = sleeper(worker, { workSpecs: ['spec', 'paused', 'none'] });
    await spec.addWorkUnit('unit', {});
    expect(names(await asleep.given())).toEqual(['unit']);
    asleep.getUp();
  });

  test('who follows the namespace is told of it, in order, and nobody who waits for work', async () => {
    const there = await elsewhere.namespace(namespace.name);
    await Promise.all([namespace, there].map(untilListening));
    const told: string[] = [];
    const events = namespace.events();
    await events.ready;
    const following = (async () => {
      for await (const { kind } of events) if (told.push(kind) === 2) break;
    })();
    const other = await armed(there);
    const asleep = sleeper(worker);
    await spec.addWorkUnit('unit', {});
    expect(names(await asleep.given())).toEqual(['unit']);
    await following;
    expect(told).toEqual(['added', 'started']);
    expect(await other.wait(0)).toBe('timeout');
    await other.close();
    asleep.getUp();
  });
});

describe('a unit is only added, and others are woken', () => {
  /** By what is the case. */
  const cases: Record<string, (of: { other: WorkSpec }) => Promise<{ request?: AttemptRequest } | undefined>> = {
    'if the spec is not one of its own': async () => ({ request: { workSpecs: ['other'] } }),
    'if the spec is paused': () => spec.setMeta({ paused: true }).then(() => undefined),
    'if the spec has no weight': () => spec.setMeta({ weight: 0 }).then(() => undefined),
    'if the number of those that run is limited': () => spec.setMeta({ maxRunning: 5 }).then(() => undefined),
    'if it needs more memory': async () => {
      await namespace.setWorkSpec({ name: 'spec', min_gb: 8 });
      return { request: { availableGb: 7 } };
    },
    'if it is of another runtime': async () => {
      await namespace.setWorkSpec({ name: 'spec', runtime: 'python' });
      return { request: { runtimes: ['node', ''] } };
    },
    'if another of the spec is available': () => spec.addWorkUnit('!', {}).then(() => undefined),
    'if many others of the spec are': () =>
      spec.addWorkUnits(Array.from({ length: 60 }, (_, index) => ({ name: `!${index}`, data: {} }))).then(() => undefined),
    'if one of another of its specs is': async ({ other }) => {
      await other.addWorkUnit('!', {});
      return { request: { workSpecs: ['spec', 'other'] } };
    },
    'if another of its specs can start a continuous one': async () => {
      await namespace.setWorkSpec({ name: 'other', continuous: true });
      return { request: { workSpecs: ['spec', 'other'] } };
    },
    'if a lease has run out': async ({ other }) => {
      await other.addWorkUnit('!', {});
      await worker.requestAttempts({ workSpecs: ['other'], lifetimeMs: 1 });
      clock.advance(2);
      return undefined;
    },
    'if a delay has passed': async ({ other }) => {
      await other.addWorkUnit('!', {}, { notBefore: new Date(clock.now().getTime() + 1) });
      clock.advance(1);
      return undefined;
    },
  };

  test.each(Object.entries(cases))('%s', async (_, prepare) => {
    const other = await namespace.setWorkSpec({ name: 'other' });
    const { request } = (await prepare({ other })) ?? {};
    const asleep = sleeper(worker, request);
    const unit = await spec.addWorkUnit('unit', {});
    expect(names(await asleep.given())).toEqual([]);
    expect(asleep.offers).toEqual([1]);
    expect(await unit.status()).toBe('available');
    // Not asked again before it has looked for work itself.
    await spec.addWorkUnit('next', {});
    expect(asleep.offers).toEqual([1]);
    asleep.getUp();
  });

  test('wherever they wait', async () => {
    const both = [namespace, await elsewhere.namespace(namespace.name)] as const;
    await Promise.all(both.map(untilListening));
    const [here, there] = [await armed(both[0]), await armed(both[1])];
    const asleep = sleeper(worker, { workSpecs: ['other'] });
    const waiting = [here.wait(longMs), there.wait(longMs)];
    await spec.addWorkUnit('unit', {});
    expect(asleep.offers).toEqual([1]);
    expect(await Promise.all(waiting)).toEqual(['notified', 'notified']);
    await Promise.all([here.close(), there.close()]);
    asleep.getUp();
  });

  test('if it is there already, or delayed', async () => {
    const unit = await spec.addWorkUnit('unit', { first: true });
    const [attempt] = await worker.requestAttempts();
    await attempt?.finish();
    const asleep = sleeper(worker);
    await spec.addWorkUnit('unit', { second: true });
    expect(names(await asleep.given())).toEqual([]);
    expect([await unit.status(), await unit.data()]).toEqual(['available', { second: true }]);
    const later = await spec.addWorkUnit('later', {}, { notBefore: new Date(clock.now().getTime() + 1) });
    expect(names(await asleep.given())).toEqual([]);
    expect(await later.status()).toBe('delayed');
    asleep.getUp();
  });

  test('if the server has crashed, before numbers were skipped that it may have forgotten', async () => {
    const asleep = sleeper(worker);
    await database.query(`delete from ${database.bucket}.no_crash_since`);
    await spec.addWorkUnit('unit', {});
    expect(names(await asleep.given())).toEqual([]);
    asleep.getUp();
    expect(names(await worker.requestAttempts())).toEqual(['unit']);
    const again = sleeper(worker);
    await spec.addWorkUnit('next', {});
    expect(names(await again.given())).toEqual(['next']);
    again.getUp();
  });

  test('if the spec is being changed', async () => {
    const asleep = sleeper(worker);
    const client = await database.client();
    await client.query('begin');
    await client.query(`update ${database.bucket}.work_spec set max_running = 1 where id = $1`, [(spec as unknown as { id: number }).id]);
    await spec.addWorkUnit('unit', {});
    await client.query('commit');
    expect(names(await asleep.given())).toEqual([]);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1 });
    asleep.getUp();
  });

  test('if it cannot be added', async () => {
    const asleep = sleeper(worker);
    await namespace.destroyWorkSpec('spec');
    await expect(spec.addWorkUnit('unit', {})).rejects.toMatchObject({ code: 'Gone' });
    expect(asleep.offers).toEqual([1]);
    expect(names(await asleep.given())).toEqual([]);
    asleep.getUp();
  });
});
