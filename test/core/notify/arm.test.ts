import { randomUUID } from 'node:crypto';
import type { PostgresNamespace } from 'pg-coordinate';
import { ManualClock } from 'pg-coordinate/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { leastWakeIntervalMs, workSignal, type WorkSignal } from '../../../src/core/notify/work-signal.js';
import { testDatabase } from '../../support/database.js';
import { armed } from './waiting-worker.js';

const database = await testDatabase();
const coordinate = await database.connect();
let namespace: PostgresNamespace;
let signal: WorkSignal;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  return async () => {
    await signal?.close();
    await namespace.destroy();
  };
});

describe('arm', () => {
  test('tells when the next thing falls due', async () => {
    const clock = new ManualClock();
    const timed = await database.connect({ clock });
    const own = await timed.namespace(randomUUID());
    const timedSpec = await own.setWorkSpec({ name: 'spec' });
    signal = workSignal(own);
    // Of the whole bucket: other tests' leases end in years that this clock does not know.
    await timedSpec.addWorkUnit('later', {}, { notBefore: new Date(clock.now().getTime() + 5_000) });
    expect(await signal.arm()).toBe(5_000);
    await timedSpec.addWorkUnit('now', {});
    await (await own.worker('worker')).requestAttempts({ lifetimeMs: 3_000 });
    // Overdue only after its end.
    expect(await signal.arm()).toBe(3_001);
    clock.advance(60_000);
    expect(await signal.arm()).toBe(0);
    await signal.close();
    await own.destroy();
  });

  test('tells when a continuous work spec of the namespace is next', async () => {
    const clock = new ManualClock();
    const timed = await database.connect({ clock });
    const own = await timed.namespace(randomUUID());
    await own.setWorkSpec({ name: 'continuous', continuous: true, interval: 2 });
    const [attempt] = await (await own.worker('worker')).requestAttempts();
    await attempt!.finish();
    signal = workSignal(own);
    expect(await signal.arm()).toBe(2_000);
    clock.advance(2_000);
    await (await own.workSpec('continuous')).setMeta({ paused: true });
    expect(await signal.arm()).not.toBe(2_000);
    await signal.close();
    await own.destroy();
  });

  test('registers at most every so often', async () => {
    signal = workSignal(namespace);
    await signal.arm();
    // Five pauses follow, so that no timer that fires a little early makes them shorter than four.
    const began = performance.now();
    for (let round = 0; round < 6; round++) await signal.arm();
    expect(performance.now() - began).toBeGreaterThanOrEqual(4 * leastWakeIntervalMs);
  });

  test('is one row a signal, however often', async () => {
    signal = await armed(namespace);
    for (let round = 0; round < 5; round++) await signal.arm();
    const rows = await database.query(`select from ${database.bucket}.waiter where namespace_id = $1`, [namespace.id]);
    expect(rows).toHaveLength(1);
  });
});
