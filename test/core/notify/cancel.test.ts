import { randomUUID } from 'node:crypto';
import { NotPendingError, type Attempt, type WorkUnit, type PostgresNamespace } from 'pg-coordinate';
import { ManualClock } from 'pg-coordinate/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { onCancelled } from '../../../src/core/notify/on-cancelled.js';
import { caught } from '../../database/caught.js';
import { until } from '../../database/until.js';
import { memoryCoordinate } from '../../reference/index.js';
import { testDatabase } from '../../support/database.js';
import { cutListener } from './waiting-worker.js';

const database = await testDatabase();
const application = `cancelled of ${database.schema}`;
const coordinate = await database.connect();
const working = await database.connect({ pool: { application_name: application } });
let namespace: PostgresNamespace;

beforeEach(async () => {
  namespace = await working.namespace(randomUUID());
});
afterEach(() => namespace.destroy());

async function heldUnits(count: number): Promise<Attempt[]> {
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  return (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: count });
}

/** The unit as another process has it. */
async function elsewhere({ workUnit }: Attempt): Promise<WorkUnit> {
  return (await (await coordinate.namespace(namespace.name)).workSpec('spec')).workUnit(workUnit.key);
}

test('the worker is told which attempt was cancelled', async () => {
  const [first, second] = await heldUnits(2);
  const told: number[] = [];
  const unsubscribe = await onCancelled(namespace, (number) => told.push(number));
  expect(await (await elsewhere(second!)).cancel()).toBe(true);
  await until('it is told', () => told.length > 0);
  expect(told).toEqual([second!.number]);
  await unsubscribe();
  expect(await (await elsewhere(first!)).cancel()).toBe(true);
});

test('workers of other namespaces are not', async () => {
  const [attempt] = await heldUnits(1);
  const other = await working.namespace(randomUUID());
  const told: number[] = [];
  const toldHere: number[] = [];
  await onCancelled(other, (number) => told.push(number));
  await onCancelled(namespace, (number) => toldHere.push(number));
  await (await elsewhere(attempt!)).cancel();
  await until('it is told', () => toldHere.length > 0);
  expect(told).toEqual([]);
  await other.destroy();
});

test('a worker that hears nothing finds out when it renews its lease', async () => {
  const [attempt] = await heldUnits(1);
  const told: number[] = [];
  await onCancelled(namespace, (number) => told.push(number));
  await cutListener(database, application);
  expect(await (await elsewhere(attempt!)).cancel()).toBe(true);
  expect(await caught(attempt!.renew())).toBeInstanceOf(NotPendingError);
});

test('of many who cancel at once, one does', async () => {
  const [attempt] = await heldUnits(1);
  const unit = await elsewhere(attempt!);
  const cancelled = await Promise.all(Array.from({ length: 8 }, (_, index) => unit.cancel(`by ${index}`)));
  expect(cancelled.filter(Boolean)).toHaveLength(1);
  expect(await unit.status()).toBe('failed');
});

test('against finishing at the same moment, one of them wins, and the unit shows which', async () => {
  const attempts = await heldUnits(40);
  await Promise.all(
    attempts.map(async (attempt) => {
      const unit = await elsewhere(attempt);
      const failing = attempt.fail({ own: true }).then(() => true, () => false);
      const [cancelled, failed] = await Promise.all([unit.cancel('race'), failing]);
      expect(failed).toBe(!cancelled);
      expect(Object.keys(await unit.data())).toEqual(cancelled ? ['error'] : ['own']);
    }),
  );
});

test('against an attempt that is superseded at the same moment, the unit’s active attempt is what ends', async () => {
  const attempts = await heldUnits(20);
  const other = await namespace.worker('other');
  await Promise.all(
    attempts.map(async (attempt) => {
      const unit = await elsewhere(attempt);
      const [cancelled, successor] = await Promise.all([unit.cancel('race'), other.makeAttempt(attempt.workUnit)]);
      expect(cancelled).toBe(true);
      const active = await unit.activeAttempt();
      // Either the first was cancelled, and its successor came after it; or the successor was.
      expect(active?.number).toBe(successor.number);
      const [status, before] = [active?.status, (await attempt.read()).status];
      expect([status, before]).toEqual(before === 'failed' ? ['pending', 'failed'] : ['failed', 'pending']);
    }),
  );
});

test('of another implementation nothing is told', async () => {
  const memory = memoryCoordinate({ clock: new ManualClock(), random: Math.random });
  const unsubscribe = await onCancelled(await memory.namespace('local'), () => expect.unreachable());
  await unsubscribe();
});
