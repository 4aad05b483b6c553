import { randomUUID } from 'node:crypto';
import { connect, GoneError, type Namespace, type NewWorkUnit, type WorkSpec } from 'pg-coordinate';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { NameMemory } from '../../../src/core/work-unit/name-memory.js';
import { untilWaiting } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { whileLocked } from '../blocked.js';
import { countedConnection } from './statements.js';

const database = await testDatabase();
const { coordinate, sentOf, close } = await countedConnection(database);
afterAll(close);

let namespace: Namespace;
let spec: WorkSpec;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec' });
  statements();
});

/** Which statements that add units were sent since this was asked last. */
function statements(): string[] {
  return sentOf('work-unit.add').map((label) => label.replace('work-unit.', ''));
}

function units(numbers: readonly number[], round = 0): NewWorkUnit[] {
  return numbers.map((number) => ({ name: nameOf(number), data: { number, round }, meta: { priority: number % 3 } }));
}

const nameOf = (number: number): string => `unit ${String(number).padStart(6, '0')}`;
const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

describe('units whose names are new', () => {
  test('are inserted without a look for existing ones', async () => {
    expect(await spec.addWorkUnits(units(range(0, 1_000)))).toBe(1_000);
    await spec.addWorkUnit('one more', {}, { priority: 7 });
    expect(statements()).toEqual(['add-new', 'add-new']);
    const worker = await namespace.worker('w');
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 3 });
    expect(attempts.map(({ workUnit }) => workUnit.name)).toEqual(['one more', nameOf(2), nameOf(5)]);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 998, pending: 3 });
  });

  test('are inserted in the order of their names, however they are given', async () => {
    await spec.addWorkUnits(units([5, 3, 9, 1]));
    const rows = await database.query<{ name: Buffer }>(`select name from ${database.bucket}.work_unit where spec_id = (
      select id from ${database.bucket}.work_spec order by id desc limit 1) order by id`);
    expect(rows.map(({ name }) => name.toString())).toEqual([1, 3, 5, 9].map(nameOf));
  });

  test('of which one is delayed go with those that may exist', async () => {
    await spec.addWorkUnits([{ name: 'now', data: {} }, { name: 'later', data: {}, meta: { notBefore: new Date('2999-01-01') } }]);
    expect(statements()).toEqual(['add']);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1, delayed: 1 });
  });

  test('in a transaction of the caller are added by a statement that cannot end it', async () => {
    await spec.addWorkUnits(units([1]));
    statements();
    await coordinate.transaction(async (client) => {
      await spec.addWorkUnits(units([2]), { client });
      await spec.addWorkUnit(nameOf(1), {}, {}, { client });
    });
    expect(statements()).toEqual(['add', 'add-for-ids']);
  });

  test('of a spec that is gone are refused', async () => {
    await namespace.destroyWorkSpec('spec');
    await expect(spec.addWorkUnits(units([1]))).rejects.toThrow(GoneError);
    await expect(spec.addWorkUnit('x', {})).rejects.toThrow(GoneError);
  });
});

describe('units of which some exist', () => {
  test('are added by a second statement, and by that one alone for a while', async () => {
    await spec.addWorkUnits(units(range(0, 100)));
    statements();
    expect(await spec.addWorkUnits(units(range(0, 150), 1))).toBe(150);
    expect(statements()).toEqual(['add-new', 'add']);
    await spec.addWorkUnits(units(range(150, 10)));
    expect(statements()).toEqual(['add']);
    for (const number of range(1_000, 31)) await spec.addWorkUnit(nameOf(number), {});
    expect(new Set(statements())).toEqual(new Set(['add-for-ids']));
    await spec.addWorkUnits(units([2_000]));
    expect(statements()).toEqual(['add-new']);
    expect(await (await spec.workUnit(nameOf(99))).data()).toEqual({ number: 99, round: 1 });
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 150 + 10 + 31 + 1 });
  });

  test('are found by the unique index, if not by the names that are looked up', async () => {
    await spec.addWorkUnits(units([500, 501]));
    const before = await spec.workUnit(nameOf(500));
    statements();
    expect(await spec.addWorkUnits(units(range(0, 1_000), 1))).toBe(1_000);
    expect(statements()).toEqual(['add-new', 'add']);
    expect(await before.data()).toEqual({ number: 500, round: 1 });
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1_000 });
  });

  test('one by one have their units, whether they were new or not', async () => {
    await spec.addWorkUnits(units([4]));
    const added = await Promise.all(range(0, 40).map((number) => spec.addWorkUnit(nameOf(number), { number })));
    expect(await Promise.all(added.map((unit) => unit.data()))).toEqual(range(0, 40).map((number) => ({ number })));
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 40 });
  });

  test('are added to the end by who closes the connection after the first statement was sent', async () => {
    const closing = await countedConnection(database);
    const same = await (await closing.coordinate.namespace(namespace.name)).workSpec('spec');
    await spec.addWorkUnits(units([500]));
    let added: Promise<number> | undefined;
    let closed: Promise<void> | undefined;
    await whileLocked(database, 'work_unit', async () => {
      added = same.addWorkUnits(units(range(0, 1_000)));
      await untilWaiting(database);
      closed = closing.close();
    });
    expect(await added).toBe(1_000);
    await closed;
    expect(closing.sentOf('work-unit.add')).toEqual(['work-unit.add-new', 'work-unit.add']);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1_000 });
  });

  test('go in from many producers at once, each unit once', async () => {
    const other = await connect(database.url, { schema: database.schema });
    const same = await (await other.namespace(namespace.name)).workSpec('spec');
    const add = async (to: WorkSpec, from: number): Promise<void> => {
      for (let round = 0; round < 12; round++) {
        const numbers = range(from + round * 40, 200);
        await to.addWorkUnits(units(round % 2 === 0 ? numbers : numbers.toReversed(), round));
        await Promise.all(range(from + round * 50, 5).map((number) => to.addWorkUnit(nameOf(number), { number })));
      }
    };
    await Promise.all([add(spec, 0), add(same, 0), add(spec, 100), add(same, 200), add(spec, 300)]);
    await other.close();
    const { deadlocks } = coordinate.statistics;
    expect(deadlocks).toBe(0);
    const covered = new Set([0, 100, 200, 300].flatMap((from) => range(0, 12).flatMap((round) => [
      ...range(from + round * 40, 200), ...range(from + round * 50, 5),
    ])));
    expect(await spec.countWorkUnitStatus()).toEqual({ available: covered.size });
    const worker = await namespace.worker('w');
    const claimed: string[] = [];
    for (let attempts; (attempts = await worker.requestAttempts({ numberOfWorkUnits: 1_000 })).length > 0; ) {
      claimed.push(...attempts.map(({ workUnit }) => workUnit.name));
    }
    expect(claimed).toHaveLength(covered.size);
    expect(new Set(claimed).size).toBe(covered.size);
  });
});

describe('what is remembered of names', () => {
  test('is that they existed lately, until enough were new', () => {
    const memory = new NameMemory();
    memory.added(1, { metExisting: false });
    expect(memory.areLikelyNew(1)).toBe(true);
    memory.added(1, { metExisting: true });
    for (let add = 0; add < 31; add++) memory.added(1, { metExisting: false });
    expect([memory.areLikelyNew(1), memory.areLikelyNew(2)]).toEqual([false, true]);
    memory.added(1, { metExisting: false });
    expect(memory.areLikelyNew(1)).toBe(true);
  });
});
