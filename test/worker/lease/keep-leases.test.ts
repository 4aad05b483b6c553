import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Worker as Thread } from 'node:worker_threads';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../src/clock/index.js';
import type { Namespace } from '../../../src/index.js';
import { keepLeases } from '../../../src/worker/lease/index.js';
import { LoopLeaseKeeper } from '../../../src/worker/lease/loop-lease-keeper.js';
import { ThreadLeaseKeeper } from '../../../src/worker/lease/thread-lease-keeper.js';
import { openTransaction, soon } from '../../concurrency/waiting.js';
import { beforeNextLook } from '../../database/until.js';
import { memoryCoordinate } from '../../reference/index.js';
import { testDatabase } from '../../support/database.js';
import { attemptsOf, keeperOf, leaseEnds, lifetimeMs, threadConnections, Told, untilRenewed } from './holding.js';

const database = await testDatabase();
const coordinate = await database.connect();
const own = (): Promise<Namespace> => coordinate.namespace(randomUUID());

/** A lifetime for those who must not be warned: a thread complains of a server that does not answer within a third of it. */
const patientMs = 8_000;

test('leases are renewed again and again, and nobody else gets the units', async () => {
  const namespace = await own();
  const told = new Told();
  const keeper = await keeperOf(namespace, told, patientMs);
  expect(keeper).toBeInstanceOf(ThreadLeaseKeeper);
  const attempts = await attemptsOf(namespace, 'spec', 3, patientMs);
  for (const attempt of attempts) keeper.hold(attempt, Number.POSITIVE_INFINITY);
  // Each comes after a quarter of the lifetime at the soonest: the first leases have ended by then.
  await untilRenewed(database, attempts, 4);
  const other = await namespace.worker('other');
  expect(await other.requestAttempts({ workSpecs: ['spec'] })).toEqual([]);
  for (const attempt of attempts) await attempt.finish();
  expect([...told.lost, ...told.warnings]).toEqual([]);
});

test('many leases are renewed, more than fit in one statement or one piece of the table', async () => {
  const namespace = await own();
  const keeper = await keeperOf(namespace, new Told(), patientMs);
  const attempts = await attemptsOf(namespace, 'spec', 2_500, patientMs);
  for (const attempt of attempts) keeper.hold(attempt, Number.POSITIVE_INFINITY);
  await untilRenewed(database, attempts, 2);
});

test('what was released is renewed no more', async () => {
  const namespace = await own();
  const keeper = await keeperOf(namespace, new Told());
  const [held, released, both] = await attemptsOf(namespace, 'spec', 3);
  const before = await leaseEnds(database);
  for (const attempt of [held!, released!, both!]) keeper.hold(attempt, Number.POSITIVE_INFINITY);
  keeper.release(released!);
  keeper.release(released!);
  keeper.release(both!);
  keeper.hold(both!, Number.POSITIVE_INFINITY);
  await untilRenewed(database, [held!, both!]);
  expect((await leaseEnds(database)).get(released!.number)).toBe(before.get(released!.number));
});

test('an attempt that has had its time loses its lease, and its late report is refused', async () => {
  const namespace = await own();
  const told = new Told();
  const keeper = await keeperOf(namespace, told, 500);
  const [stuck] = await attemptsOf(namespace, 'spec', 1, 500);
  keeper.hold(stuck!, 10);
  const other = await namespace.worker('other');
  let taken = await other.requestAttempts({ workSpecs: ['spec'] });
  while (taken.length === 0) {
    await beforeNextLook();
    taken = await other.requestAttempts({ workSpecs: ['spec'] });
  }
  await expect(stuck!.renew()).rejects.toMatchObject({ code: 'NotPending' });
  await taken[0]!.finish();
  expect(told.lost.size).toBe(0);
});

test('onLost tells what has become of an attempt, once', async () => {
  const namespace = await own();
  const told = new Told();
  const keeper = await keeperOf(namespace, told, patientMs);
  const [cleared, superseded, failed, deleted, kept] = await attemptsOf(namespace, 'spec', 5, 60_000);
  for (const attempt of [cleared!, superseded!, failed!, deleted!, kept!]) keeper.hold(attempt, Number.POSITIVE_INFINITY);
  await cleared!.workUnit.clearActiveAttempt();
  await superseded!.workUnit.clearActiveAttempt();
  await (await namespace.worker('other')).requestAttempts({ workSpecs: ['spec'], numberOfWorkUnits: 5 });
  await failed!.fail();
  const spec = await namespace.workSpec('spec');
  await spec.deleteWorkUnits({ names: [deleted!.workUnit.name] });

  expect(await told.untilLost(cleared!)).toMatchObject({ code: 'LostLease' });
  expect(await told.untilLost(superseded!)).toMatchObject({ code: 'LostLease' });
  expect(await told.untilLost(failed!)).toMatchObject({ code: 'NotPending' });
  expect(await told.untilLost(deleted!)).toMatchObject({ code: 'Gone' });
  await untilRenewed(database, [kept!], 2);
  expect(told.lost.size).toBe(4);
  expect(told.warnings).toEqual([]);
});

