import type { Namespace, Worker, WorkSpec } from 'pg-coordinate';
import { beforeEach, describe, expect, test } from 'vitest';
import { openTransaction, soon } from '../../concurrency/waiting.js';
import { caught } from '../../database/caught.js';
import { inReadyRanges } from './in-ranges.js';

/*
 * Units that are added together wait in ranges, one row for many. Nobody is to see a difference to a row for each.
 */

const { bucket, claim, claimNames, coordinate, current, database, names, ranges, rows, units } = await inReadyRanges();

let namespace: Namespace;
let spec: WorkSpec;
let worker: Worker;
beforeEach(() => void ({ namespace, spec, worker } = current()));

describe('units that are added together wait', () => {
  test('in ranges of 200 at most, if they are 50 or more of one priority', async () => {
    await spec.addWorkUnits(units('a', 0, 450));
    await spec.addWorkUnits(units('b', 0, 50, { priority: 2.5 }));
    expect([await ranges(), await rows()]).toEqual([[50, 200, 200, 50], 0]);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 500 });
  });

  test('each in a row, if they are fewer, of several priorities, delayed or there already', async () => {
    await spec.addWorkUnits(units('a', 0, 49));
    await spec.addWorkUnits([...units('b', 0, 60), ...units('c', 0, 1, { priority: 1 })]);
    await spec.addWorkUnits(units('d', 0, 60, { notBefore: new Date('2999-01-01') }));
    await spec.addWorkUnits(units('a', 0, 60));
    expect([await ranges(), await rows()]).toEqual([[], 49 + 61 + 11]);
  });

  test('each in a row, where others wait between them', async () => {
    const even = units('a', 0, 800).filter((_, index) => index % 2 === 0);
    await spec.addWorkUnits(even);
    expect([await ranges(), await rows()]).toEqual([[200, 200], 0]);
    await spec.addWorkUnits(units('a', 0, 800).filter((_, index) => index % 2 === 1));
    expect([await ranges(), await rows()]).toEqual([[200, 200], 400]);
    // Of another priority, and of another work spec, they are no others.
    await spec.addWorkUnits(units('a', 0, 60, { priority: 1 }).map((unit, index) => ({ ...unit, name: `a${index}x` })));
    await (await namespace.setWorkSpec({ name: 'other', disabled: true })).addWorkUnits(units('a', 0, 60));
    expect([await ranges(), await rows()]).toEqual([[60, 60, 200, 200], 400]);
    expect(await claimNames(1_000)).toHaveLength(860);
  });

  test('each in a row, if they are added in a transaction of the caller', async () => {
    await coordinate.transaction(async (client) => {
      await spec.addWorkUnits(units('a', 0, 60), { client });
      expect(await claim(100)).toEqual([]);
    });
    expect([await ranges(), await rows()]).toEqual([[], 60]);
    expect(await claim(100)).toHaveLength(60);
  });
});

describe('a claim of many takes from ranges', () => {
  test('whole ones, and as many from the front of the last as are asked for', async () => {
    await spec.addWorkUnits(units('a', 0, 1_000));
    expect(await claimNames(300)).toEqual(names('a', 0, 300));
    expect(await ranges()).toEqual([100, 200, 200, 200]);
    expect(await claimNames(64)).toEqual(names('a', 300, 364));
    expect([await ranges(), await rows()]).toEqual([[36, 200, 200, 200], 0]);
    expect(await claimNames(5_000)).toEqual(names('a', 364, 1_000));
    expect(await ranges()).toEqual([]);
  });

  test('more than one pass through the gate brings', async () => {
    await spec.addWorkUnits(units('a', 0, 4_500));
    expect(await claimNames(3_000)).toEqual(names('a', 0, 3_000));
    expect(await claimNames(3_000)).toEqual(names('a', 3_000, 4_500));
  });

  test('that are many and short', async () => {
    for (let part = 0; part < 40; part++) await spec.addWorkUnits(units('a', 50 * part, 50 * part + 50));
    expect(await ranges()).toHaveLength(40);
    expect(await claimNames(1_990)).toEqual(names('a', 0, 1_990));
    expect(await claimNames(1_990)).toEqual(names('a', 1_990, 2_000));
  });

  test('in the order of priorities and names, whatever waits in a row of its own before, between and behind them', async () => {
    await spec.addWorkUnits(units('b', 0, 300));
    await spec.addWorkUnits(units('d', 0, 100));
    await spec.addWorkUnits([...units('a', 0, 2), ...units('c', 0, 2), ...units('b0250x', 0, 2), ...units('e', 0, 2)]);
    await spec.addWorkUnits([...units('p', 0, 1, { priority: 1 }), ...units('z', 0, 1, { priority: -1 })]);
    const expected = [
      ...names('p', 0, 1), ...names('a', 0, 2), ...names('b', 0, 251), ...names('b0250x', 0, 2), ...names('b', 251, 300), ...names('c', 0, 2),
      ...names('d', 0, 100), ...names('e', 0, 2), ...names('z', 0, 1),
    ];
    expect(await claimNames(1_000)).toEqual(expected);
  });

  test('also where the ranges of several who added at the same time overlap', async () => {
    const [even, odd] = [0, 1].map((rest) => units('a', 0, 600).filter((_, index) => index % 2 === rest));
    await spec.addWorkUnits(even!);
    await spec.addWorkUnits(odd!.map((unit) => ({ ...unit, name: `x${String(unit.name)}` })));
    // As if it had been so.
    await database.query(`update ${bucket}.work_unit set name = substring(name from 2) where name >= 'x'`);
    await database.query(`update ${bucket}.ready_range set first_name = substring(first_name from 2), last_name = substring(last_name from 2) where first_name >= 'x'`);
    expect(await ranges()).toEqual([200, 200, 100, 100]);
    expect(await claimNames(250)).toEqual(names('a', 0, 250));
    expect(await claimNames(20)).toEqual(names('a', 250, 270));
    expect(await claimNames(500)).toEqual(names('a', 270, 600));
  });
});

