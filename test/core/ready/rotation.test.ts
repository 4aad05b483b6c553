import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { PostgresCoordinate, PostgresNamespace, WorkSpec } from 'pg-coordinate';
import { ReadyRotation } from '../../../src/core/work-unit/ready-rotation.js';
import { PostgresWorker } from '../../../src/core/worker/postgres-worker.js';
import { stopAutovacuum } from '../plans/fill.js';
import { countedOwnConnection } from '../producers/statements.js';
import { inGenerations } from './in-generations.js';

const { add, claim, coordinate, current, database, generations, rotate, seal, settle } = await inGenerations();

/** Before PostgreSQL 15 what was read shows half a second later. */
const countsAtOnce = (await database.query(`select from pg_proc where proname = 'pg_stat_force_next_flush'`)).length > 0;

let namespace: PostgresNamespace;
let spec: WorkSpec;

beforeEach(() => void ({ namespace, spec } = current()));

/** How many pages of the indexes of ready and ready_range a claim of one unit looks at, by a coordinate of a single connection. */
async function buffersOfClaim(single: PostgresCoordinate, of: PostgresNamespace): Promise<number> {
  // What a process does behind the back of claims looks at pages, too.
  await of.bucket.rotation.stop();
  const before = await buffers();
  expect(await claim(1, of)).toHaveLength(1);
  return (await buffers()) - before;

  async function buffers(): Promise<number> {
    // Each session tells of its own, and once a second at most unless it is made to.
    await single.transaction((client) => client.query('select pg_stat_force_next_flush()'));
    const [row] = await database.query<{ blocks: string }>(`
      select sum(idx_blks_hit + idx_blks_read) as blocks from pg_statio_user_tables
      where relid in ('${database.bucket}.ready'::regclass, '${database.bucket}.ready_range'::regclass)`);
    return Number(row?.blocks);
  }
}