test('a namespace that was destroyed takes all its attempts with it', async () => {
  const namespace = await own();
  const told = new Told();
  const keeper = await keeperOf(namespace, told);
  const attempts = await attemptsOf(namespace, 'spec', 2);
  for (const attempt of attempts) keeper.hold(attempt, Number.POSITIVE_INFINITY);
  await namespace.destroy();
  for (const attempt of attempts) expect(await told.untilLost(attempt)).toMatchObject({ code: 'Gone' });
});

test('an onLost that throws does not keep other leases from being renewed', async () => {
  const namespace = await own();
  const told = new Told();
  const onLost = (): never => {
    throw new Error('oh');
  };
  const keeper = await keepLeases({ namespace, lifetimeMs, onLost, logger: told.logger });
  onTestFinished(() => keeper.stop());
  const [lost, kept] = await attemptsOf(namespace, 'spec', 2);
  keeper.hold(lost!, Number.POSITIVE_INFINITY);
  keeper.hold(kept!, Number.POSITIVE_INFINITY);
  await lost!.finish();
  await told.untilWarned(/onLost\(\) threw: oh/);
  await untilRenewed(database, [kept!]);
});

test('a lease that a transaction of a caller has locked does not delay the others, and is not lost', async () => {
  const namespace = await own();
  const told = new Told();
  const keeper = await keeperOf(namespace, told);
  const [locked, free] = await attemptsOf(namespace, 'spec', 2);
  const client = await openTransaction(database);
  await locked!.finish({}, { client });
  keeper.hold(locked!, Number.POSITIVE_INFINITY);
  keeper.hold(free!, Number.POSITIVE_INFINITY);
  await untilRenewed(database, [free!], 4);
  expect(told.lost.size).toBe(0);
  await client.query('rollback');
  await untilRenewed(database, [locked!]);
  await locked!.finish();
});

test('a connection that breaks is replaced', async () => {
  const namespace = await own();
  const told = new Told();
  const keeper = await keeperOf(namespace, told);
  const attempts = await attemptsOf(namespace, 'spec', 2);
  for (const attempt of attempts) keeper.hold(attempt, Number.POSITIVE_INFINITY);
  await untilRenewed(database, attempts);
  for (let time = 0; time < 2; time++) {
    const pids = await threadConnections(database);
    expect(pids).toHaveLength(1);
    await database.query('select pg_terminate_backend($1)', pids);
    await untilRenewed(database, attempts, 2);
  }
  expect(told.lost.size).toBe(0);
});

test('what the thread cannot do for want of a connection is done from the main thread', async () => {
  const namespace = await coordinate.namespace(randomUUID());
  const told = new Told();
  const keeper = await ThreadLeaseKeeper.start(
    { namespace, lifetimeMs, onLost: told.onLost, logger: told.logger },
    namespace,
    { host: '127.0.0.1', port: 1 },
  );
  onTestFinished(() => keeper.stop());
  const [held, lost] = await attemptsOf(namespace, 'spec', 2);
  keeper.hold(held!, Number.POSITIVE_INFINITY);
  keeper.hold(lost!, Number.POSITIVE_INFINITY);
  await lost!.finish();
  await told.untilWarned(/cannot do so and tries again/);
  await untilRenewed(database, [held!], 3);
  expect(await told.untilLost(lost!)).toMatchObject({ code: 'NotPending' });
});

test('a thread that crashes is started again, and goes on with what is held', async () => {
  const namespace = await own();
  const told = new Told();
  const started = once(process, 'worker') as Promise<[Thread]>;
  const keeper = await keeperOf(namespace, told);
  const [thread] = await started;
  const attempts = await attemptsOf(namespace, 'spec', 1);
  keeper.hold(attempts[0]!, Number.POSITIVE_INFINITY);
  await untilRenewed(database, attempts);
  await thread.terminate();
  await untilRenewed(database, attempts, 2);
});

test('stop() ends the thread and its connection, and is idempotent', async () => {
  const namespace = await own();
  const told = new Told();
  const started = once(process, 'worker') as Promise<[Thread]>;
  const keeper = await keeperOf(namespace, told);
  const [thread] = await started;
  const exited = once(thread, 'exit');
  const [attempt] = await attemptsOf(namespace, 'spec');
  keeper.hold(attempt!, Number.POSITIVE_INFINITY);
  await untilRenewed(database, [attempt!]);
  await keeper.stop();
  await keeper.stop();
  expect(await exited).toEqual([0]);
  const untilClosed = async (): Promise<void> => {
    while ((await threadConnections(database)).length > 0) await beforeNextLook();
  };
  await soon(untilClosed(), 'the end of the connection');
  const ends = (await leaseEnds(database)).get(attempt!.number);
  keeper.hold(attempt!, Number.POSITIVE_INFINITY);
  keeper.release(attempt!);
  expect((await leaseEnds(database)).get(attempt!.number)).toBe(ends);
});