describe('a claim of few', () => {
  test('has the first range broken up, and no other', async () => {
    await spec.addWorkUnits(units('a', 0, 500));
    expect(await claimNames(1)).toEqual(names('a', 0, 1));
    expect([await ranges(), await rows()]).toEqual([[200, 100], 199]);
    expect(await claimNames(20)).toEqual(names('a', 1, 21));
    expect(await claimNames(63)).toEqual(names('a', 21, 84));
    for (let from = 84; from < 504; from += 60) expect(await claimNames(60)).toEqual(names('a', from, Math.min(500, from + 60)));
  });

  test('of a work spec that limits how many run, how often each runs or how many are handed out, keeps to that', async () => {
    await spec.setData({ name: 'spec', max_running: 70, max_retries: 1, max_getwork: 65 });
    await spec.addWorkUnits(units('a', 0, 300));
    expect(await claim(200)).toHaveLength(65);
    const attempts = await claim(200);
    expect(attempts).toHaveLength(5);
    expect(await claim(200)).toEqual([]);
    await attempts[0]?.retry();
    // Has spent its retries.
    expect(await claimNames(200)).toEqual(names('a', 70, 71));
    expect(await attempts[0]?.workUnit.status()).toBe('failed');
  });
});

describe('a unit is taken out of its range, and of nothing else, when', () => {
  const changes: readonly (readonly [what: string, change: () => Promise<unknown>, then: () => Promise<unknown>])[] = [
    ['its priority changes', async () => (await spec.workUnit('a0007')).setPriority(3), async () => expect(await claimNames(1)).toEqual(['a0007'])],
    ['it is deleted', () => spec.deleteWorkUnits({ names: ['a0007'] }), async () => expect(await spec.countWorkUnitStatus()).toEqual({ available: 299 })],
    ['it is delayed', async () => (await spec.workUnit('a0007')).setMeta({ priority: 0, notBefore: new Date('2999-01-01') }), async () => expect(await (await spec.workUnit('a0007')).status()).toBe('delayed')],
    [
      'it is added again',
      () => spec.addWorkUnits([{ name: 'a0007', data: { again: true } }]),
      async () => expect(await (await spec.workUnit('a0007')).data()).toEqual({ again: true }),
    ],
    [
      'an attempt is forced',
      async () => worker.makeAttempt(await spec.workUnit('a0007'), 60_000),
      async () => expect(await spec.countWorkUnitStatus()).toEqual({ available: 299, pending: 1 }),
    ],
  ];
  test.each(changes)('%s', async (_, change, then) => {
    await spec.addWorkUnits(units('a', 0, 300));
    await change();
    await then();
    const left = (await claimNames(400)).filter((name) => name !== 'a0007');
    expect(left).toEqual(names('a', 0, 300).filter((name) => name !== 'a0007'));
    expect(await ranges()).toEqual([]);
  });

  test('all are, and the range goes with the last', async () => {
    await spec.addWorkUnits(units('a', 0, 300));
    await spec.setWorkUnitPriorities({ names: names('a', 0, 199) }, 1);
    expect(await ranges()).toEqual([200, 100]);
    await spec.setWorkUnitPriorities({ names: names('a', 199, 200) }, 1);
    expect(await ranges()).toEqual([100]);
    await spec.deleteWorkUnits({ names: names('a', 200, 300) });
    expect(await ranges()).toEqual([]);
    expect(await claimNames(400)).toEqual(names('a', 0, 200));
  });

  test('two take the last ones at the same time: a claim finds that nobody is left', async () => {
    await spec.addWorkUnits(units('a', 0, 60));
    const client = await openTransaction(database);
    await spec.addWorkUnits(units('a', 0, 30, { notBefore: new Date('2999-01-01') }), { client });
    await spec.addWorkUnits(units('a', 30, 60, { notBefore: new Date('2999-01-01') }));
    await client.query('commit');
    expect(await ranges()).toEqual([60]);
    expect(await claim(100)).toEqual([]);
    expect(await ranges()).toEqual([]);
    expect(await spec.countWorkUnitStatus()).toEqual({ delayed: 60 });
  });
});

