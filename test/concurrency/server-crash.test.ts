import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  CannotConnectError,
  connect,
  ConnectionLostError,
  LostLeaseError,
  NotPendingError,
  type Attempt,
  type Namespace,
  type PostgresCoordinate,
  type Worker,
} from '../../src/index.js';
import { until } from '../database/until.js';
import { expectConsistent } from './consistency.js';
import { crashingServer } from './crashing-server.js';

const server = await crashingServer();
beforeAll(async () => {
  await (await connect(server.url, { migrate: true })).close();
});

let count = 0;
const unitNames = (units: number): string[] => Array.from({ length: units }, (_, index) => `unit ${String(index).padStart(4, '0')}`);

/** A namespace with a spec of so many units, on a connection of its own. */
async function newSpec(units: number): Promise<{ coordinate: PostgresCoordinate; namespace: Namespace }> {
  const coordinate = await connect(server.url, { pool: { max: 10 } });
  onTestFinished(() => coordinate.close());
  const namespace = await coordinate.namespace(`crash ${++count}`);
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnits(unitNames(units).map((name) => ({ name, data: {} })));
  return { coordinate, namespace };
}

/** Tries again until the server is up. Nothing but the two errors of a connection may be met meanwhile. */
async function persist<T>(operation: () => Promise<T>, onError: (error: Error) => void = () => undefined): Promise<T> {
  for (;;) {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof ConnectionLostError || error instanceof CannotConnectError)) throw error;
      onError(error);
      // A server that is down answers at once: ask it again a little later.
      await wait(20);
    }
  }
}

/** What a crash has made the server forget: claims of the newest attempt numbers. */
interface Forgotten {
  readonly coordinate: PostgresCoordinate;
  readonly namespace: Namespace;
  readonly worker: Worker;
  readonly lost: readonly Attempt[];
  readonly newest: number;
}

/** Has 300 of 500 units claimed, after one that is finished, and the server crash. Once every ten seconds the server writes everything down: then once more. */
async function forgottenClaims(crash: () => Promise<void>): Promise<Forgotten> {
  for (let tries = 1; ; tries++) {
    const { coordinate, namespace } = await newSpec(500);
    const worker = await namespace.worker('worker');
    const known = await worker.requestAttempts();
    await known[0]!.finish();
    // More than a sequence writes down in advance, and nothing that waits for the disk afterwards.
    const lost = await worker.requestAttempts({ numberOfWorkUnits: 300 });
    await crash();
    const [sequence] = await server.query<{ last: string }>(`select last_value as last from ${server.bucket}.attempt_number`);
    const newest = Math.max(...lost.map(({ number }) => number));
    if (Number(sequence?.last) < newest) return { coordinate, namespace, worker, lost, newest };
    expect(tries, 'crashes that came too late to make the server forget anything').toBeLessThan(5);
  }
}

const crashes: [string, () => Promise<void>][] = [
  [
    'stopped at once and started again',
    async () => {
      await server.crash();
      await server.restart();
    },
  ],
  ['recovering from the death of one of its processes', () => server.killBackend()],
];

