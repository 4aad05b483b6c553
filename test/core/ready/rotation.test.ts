import { beforeEach, describe, expect, test } from 'vitest';
import type { Namespace, PostgresCoordinate, WorkSpec } from 'pg-coordinate';
import { testDatabase } from '../../support/database.js';

const database = await testDatabase();
const coordinate: PostgresCoordinate = await database.connect();

let namespace: Namespace;
let spec: WorkSpec;

beforeEach(async () => {
  for (const old of await coordinate.namespaces()) await old.destroy();
  namespace = await coordinate.namespace('rotation');
  spec = await namespace.setWorkSpec({ name: 'spec' });
});

async function rotate(): Promise<void> {
  const client = await database.client();
  await client.query(`begin; lock table ${database.bucket}.claim_gate in share update exclusive mode`);
  await client.query(`select ${database.bucket}.rotate_ready()`);
  await client.query('commit');
}

async function segments(): Promise<{ open: number; sizes: number[]; rows: number[] }> {
  const [row] = await database.query<{ open: string; sizes: string[]; rows: string[] }>(`
    select
      (select last_value from ${database.bucket}.ready_segment) as open,
      array(select pg_relation_size(format('${database.bucket}.ready_%s', n)::regclass) from generate_series(0, 2) n) as sizes,
      array[
        (select count(*) from ${database.bucket}.ready_0),
        (select count(*) from ${database.bucket}.ready_1),
        (select count(*) from ${database.bucket}.ready_2)
      ] as rows`);
  return { open: Number(row?.open), sizes: row?.sizes.map(Number) ?? [], rows: row?.rows.map(Number) ?? [] };
}

async function add(prefix: string, count: number, priority = 0): Promise<void> {
  const units = Array.from({ length: count }, (_, index) => ({ name: `${prefix}${index}`, data: {}, meta: { priority } }));
  await spec.addWorkUnits(units);
}

async function claim(count: number): Promise<string[]> {
  const worker = await namespace.worker('worker');
  return (await worker.requestAttempts({ numberOfWorkUnits: count })).map(({ workUnit }) => workUnit.name);
}

describe('the segments of the ready units', () => {
  test('are claimed as one, in the order of priority and name', async () => {
    await add('b', 2);
    await rotate();
    await add('a', 2);
    await add('z', 1, 5);
    await rotate();
    await add('c', 1, 1);
    expect((await segments()).rows.filter((count) => count > 0).length).toBeGreaterThan(1);
    expect(await claim(10)).toEqual(['z0', 'c0', 'a0', 'a1', 'b0', 'b1']);
  });

  test('are truncated once they are used up, although an old snapshot keeps their dead rows', async () => {
    const holder = await database.client();
    await holder.query('begin isolation level repeatable read');
    await holder.query('select 1 from pg_class limit 1');
    const { open } = await segments();
    await add('a', 50);
    expect(await claim(50)).toHaveLength(50);
    expect((await segments()).sizes[open]).toBeGreaterThan(0);
    await rotate();
    await rotate();
    expect((await segments()).sizes[open]).toBe(0);
    await holder.query('rollback');
  });

  test('lose nothing: what is left of one moves to the open one', async () => {
    await add('a', 30);
    await claim(20);
    await rotate();
    await rotate();
    await rotate();
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 10, pending: 20 });
    expect(await claim(30)).toHaveLength(10);
  });

  test('keep a unit that is being added to a segment that has just been closed', async () => {
    await add('first', 10);
    const { open } = await segments();
    await coordinate.transaction(async (client) => {
      await spec.addWorkUnits([{ name: 'late', data: {} }], { client });
      await claim(10);
      await rotate();
      await rotate();
      expect((await segments()).sizes[open]).toBeGreaterThan(0);
    });
    expect(await claim(10)).toEqual(['late']);
  });

  test('wait for nobody: while a dump holds its locks they stay, and claims go on', async () => {
    await add('a', 10);
    const { open } = await segments();
    await claim(10);
    const dump = await database.client();
    await dump.query(`begin; lock table ${database.bucket}.ready in access share mode`);
    await rotate();
    await rotate();
    expect((await segments()).sizes[open]).toBeGreaterThan(0);
    await add('b', 10);
    expect(await claim(10)).toHaveLength(10);
    await dump.query('rollback');
    await rotate();
    await rotate();
    expect((await segments()).sizes[open]).toBe(0);
  });

  test('let a unit be changed, deleted and retried wherever it lies', async () => {
    await add('a', 3);
    await rotate();
    await add('b', 3);
    await rotate();
    await (await spec.workUnit('a1')).setPriority(9);
    expect(await spec.deleteWorkUnits({ names: ['b1'] })).toBe(1);
    expect(await claim(10)).toEqual(['a1', 'a0', 'a2', 'b0', 'b2']);
  });
});