describe('while a transaction of a user has changed a unit of a range', () => {
  test.each([[1], [30], [100], [1_000]])('all others can be claimed (%i at once), and it as well once that is over', async (count) => {
    await spec.addWorkUnits(units('a', 0, 300));
    const client = await openTransaction(database);
    await spec.addWorkUnits([{ name: 'a0000', data: { changed: true } }, { name: 'a0250', data: { changed: true } }], { client });
    const claimed: string[] = [];
    while (claimed.length < 298) {
      const more = await soon(claimNames(count), 'a claim');
      expect(more).not.toEqual([]);
      claimed.push(...more);
    }
    expect(claimed).toEqual(names('a', 0, 300).filter((name) => name !== 'a0000' && name !== 'a0250'));
    await client.query('commit');
    expect(await claimNames(count)).toEqual(count === 1 ? ['a0000'] : ['a0000', 'a0250']);
  });

  test('and that is undone, it can be claimed as if nothing had been', async () => {
    await spec.addWorkUnits(units('a', 0, 300));
    const client = await openTransaction(database);
    await spec.addWorkUnits([{ name: 'a0000', data: { changed: true } }], { client });
    expect(await claimNames(200)).toEqual(names('a', 1, 201));
    await client.query('rollback');
    expect(await claimNames(200)).toEqual(['a0000', ...names('a', 201, 300)]);
    expect(await (await spec.workUnit('a0000')).data()).toEqual({ index: 0 });
  });

  test('another can change another one of it', async () => {
    await spec.addWorkUnits(units('a', 0, 60));
    const client = await openTransaction(database);
    await spec.addWorkUnits([{ name: 'a0000', data: {} }], { client });
    await soon(spec.deleteWorkUnits({ names: ['a0001'] }), 'a deletion');
    await client.query('commit');
    expect(await claimNames(100)).toEqual(['a0000', ...names('a', 2, 60)]);
  });
});

describe('while a transaction of a user has changed a unit that waits in a row of its own', () => {
  test.each([[1], [10]])('few are claimed from the rows behind it, and no range is broken up (%i at once)', async (count) => {
    await spec.addWorkUnits(units('a', 0, 1_000));
    expect(await claimNames(1)).toEqual(['a0000']);
    const client = await openTransaction(database);
    await spec.addWorkUnits([{ name: 'a0001', data: {} }], { client });
    expect(await claimNames(count)).toEqual(names('a', 2, 2 + count));
    expect([await ranges(), await rows()]).toEqual([[200, 200, 200, 200], 199 - count]);
    await client.query('commit');
    expect(await claimNames(1)).toEqual(['a0001']);
  });

  test('so many that none of the first is free, those behind them come before the ranges', async () => {
    await spec.addWorkUnits(units('b', 0, 400));
    await spec.addWorkUnits([...units('a', 0, 150), ...units('z', 0, 1, { priority: -1 })]);
    const client = await openTransaction(database);
    await spec.addWorkUnits(units('a', 0, 100), { client });
    expect(await claimNames(100)).toEqual([...names('a', 100, 150), ...names('b', 0, 50)]);
    await client.query('commit');
    expect(await claimNames(120)).toEqual([...names('a', 0, 100), ...names('b', 50, 70)]);
  });

  test('a row between two ranges is claimed in its turn', async () => {
    await spec.addWorkUnits(units('b', 0, 1_000));
    await spec.addWorkUnits(units('d', 0, 600));
    await spec.addWorkUnits([...units('a', 0, 1), ...units('c', 0, 1)]);
    const client = await openTransaction(database);
    await spec.addWorkUnits(units('a', 0, 1), { client });
    expect(await claimNames(1_500)).toEqual([...names('b', 0, 1_000), ...names('c', 0, 1), ...names('d', 0, 499)]);
    await client.query('rollback');
    expect(await claimNames(1_500)).toEqual([...names('a', 0, 1), ...names('d', 499, 600)]);
  });
});