describe('the generations of the ready units', () => {
  test('are claimed as one, in the order of priority and name', async () => {
    await add('b', 2);
    await seal();
    await add('x', 16, 9);
    await claim(16);
    await add('a', 2);
    await add('z', 1, 5);
    await rotate();
    await add('c', 1, 1);
    const { rows } = await generations();
    expect(Object.keys(rows)).toHaveLength(3);
    expect(await claim(4)).toEqual(['z0', 'c0', 'a0', 'a1']);
    expect(await claim(10)).toEqual(['b0', 'b1']);
  });

  test('are all looked through before a unit is handed to a worker that sleeps', async () => {
    const worker = await namespace.worker('asleep');
    if (!(worker instanceof PostgresWorker)) throw new Error('no worker of the database');
    const isHandedOver = async (name: string): Promise<boolean> => {
      let given: Promise<readonly unknown[]> = Promise.resolve([]);
      const getUp = worker.takeWhileIdle({ workSpecs: ['spec'] }, { room: () => 1, expect: (_, attempts) => void (given = attempts) });
      await spec.addWorkUnit(name, {});
      getUp();
      return (await given).length === 1;
    };
    await add('a', 3);
    await seal();
    // By which the process knows where the sealed generation begins.
    expect(await claim(1)).toEqual(['a0']);
    expect(await isHandedOver('b')).toBe(false);
    expect(await claim(9)).toEqual(['a1', 'a2', 'b']);
    await add('c', 1);
    await rotate();
    expect(await isHandedOver('d')).toBe(false);
    expect(await claim(9)).toEqual(['c0', 'd']);
    expect(await isHandedOver('e')).toBe(true);
  });

  test('go from open over closed to sealed', async () => {
    const { open } = await generations();
    await add('a', 3);
    expect(await rotate()).toBe(true);
    expect(await generations()).toEqual({ open: open + 1, closed: open, sealed: 0, rows: { [open]: 3 } });
    await settle();
    expect(await generations()).toEqual({ open: open + 1, closed: 0, sealed: open, rows: { [open]: 3 } });
  });

  test('are not closed before so many units have been claimed', async () => {
    await seal();
    const { open } = await generations();
    await add('a', 20);
    await claim(10);
    expect(await rotate(1_000)).toBe(false);
    expect((await generations()).open).toBe(open);
  });

  test.each([
    ['each unit has a row', (units: number) => Array.from({ length: units / 40 }, () => 40), true],
    ['units are in ranges', (units: number) => [units], false],
  ] as const)('are closed, or are not yet, after nine thousand claims where %s', async (_, batches, isClosed) => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    onTestFinished(() => random.mockRestore());
    const counted = await countedOwnConnection(database);
    onTestFinished(() => counted.close());
    const own = await counted.coordinate.namespace(namespace.name);
    const worker = await own.worker('worker');
    let added = 0;
    const claimSome = async () => {
      // Of fewer than 50 none is put into a range.
      for (const size of batches(1_000)) {
        await spec.addWorkUnits(Array.from({ length: size }, (_, index) => ({ name: String(added + index).padStart(8, '0'), data: {} })));
        added += size;
      }
      expect(await worker.requestAttempts({ numberOfWorkUnits: 1_000, workSpecs: ['spec'] })).toHaveLength(1_000);
    };
    counted.sent('');
    for (let count = 0; count < 9; count++) await claimSome();
    await own.bucket.rotation.stop();
    expect(counted.sent('work-unit.rotate-ready') > 0).toBe(isClosed);
  });

  test('are to be closed after fewer claims where each unit has a row than where they are in ranges', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    onTestFinished(() => random.mockRestore());
    const counted = await countedOwnConnection(database);
    onTestFinished(() => counted.close());
    const due = async (...claims: readonly (readonly [count: number, wereInRanges: boolean])[]) => {
      const rotation = new ReadyRotation((await counted.coordinate.namespace(namespace.name)).bucket);
      let newest = 1;
      rotation.claimed(newest);
      counted.sent('');
      for (const [count, wereInRanges] of claims) rotation.claimed((newest += count), { wereInRanges });
      // What was begun comes to its end.
      await rotation.stop();
      return counted.sent('work-unit.rotate-ready') === 1;
    };
    expect(await due([3_999, false])).toBe(false);
    expect(await due([4_000, false])).toBe(true);
    expect(await due([63_999, true])).toBe(false);
    expect(await due([64_000, true])).toBe(true);
    expect(await due([32_000, true], [1_999, false])).toBe(false);
    expect(await due([32_000, true], [2_000, false])).toBe(true);
    // Numbers of tables that were made anew.
    expect(await due([3_000, false], [-2_000, false], [999, false])).toBe(false);
    // Of many processes that live for a few claims only, one in so many.
    random.mockReturnValue(0.5);
    expect(await due([32_000, true])).toBe(true);
  });

  test('stay open while more is left of them than half of what was claimed, if there is a sealed one', async () => {
    await add('low', 5, -1);
    await seal();
    const { open, sealed } = await generations();
    await add('a', 30);
    await claim(10);
    expect(await rotate()).toBe(false);
    expect((await generations()).open).toBe(open);
    await claim(16);
    await rotate();
    expect(await generations()).toMatchObject({ open: open + 1, closed: open, sealed });
  });

  test('lose nothing: what is left of a closed one moves to the open one while there is a sealed one', async () => {
    await add('low', 5, -1);
    await seal();
    await add('a', 50);
    await claim(40);
    await rotate(10);
    await settle();
    const { open, rows } = await generations();
    expect(rows[open]).toBe(10);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 15, pending: 40 });
    const left = Array.from({ length: 50 }, (_, index) => `a${index}`).sort().slice(40);
    expect(await claim(30)).toEqual([...left, 'low0', 'low1', 'low2', 'low3', 'low4']);
  });

  test('are not sealed while somebody who began earlier may be adding to them', async () => {
    await seal();
    await add('first', 10);
    await coordinate.transaction(async (client) => {
      await spec.addWorkUnits([{ name: 'late', data: {} }], { client });
      for (let step = 1; step <= 5; step++) await rotate(step === 1 ? 0 : 1_000_000);
      const { closed, sealed } = await generations();
      expect(closed).toBeGreaterThan(0);
      expect(sealed).not.toBe(closed);
      expect(await claim(20)).toHaveLength(10);
    });
    expect(await claim(10)).toEqual(['late']);
  });

  test('are sealed although somebody reads an old snapshot', async () => {
    const holder = await database.client();
    await holder.query('begin isolation level repeatable read');
    await holder.query('select 1 from pg_class limit 1');
    await add('a', 1);
    const { open } = await generations();
    await seal();
    expect((await generations()).sealed).toBe(open);
    await holder.query('rollback');
  });

  test('go on when the server was stopped between closing one and opening the next', async () => {
    await seal();
    await add('a', 2);
    const { open } = await generations();
    await database.query(`select setval('${database.bucket}.ready_closed', ${open})`);
    await rotate();
    expect(await generations()).toMatchObject({ open: open + 1, closed: open });
    await add('b', 1);
    expect(await claim(10)).toEqual(['a0', 'a1', 'b0']);
  });

  test.runIf(countsAtOnce).each(['an old snapshot is read', 'a dump has locked the tables'])(
    'keep a claim from going through what was claimed before it, although %s',
    async (hindrance) => {
      await stopAutovacuum(database);
      const holder = await database.client();
      await holder.query('begin isolation level repeatable read');
      await holder.query('select 1 from pg_class limit 1');
      if (hindrance.startsWith('a dump')) await holder.query(`lock table ${database.bucket}.ready in access share mode`);
      const single = await database.connect({ pool: { max: 1 } });
      const own = await single.namespace(namespace.name);
      // Of fewer than 50 none is put into a range.
      for (let batch = 0; batch < 150; batch++) await add(`a${String(batch).padStart(3, '0')} `, 40);
      await seal();
      for (let at = 0; at < 5_000; at += 1_000) expect(await claim(1_000, own)).toHaveLength(1_000);
      // The dead entries of 5,000 units fill some forty pages of the index.
      await claim(1, own);
      expect(await buffersOfClaim(single, own)).toBeLessThan(25);
      await holder.query('rollback');
      await single.close();
    },
  );

  test('let a unit be changed, deleted and retried wherever it lies', async () => {
    await add('a', 3);
    await seal();
    await add('b', 3);
    await rotate();
    await (await spec.workUnit('a1')).setPriority(9);
    expect(await spec.deleteWorkUnits({ names: ['b1'] })).toBe(1);
    expect(await claim(10)).toEqual(['a1', 'a0', 'a2', 'b0', 'b2']);
  });

  test('hand out a unit that comes back before those that this process has seen to be first', async () => {
    await add('m', 3);
    await seal();
    expect(await claim(1)).toEqual(['m0']);
    // What this process knows of the sealed generation begins with m1 from here on.
    expect(await claim(1)).toEqual(['m1']);
    await (await spec.workUnit('m0')).clearActiveAttempt();
    await add('a', 1);
    expect(await claim(3)).toEqual(['a0', 'm0', 'm2']);
  });
});