describe.each(crashes)('a server that is %s', (_how, crash) => {
  /**
   * Would show a finish that was acknowledged before it was on the disk; a unit that is nowhere after the recovery; a number given to
   * two attempts; a client that does not find back by itself, or meets an error that does not say what happened.
   */
  test('has every acknowledged finish, every unit, and gives out new numbers; its clients go on', async () => {
    const { namespace } = await newSpec(3_000);
    // By when they were asked for: some may be on their way while the server crashes.
    const handedOut = { before: [] as number[], meanwhile: [] as number[], after: [] as number[] };
    let asked: keyof typeof handedOut = 'before';
    const acknowledged: number[] = [];
    const errors: Error[] = [];
    const workOn = async (index: number): Promise<void> => {
      const worker = await namespace.worker(`worker ${index}`);
      for (let afterwards = 0; afterwards < 5; ) {
        let when = asked;
        const attempts = await persist(
          () => {
            when = asked;
            return worker.requestAttempts({ numberOfWorkUnits: 3 });
          },
          (error) => errors.push(error),
        );
        if (when === 'before' && asked !== 'before') when = 'meanwhile';
        if (when === 'after') afterwards++;
        handedOut[when].push(...attempts.map(({ number }) => number));
        for (const attempt of attempts) await finish(attempt);
      }
    };
    const finish = async (attempt: Attempt): Promise<void> => {
      try {
        await attempt.finish({ done: true });
        acknowledged.push(attempt.number);
      } catch (error) {
        // Lost with the connection: it may or may not have happened. Not pending: the claim was forgotten.
        const isExpected = [ConnectionLostError, CannotConnectError, NotPendingError].some((kind) => error instanceof kind);
        if (!isExpected) throw error;
      }
    };
    const working = Promise.all([0, 1, 2, 3, 4, 5].map(workOn));
    await expect.poll(() => acknowledged.length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(100);
    asked = 'meanwhile';
    await crash();
    asked = 'after';
    await working;

    expect(errors.length).toBeGreaterThan(0);
    const { before, meanwhile, after } = handedOut;
    expect(Math.min(...after)).toBeGreaterThan(Math.max(...before));
    const all = [...before, ...meanwhile, ...after];
    expect(new Set(all).size).toBe(all.length);
    const rows = await server.query<{ number: string }>(`select number from ${server.bucket}.any_attempt where status = 'finished'`);
    const finished = new Set(rows.map(({ number }) => Number(number)));
    expect(acknowledged.filter((number) => !finished.has(number))).toEqual([]);
    await expectConsistent(server);
    const counts = await (await namespace.workSpec('spec')).countWorkUnitStatus();
    expect(Object.values(counts).reduce((total, each) => total + each, 0)).toBe(3_000);
    expect((counts.available ?? 0) + (counts.pending ?? 0) + (counts.finished ?? 0)).toBe(3_000);
  });

  /**
   * Would show an attempt that was forgotten and whose number was given out again: its worker would pass the fence by the number
   * of its successor, or finish its successor's unit.
   */
  test('gives out no number again, although it has forgotten who had them', async () => {
    const { coordinate, namespace, worker, lost, newest } = await forgottenClaims(crash);
    const next = await persist(() => worker.requestAttempts({ numberOfWorkUnits: 300 }));
    expect(next.map(({ workUnit }) => workUnit.name)).toEqual(lost.map(({ workUnit }) => workUnit.name));
    expect(Math.min(...next.map(({ number }) => number))).toBeGreaterThan(newest);
    await expect(lost[0]!.finish({ by: 'zombie' })).rejects.toThrow(NotPendingError);
    await expect(coordinate.transaction((client) => lost[1]!.requireHeld({ client }))).rejects.toThrow(LostLeaseError);
    await coordinate.transaction((client) => next[1]!.requireHeld({ client }));
    await expectConsistent(server);
    expect(await (await namespace.workSpec('spec')).countWorkUnitStatus()).toEqual({ available: 199, pending: 300, finished: 1 });
  });

  /** Would show a forced attempt with a number that was given out before: makeAttempt does not pass through the claim. */
  test('gives out no number again to a forced attempt either', async () => {
    const { namespace } = await newSpec(500);
    const worker = await namespace.worker('worker');
    const unit = await (await namespace.workSpec('spec')).workUnit('unit 0499');
    const lost = await worker.requestAttempts({ numberOfWorkUnits: 300 });
    await crash();
    const forced = await persist(() => worker.makeAttempt(unit));
    expect(forced.number).toBeGreaterThan(Math.max(...lost.map(({ number }) => number)));
    await expectConsistent(server);
  });
});

/** Would show an operation that hangs, or an error from which nobody can tell that the connection was to blame. */
test('a client in the middle of an operation learns that the connection was lost, and the same object works again later', async () => {
  const { coordinate, namespace } = await newSpec(1);
  const spec = await namespace.workSpec('spec');
  let enterTransaction = (): void => undefined;
  const inTransaction = new Promise<void>((resolve) => (enterTransaction = resolve));
  // One holds a row until the crash, the other waits for it.
  const holding = coordinate.transaction(async (client) => {
    await spec.addWorkUnit('unit 0000', { by: 'holder' }, {}, { client });
    enterTransaction();
    await client.query('select pg_sleep(60)');
  });
  const held = expect(holding).rejects.toThrow(ConnectionLostError);
  await inTransaction;
  const waiting = expect(spec.addWorkUnit('unit 0000', { by: 'waiter' })).rejects.toThrow(ConnectionLostError);
  const blocked = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%work-unit.add%'`;
  await until('it waits for the row', async () => (await server.query(blocked)).length === 1);
  await server.crash();
  await Promise.all([held, waiting]);
  await expect(spec.addWorkUnit('another', {})).rejects.toThrow(CannotConnectError);
  await server.restart();
  await spec.addWorkUnit('unit 0000', { by: 'another' });
  expect(await (await spec.workUnit('unit 0000')).data()).toEqual({ by: 'another' });
  await expectConsistent(server);
});