describe('what was claimed is handed out', () => {
  test('although the range that comes next cannot be broken up', async () => {
    await spec.addWorkUnits(units('b', 0, 100));
    await spec.addWorkUnits(units('a', 0, 10));
    await database.query(`alter function ${bucket}.break_up_ready_range rename to elsewhere`);
    try {
      expect(await claimNames(20)).toEqual(names('a', 0, 10));
    } finally {
      await database.query(`alter function ${bucket}.elsewhere rename to break_up_ready_range`);
    }
    expect(await claimNames(20)).toEqual(names('b', 0, 20));
  });
});

describe('a transaction with one snapshot for all of it', () => {
  test.each(['repeatable read', 'serializable'])('fails if a unit that it changes was claimed since it began (%s)', async (level) => {
    await spec.addWorkUnits(units('a', 0, 300));
    const client = await database.client();
    await client.query(`begin isolation level ${level}`);
    await client.query(`select from ${bucket}.work_unit limit 1`);
    expect(await claim(100)).toHaveLength(100);
    const change = spec.addWorkUnits([{ name: 'a0000', data: { changed: true } }], { client });
    expect(await caught(change)).toMatchObject({ code: expect.stringMatching(/40001|SerializationFailure/) as string });
    await client.query('rollback');
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 200, pending: 100 });
  });

  test('does not fail because of a range that its unit was claimed from before it began', async () => {
    await spec.addWorkUnits(units('a', 0, 200));
    const [attempt] = await claim(100);
    const client = await database.client();
    await client.query('begin isolation level repeatable read');
    await client.query(`select from ${bucket}.work_unit limit 1`);
    expect(await claim(64)).toHaveLength(64);
    await spec.addWorkUnits([{ name: 'a0000', data: { changed: true } }], { client });
    await client.query('commit');
    await attempt?.finish();
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 36, pending: 163, finished: 1 });
  });

  test('keeps nobody from its neighbours for ever, and has its way where nothing was claimed', async () => {
    await spec.addWorkUnits(units('a', 0, 300));
    const client = await database.client();
    await client.query('begin isolation level repeatable read');
    await spec.addWorkUnits([{ name: 'a0000', data: { changed: true } }], { client });
    // The first range is locked.
    expect(await soon(claimNames(300), 'a claim')).toEqual(names('a', 200, 300));
    await client.query('commit');
    expect(await claimNames(300)).toEqual(names('a', 0, 200));
  });
});

describe('units in ranges', () => {
  test('are listed, explained and told of as those in rows of their own', async () => {
    await spec.addWorkUnits(units('a', 0, 300));
    await (await spec.workUnit('a0003')).setPriority(1);
    expect((await spec.workUnits({ statuses: ['available'] })).map(({ name }) => name)).toEqual(names('a', 0, 300));
    expect((await spec.workUnits({ statuses: ['available'], previousName: 'a0197', limit: 4 })).map(({ name }) => name)).toEqual(names('a', 198, 202));
    await claim(50);
    expect((await spec.workUnits({ statuses: ['pending'] })).length).toBe(50);
    expect((await spec.workUnits({ statuses: ['available'] })).map(({ name }) => name)).toEqual(names('a', 50, 300));
    const explained = await (await spec.workUnit('a0250')).explain();
    expect(explained.reasons).toContainEqual({ kind: 'outranked-by-units', ahead: 200, atLeast: false });
    const other = await namespace.setWorkSpec({ name: 'less', priority: -1 });
    await other.addWorkUnits([{ name: 'later', data: {} }]);
    expect((await (await other.workUnit('later')).explain()).reasons).toContainEqual({ kind: 'outranked-by-spec', workSpec: 'spec', priority: 0 });
    await database.query(`update ${bucket}.work_unit set added_at = statement_timestamp() - interval '1 hour' where name = 'a0299'`);
    const [oldest] = (await coordinate.oldestWaiting()).filter((each) => each.namespace === namespace.name && each.workSpec === 'spec');
    expect(oldest?.seconds).toBeGreaterThan(3_500);
  });

  test('keep a continuous work spec from making another one', async () => {
    await spec.setData({ name: 'spec', continuous: true });
    await spec.addWorkUnits(units('a', 0, 60));
    expect(await claimNames(100)).toEqual(names('a', 0, 60));
    expect(await claim(100)).toEqual([]);
  });

  test('are passed through in one go when those in front have been deleted with nobody there to claim', async () => {
    await spec.addWorkUnits(units('a', 0, 1_000));
    const client = await openTransaction(database);
    await spec.addWorkUnits(units('a', 0, 1_000, { notBefore: new Date('2999-01-01') }).filter((_, index) => index % 2 === 0), { client });
    await spec.addWorkUnits(units('a', 0, 1_000, { notBefore: new Date('2999-01-01') }).filter((_, index) => index % 2 === 1));
    await client.query('commit');
    await spec.addWorkUnits(units('b', 0, 10));
    expect(await claimNames(5)).toEqual(names('b', 0, 5));
    expect(await ranges()).toEqual([]);
  });
});