test('a keeper that never held anything opens no connection', async () => {
  const name = `pg-coordinate idle keeper ${database.schema}`;
  const namespace = await (await database.connect({ pool: { max: 1, application_name: name } })).namespace(randomUUID());
  await keeperOf(namespace, new Told(), 20);
  // A hundred looks. That something does not happen cannot be waited for.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await database.query('select pid from pg_stat_activity where application_name = $1', [name])).toHaveLength(1);
});

test('attempts of another connection are refused', async () => {
  const namespace = await own();
  const keeper = await keeperOf(namespace, new Told());
  expect(() => keeper.hold({ number: 1 } as never, 1)).toThrow(expect.objectContaining({ code: 'WrongBackend' }));
});

test('with a clock of its own the coordinate renews from the main thread, by that clock', async () => {
  const clock = new ManualClock();
  const namespace = await (await database.connect({ clock })).namespace(randomUUID());
  const told = new Told();
  const keeper = await keeperOf(namespace, told, 400);
  expect(keeper).toBeInstanceOf(LoopLeaseKeeper);
  const [attempt, lost, stuck] = await attemptsOf(namespace, 'spec', 3, 400);
  for (const each of [attempt!, lost!]) keeper.hold(each, Number.POSITIVE_INFINITY);
  keeper.hold(stuck!, 1);
  await lost!.finish();
  for (let time = 0; time < 3; time++) {
    // Before that: a renewal by the new time may come sooner than the first look, and no other makes the lease any longer.
    const before = await leaseEnds(database);
    clock.advance(100);
    await untilRenewed(database, [attempt!], 1, before);
  }
  expect((await attempt!.read()).expirationTime).toEqual(new Date(clock.now().getTime() + 400));
  expect((await stuck!.read()).expirationTime).toEqual(stuck!.expirationTime);
  expect(await told.untilLost(lost!)).toMatchObject({ code: 'NotPending' });
  expect(told.warnings).toEqual([]);
});

test('another implementation is renewed through its interface', async () => {
  const clock = new ManualClock();
  const namespace = await memoryCoordinate({ clock, random: Math.random }).namespace('');
  const told = new Told();
  const keeper = await keeperOf(namespace, told, 200);
  const [attempt, gone] = await attemptsOf(namespace, 'spec', 2, 200);
  keeper.hold(attempt!, Number.POSITIVE_INFINITY);
  keeper.hold(gone!, Number.POSITIVE_INFINITY);
  clock.advance(100);
  await (await namespace.workSpec('spec')).deleteWorkUnits({ names: [gone!.workUnit.name] });
  expect(await told.untilLost(gone!)).toMatchObject({ code: 'Gone' });
  const renewed = clock.now().getTime() + 200;
  while ((await attempt!.read()).expirationTime.getTime() !== renewed) await beforeNextLook();
  await namespace.destroy();
  expect(await told.untilLost(attempt!)).toMatchObject({ code: 'Gone' });
});

test('settings that a thread cannot be given: leases are renewed from the main thread, and the log says so', async () => {
  const { password } = new URL(database.url);
  const namespace = await (await database.connect({ pool: { password: async () => password } })).namespace(randomUUID());
  const told = new Told();
  const keeper = await keeperOf(namespace, told);
  expect(keeper).toBeInstanceOf(LoopLeaseKeeper);
  expect(told.warnings).toEqual(['leases are renewed from the main thread, as no thread can be given the connection\'s setting "password"']);
  const [attempt] = await attemptsOf(namespace, 'spec');
  keeper.hold(attempt!, Number.POSITIVE_INFINITY);
  await untilRenewed(database, [attempt!], 2);
});

test('without a database leases are not lost until it says so', async () => {
  const namespace = await (await database.connect({ clock: new ManualClock() })).namespace(randomUUID());
  const told = new Told();
  const keeper = await keeperOf(namespace, told, 200);
  const [attempt] = await attemptsOf(namespace, 'spec', 1, 200);
  const { renewAll } = namespace;
  let failures = 0;
  namespace.renewAll = async (...reports) => {
    if (++failures <= 2) throw new Error('the network is down');
    return renewAll.apply(namespace, reports);
  };
  keeper.hold(attempt!, Number.POSITIVE_INFINITY);
  await told.untilWarned(/leases could not be renewed: the network is down/);
  while (failures < 4) await beforeNextLook();
  expect(told.lost.size).toBe(0);
});

afterAll(() => coordinate.close());
