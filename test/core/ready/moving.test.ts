import type { Client } from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import type { PostgresNamespace, WorkSpec } from 'pg-coordinate';
import { until } from '../../database/until.js';
import { openTransaction, untilBlocked } from '../../concurrency/waiting.js';
import { inGenerations } from './in-generations.js';

const { add, claim, coordinate, current, database, generations, rotate, seal, settle, step } = await inGenerations();

let namespace: PostgresNamespace;
let spec: WorkSpec;
beforeEach(() => void ({ namespace, spec } = current()));

/** Takes one step and does not commit it. */
async function begin(closeAfter: number): Promise<Client> {
  const client = await openTransaction(database);
  await step(client, closeAfter);
  return client;
}

/** Makes the next step the one that moves what is left of a closed generation to the open one: a8 and a9, with low0 in a sealed one. */
async function prepareMove(): Promise<void> {
  await add('low', 1, -1);
  await seal();
  await add('a', 10);
  expect(await claim(8)).toHaveLength(8);
  await rotate(1);
  await until('nobody can be adding to the closed one', async () => {
    const [row] = await database.query<{ isKnown: boolean; isOver: boolean }>(`
      select last_value > 0 as "isKnown", pg_snapshot_xmin(pg_current_snapshot())::text::bigint > last_value as "isOver"
      from ${database.bucket}.ready_closed_before`);
    // The step after this one would move them.
    if (!row!.isKnown) await rotate(1_000_000);
    return row!.isKnown && row!.isOver;
  });
  expect(await generations()).not.toMatchObject({ closed: 0 });
}

describe('units that are being moved from a closed generation to the open one', () => {
  test('are seen meanwhile, and are not lost when that comes to nothing', async () => {
    await prepareMove();
    const mover = await begin(1_000_000);
    expect(await spec.workUnits({ statuses: ['available'] })).toHaveLength(3);
    await mover.query('rollback');
    expect(await claim(10)).toEqual(['a8', 'a9', 'low0']);
  });

  test('can be replaced in a transaction of the caller', async () => {
    await prepareMove();
    const mover = await begin(1_000_000);
    const client = await openTransaction(database);
    const added = spec.addWorkUnits([{ name: 'a9', data: { changed: true }, meta: { priority: 1 } }], { client });
    await untilBlocked(database, 'work-unit.add');
    await mover.query('commit');
    await added;
    await client.query('commit');
    expect(await claim(10)).toEqual(['a9', 'a8', 'low0']);
  });
});

describe('units in ranges', () => {
  const generationsOfRanges = (): Promise<unknown[]> =>
    database.query(`select generation::integer, cardinality(unit_ids) as units from ${database.bucket}.ready_range order by first_name`);

  /** A range in the sealed generation, to which it resolves, and one in the open one, which is to be closed. */
  async function prepareRanges(): Promise<number> {
    await add('low', 60, -1);
    await seal();
    await add('a', 60);
    // What is left must be little beside what was claimed.
    await add('x', 16, 9);
    expect(await claim(16)).toHaveLength(16);
    return (await generations()).sealed;
  }

  test('keep the sealed generation alive by themselves', async () => {
    await add('a', 60);
    await seal();
    const { sealed } = await generations();
    expect(await generationsOfRanges()).toEqual([{ generation: sealed, units: 60 }]);
    await rotate(1_000_000);
    expect(await generations()).toMatchObject({ sealed });
    expect(await claim(100)).toHaveLength(60);
    await rotate(1_000_000);
    expect(await generations()).toMatchObject({ sealed: 0 });
  });

  test('move from a closed generation to the open one while there is a sealed one', async () => {
    const sealed = await prepareRanges();
    await seal();
    const moved = await generationsOfRanges();
    expect(moved).toEqual([{ generation: expect.any(Number) as number, units: 60 }, { generation: sealed, units: 60 }]);
    expect((moved[0] as { generation: number }).generation).toBeGreaterThan(sealed + 1);
    expect(await generations()).toMatchObject({ closed: 0, sealed });
    const names = await claim(200);
    expect([names.length, names[0], names[60]]).toEqual([120, 'a0', 'low0']);
  });

  test('move although somebody is changing one of them', async () => {
    const sealed = await prepareRanges();
    await rotate();
    // Whoever begins to change something from here on is not waited for.
    await rotate(1_000_000);
    const client = await openTransaction(database);
    await spec.addWorkUnits([{ name: 'a5', data: { changed: true } }], { client });
    await settle();
    expect(await generationsOfRanges()).toHaveLength(2);
    expect(await generations()).toMatchObject({ closed: 0, sealed });
    expect(await claim(200)).toHaveLength(119);
    await client.query('rollback');
    expect(await claim(200)).toEqual(['a5']);
  });
});

