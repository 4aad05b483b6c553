import { onTestFinished, expect, test } from 'vitest';
import { leastWakeIntervalMs, workSignal } from '../../src/core/notify/work-signal.js';
import { createWorker, type WorkerRuntime } from '../../src/worker/index.js';
import { countedOwnConnection, type CountedConnection } from '../core/producers/statements.js';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';

/* What a worker does between the last unit there was and sleep: it says that it is about to wait, and looks once more after that. */

const database = await testDatabase();

interface Place {
  readonly connection: CountedConnection;
  readonly worker: WorkerRuntime;
  /** What has run. */
  readonly ran: readonly string[];
  readonly add: (unit: string) => Promise<void>;
}

/** A worker that sleeps, and units that are added by another connection. It polls so seldom that nothing but that can wake it. */
async function sleeping(namespace: string): Promise<Place> {
  const spec = await (await (await database.connect()).namespace(namespace)).setWorkSpec({ name: 'spec' });
  const connection = await countedOwnConnection(database);
  onTestFinished(() => connection.close());
  const ran: string[] = [];
  const handlers = { spec: ({ name }: { readonly name: string }) => void ran.push(name) };
  const worker = createWorker({ coordinate: connection.coordinate, namespace, pollMs: 3_600_000, handlers });
  onTestFinished(() => worker.stop());
  await worker.start();
  await untilLooked(connection);
  return { connection, worker, ran, add: async (unit) => spec.addWorkUnit(unit, {}).then(() => undefined) };
}

/** Until it has sent its last look; resolves to what it has sent since that was asked last. */
async function untilLooked({ sentOf }: CountedConnection): Promise<string[]> {
  const sent: string[] = [];
  await until('it has looked', () => {
    sent.push(...sentOf('').filter((label) => /^(attempt|scheduler|notify\.(register|next))/.test(label)));
    const registered = sent.lastIndexOf('notify.register-waiter');
    return registered >= 0 && sent.lastIndexOf('scheduler.list-named-candidates') > registered;
  });
  return sent;
}

test('a unit for which it was woken costs a claim, a report, and a look right behind the word that it sleeps', async () => {
  const { connection, worker, ran, add } = await sleeping('one unit');
  const once = ['attempt.claim-fresh', 'attempt.end-placed', 'notify.register-waiter', 'notify.next-due', 'scheduler.list-named-candidates'];
  let sent: string[] = [];
  // Where something comes between, it goes another way for once.
  for (let round = 0; round < 100 && sent.join() !== once.join(); round++) {
    // Sooner it may not say so again, and asks for more first.
    const mayRegisterAt = performance.now() + 2 * leastWakeIntervalMs;
    await until('it may register at once', () => performance.now() >= mayRegisterAt);
    connection.sentOf('');
    await add(`unit ${round}`);
    sent = await untilLooked(connection);
    await until('it has reported', () => ran.length > round && worker.load.unreported === 0);
    sent.push(...connection.sentOf('attempt'));
    // The report goes at the same time.
    sent.sort((a, b) => once.indexOf(a) - once.indexOf(b));
  }
  expect(sent).toEqual(once);
});

test.each(['attempt.claim-fresh', 'notify.next-due', 'scheduler.list-named-candidates'])('it misses nothing that is added just when it sends %s', async (label) => {
  const { connection, ran, add } = await sleeping(`just when it sends ${label}`);
  for (let round = 1; round <= 30; round++) {
    connection.sentOf('');
    await add(`first ${round}`);
    await until('it is about to, or has got it in another way', () => connection.sentOf('').includes(label) || ran.length === 2 * round - 1);
    await add(`second ${round}`);
    await until('both have run', () => ran.length === 2 * round);
  }
});

test('its last look tells nothing from what may have to be handed out', async () => {
  const namespace = await (await database.connect()).namespace('last look');
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  const worker = await namespace.worker('worker');
  const signal = workSignal(namespace);
  onTestFinished(() => signal.close());
  const hasNothing = async () => (await worker.armAndLook(signal, { workSpecs: ['spec'] })).hasNothing;
  const claim = async (lifetimeMs = 60_000) => (await worker.requestAttempts({ lifetimeMs }))[0]!;

  expect(await hasNothing()).toBe(true);
  await spec.addWorkUnit('unit', {});
  expect(await hasNothing()).toBe(false);
  await claim(1);
  await until('its lease has ended', async () => !(await hasNothing()));
  await (await claim()).finish();
  expect(await hasNothing()).toBe(true);
  await spec.addWorkUnit('later', {}, { notBefore: new Date(Date.now() + 50) });
  expect((await worker.armAndLook(signal, { workSpecs: ['spec'] })).dueMs).toBeLessThanOrEqual(50);
  await until('it is due', async () => !(await hasNothing()));
  await (await claim()).finish();
  await namespace.setWorkSpec({ name: 'spec', continuous: true });
  expect(await hasNothing()).toBe(false);
  // Then there may be no namespace any more, which a request says.
  expect((await worker.armAndLook(signal, { workSpecs: ['none'] })).hasNothing).toBe(false);
  await expect(worker.armAndLook(signal, {})).rejects.toThrow('request.workSpecs');
});

test('where nobody could wake it, it looks by a request', async () => {
  const namespace = await (await database.connect()).namespace('deaf');
  await namespace.setWorkSpec({ name: 'spec' });
  const worker = await namespace.worker('worker');
  const signal = workSignal(namespace);
  await signal.close();
  expect(await worker.armAndLook(signal, { workSpecs: ['spec'] })).toEqual({ dueMs: null, hasNothing: false });
});