describe('the sealed generation', () => {
  test('gives nobody units of another namespace, whatever this process knows of those', async () => {
    const other = await coordinate.namespace('other');
    const first = await other.setWorkSpec({ name: 'first' });
    const second = await other.setWorkSpec({ name: 'second' });
    await add('x', 3, 0, first);
    await add('y', 3, 0, second);
    await seal();
    expect(await claim(1, other, ['second'])).toEqual(['y0']);
    expect(await claim(1, namespace, null)).toEqual([]);
  });

  test('has the units again whose claims the server has forgotten in a crash', async () => {
    await add('a', 9);
    await seal();
    const { sealed } = await generations();
    await claim(2);
    await claim(2);
    // What a crash does.
    await database.query(`
      with forgotten as (delete from ${database.bucket}.lease returning spec_id, unit_id)
      insert into ${database.bucket}.ready (generation, spec_id, rank, name, unit_id, attempts)
      select ${sealed}, f.spec_id, 0, u.name, f.unit_id, 0
      from forgotten f join ${database.bucket}.work_unit u on u.id = f.unit_id`);
    await database.query(`truncate ${database.bucket}.no_crash_since`);
    expect(await claim(20)).toHaveLength(9);
  });

  test('comes to be on a server on which transactions have other numbers than on the one that was dumped', async () => {
    await add('a', 2);
    await rotate();
    await rotate(1_000_000);
    await database.query(`select setval('${database.bucket}.ready_closed_before', 3000000000)`);
    await settle();
    expect(await claim(5)).toEqual(['a0', 'a1']);
  });
});

/** The units that another process finds, as if other generations had come and gone between the moment of the rows and that of the sequences. */
async function foundWhenRestored(count: number): Promise<string[]> {
  const { sealed } = await generations();
  await database.query(`select setval('${database.bucket}.ready_open', ${sealed + 9}), setval('${database.bucket}.ready_sealed', ${sealed + 7})`);
  const other = await database.connect();
  const theirs = await other.namespace(namespace.name);
  const found: string[] = [];
  await until('all are found', async () => {
    found.push(...(await claim(200, theirs, null)));
    return found.length === count;
  });
  await other.close();
  return found;
}

describe('a dump that was made while there was work', () => {
  test('has its units found, although the sequences in it are newer than they are', async () => {
    await add('a', 3);
    await seal();
    await add('b', 3);
    const found = await foundWhenRestored(6);
    expect(found).toEqual(['a0', 'a1', 'a2', 'b0', 'b1', 'b2']);
  });

  test('has units found that wait in ranges', async () => {
    await add('a', 60);
    await seal();
    await add('b', 60);
    const found = await foundWhenRestored(120);
    expect(new Set(found).size).toBe(120);
  });

  test('has units found of a range of which somebody is changing one', async () => {
    await add('a', 60);
    await seal();
    const client = await openTransaction(database);
    await spec.addWorkUnits([{ name: 'a5', data: { changed: true } }], { client });
    expect(new Set(await foundWhenRestored(59)).size).toBe(59);
  });

  test.each([[false], [true]])('nothing that lies where it should is touched for it (closed: %s)', async (isClosed) => {
    await add('a', 2);
    await seal();
    await add('b', 2);
    if (isClosed) await rotate();
    await add('c', 2);
    const before = await database.query(`select ctid, generation from ${database.bucket}.ready order by ctid`);
    const other = await database.connect();
    expect(await claim(1, await other.namespace('without work'), null)).toEqual([]);
    await other.close();
    expect(await database.query(`select ctid, generation from ${database.bucket}.ready order by ctid`)).toEqual(before);
  });
});
