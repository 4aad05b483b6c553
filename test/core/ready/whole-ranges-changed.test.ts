import type { Client } from 'pg';
import type { Attempt, PostgresNamespace, Worker, WorkSpec } from 'pg-coordinate';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openTransaction, soon, untilBlocked } from '../../concurrency/waiting.js';
import { inReadyRanges, whole } from './in-ranges.js';

/*
 * Claiming whole ranges locks none of their units, and reads none: of a unit that somebody has taken out before, its row says so, and who comes later finds the range locked.
 */

const { bucket, claim, claimNames, current, database, finish, names, ranges, statements, units } = await inReadyRanges();

let namespace: PostgresNamespace;
let spec: WorkSpec;
let worker: Worker;
beforeEach(() => void ({ namespace, spec, worker } = current()));

/** Has claims begin with whole ranges, whatever became of those before. */
function expectWholeRanges(of = namespace): void {
  const { lastClaims } = of.bucket;
  const spies = [vi.spyOn(lastClaims, 'expectsRanges'), vi.spyOn(lastClaims, 'expectsWholeRanges')].map((spy) => spy.mockReturnValue(true));
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
}

/** Undoes the transaction before anything else, should the test fail: what cleans up would wait for it. */
async function inTransaction<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const client = await database.client();
  await client.query('begin');
  try {
    return await use(client);
  } finally {
    await client.query('rollback');
  }
}

/** How many units each range of leases lists. */
const leases = async (): Promise<unknown[]> => (await database.query(`select cardinality(array_remove(unit_ids, 0)) as count from ${bucket}.lease_range order by first_number, ctid`)).map(({ count }) => count);

const namesOf = (attempts: readonly Attempt[]): string[] => attempts.map(({ workUnit }) => workUnit.name);

test('claiming whole ranges leaves the rows of their units as they are', async () => {
  await spec.addWorkUnits(units('a', 0, 450));
  const rows = (): Promise<unknown[]> => database.query(`select ctid, xmin, xmax from ${bucket}.work_unit order by id`);
  const before = await rows();
  expectWholeRanges();
  expect(await claim(450)).toHaveLength(450);
  expect(statements()).toEqual(whole);
  expect(await rows()).toEqual(before);
});

const two = ['a0003', 'a0250'];

/** What somebody may do to these two, by which statement, and what they and the others are if they have just been claimed. */
const changes: readonly (readonly [what: string, change: () => Promise<unknown>, label: string, then: Record<string, number>])[] = [
  ['gives them other data', () => spec.addWorkUnits(two.map((name) => ({ name, data: { changed: true } }))), 'work-unit.add', { pending: 300 }],
  ['gives them another priority', () => spec.setWorkUnitPriorities({ names: two }, 5), 'work-unit.change', { pending: 300 }],
  ['deletes them', () => spec.deleteWorkUnits({ names: two }), 'work-unit.delete', { pending: 298 }],
  ['begins one by force', async () => worker.makeAttempt(await spec.workUnit('a0250'), 60_000), 'attempt.make', { pending: 300 }],
  ['would delete them if they were available', async () => expect(await spec.deleteWorkUnits({ names: two, statuses: ['available'] })).toBe(0), 'work-unit.delete', { pending: 300 }],
  [
    'would give them another priority if they were available',
    async () => {
      await spec.setWorkUnitPriorities({ names: two, statuses: ['available'] }, 5);
      expect(await (await spec.workUnit('a0003')).priority()).toBe(0);
    },
    'work-unit.change',
    { pending: 300 },
  ],
];

describe('while whole ranges are being claimed', () => {
  test.each(changes)('who %s waits, and finds them claimed', async (_, change, label, then) => {
    await spec.addWorkUnits(units('a', 0, 300));
    expectWholeRanges();
    const [claiming, changing] = await inTransaction(async (client) => {
      // Which numbers are taken from once all locks are held.
      await client.query(`alter sequence ${bucket}.attempt_number cache 1`);
      const claiming = claimNames(300);
      await untilBlocked(database, 'attempt.claim-whole-ranges');
      const changing = change();
      await untilBlocked(database, label);
      return [claiming, changing];
    });
    const isOther = (name: string): boolean => !two.includes(name);
    // The two may be gone again before they are read.
    expect((await claiming).filter(isOther)).toEqual(names('a', 0, 300).filter(isOther));
    await changing;
    expect(await spec.countWorkUnitStatus()).toEqual(then);
    expect(await claim(300)).toEqual([]);
  });

  test('who has locked a unit, and not come to its range yet, finds it claimed', async () => {
    await spec.addWorkUnits(units('a', 0, 300));
    expectWholeRanges();
    await inTransaction(async (client) => {
      await client.query(`select from ${bucket}.work_unit where name = 'a0003' for update`);
      statements();
      expect(await soon(claimNames(300), 'a claim')).toEqual(names('a', 0, 300));
      expect(statements()).toEqual(whole);
      const { rows } = await client.query(`select ${bucket}.delete_units(array(select id from ${bucket}.work_unit where name = 'a0003'), '{available}', now())::int as deleted`);
      expect(rows).toEqual([{ deleted: 0 }]);
    });
    expect(await spec.countWorkUnitStatus()).toEqual({ pending: 300 });
  });
});

/** What somebody may do to the two, and which of them are there to be claimed then. (Who begins one by force looks where claims do, and would wait here as they do.) */
const departures: readonly (readonly [what: string, change: () => Promise<unknown>, left: readonly string[]])[] = [
  ['were given other data', () => spec.addWorkUnits(two.map((name) => ({ name, data: { changed: true } }))), two],
  ['were given another priority', () => spec.setWorkUnitPriorities({ names: two }, 5), two],
  ['were deleted', () => spec.deleteWorkUnits({ names: two }), []],
];

describe('between what a claim sees and its locks on the ranges, units', () => {
  /** Two ranges of which these have left, claimed by who does not know that yet. */
  async function claimNotKnowing(change: () => Promise<unknown>, count = 300): Promise<Attempt[]> {
    const claimDirectly = (numberOfWorkUnits: number): Promise<Attempt[]> => worker.requestAttempts({ workSpecs: [spec], numberOfWorkUnits, lifetimeMs: 60_000 });
    await spec.addWorkUnits(units('A', 0, 1));
    await (await claimDirectly(1))[0]!.finish();
    await spec.addWorkUnits(units('a', 0, 300));
    expectWholeRanges();
    statements();
    const [claiming] = await inTransaction(async (client) => {
      // Only claims look there.
      await client.query(`lock table ${bucket}.no_crash_since in access exclusive mode`);
      const claiming = claimDirectly(count);
      await untilBlocked(database, 'attempt.claim-whole-ranges');
      await soon(change(), 'a change');
      return [claiming];
    });
    return claiming;
  }

  test.each(departures)('that %s are none of the claim, which makes up for them', async (_, change, left) => {
    const attempts = await claimNotKnowing(change);
    expect(statements().slice(0, 2)).toEqual(whole);
    const isOther = (name: string): boolean => !two.includes(name);
    expect(namesOf(attempts).toSorted()).toEqual([...names('a', 0, 300).filter(isOther), ...left].toSorted());
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 1, pending: attempts.length });
    const held = await worker.activeAttempts();
    expect(held).toHaveLength(attempts.length);
    await finish(held);
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 1 + attempts.length });
    expect(await database.query(`select from ${bucket}.lease_range`)).toEqual([]);
    expect(await worker.allAttempts({ limit: 1_000 })).toHaveLength(1 + attempts.length);
  });

  const moved = (): Promise<unknown> => spec.setWorkUnitPriorities({ names: two }, -5);

  test('that have left are not held by anybody, and keep no range', async () => {
    const attempts = await claimNotKnowing(moved, 249);
    expect(await leases()).toEqual([200, 50]);
    expect(await Promise.all(two.map(async (name) => (await spec.workUnit(name)).status()))).toEqual(['available', 'available']);
    const all = await worker.allAttempts({ limit: 1_000 });
    expect(namesOf(all)).toEqual(['A0000', ...namesOf(attempts)]);
    await finish(attempts);
    expect([await leases(), await spec.countWorkUnitStatus()]).toEqual([[], { finished: 250, available: 51 }]);
  });

  test('that have left do not count when the others are renewed, of which each part goes with its last', async () => {
    const attempts = await claimNotKnowing(moved, 249);
    const inFirst = attempts.slice(0, 199);
    const renew = async (some: readonly Attempt[]): Promise<void> => {
      expect((await namespace.renewAll(some.map((attempt) => ({ attempt })), 60_000)).filter(({ error }) => error !== null)).toEqual([]);
    };
    await renew(inFirst);
    expect(await leases()).toEqual([200, 50]);
    await renew(inFirst.slice(0, 50));
    expect((await leases()).map(Number).toSorted((a, b) => a - b)).toEqual([50, 50, 149]);
    await finish(attempts);
    expect([await leases(), await spec.countWorkUnitStatus()]).toEqual([[], { finished: 250, available: 51 }]);
  });

  test('that have left are available once when the leases of the others run out', async () => {
    await claimNotKnowing(moved, 249);
    await database.query(`update ${bucket}.lease_range set expires_at = statement_timestamp() - interval '1 second'`);
    await using fresh = await database.connect();
    const again = await fresh.namespace(namespace.name);
    expect(await (await again.workSpec('spec')).countWorkUnitStatus()).toEqual({ finished: 1, available: 300 });
    expect(await leases()).toEqual([]);
    const attempts = await (await again.worker('another')).requestAttempts({ numberOfWorkUnits: 400, lifetimeMs: 60_000 });
    const isOther = (name: string): boolean => !two.includes(name);
    expect(namesOf(attempts)).toEqual([...names('a', 0, 300).filter(isOther), ...two]);
    expect(await worker.activeAttempts()).toEqual([]);
  });
});

test('where two have taken all units of a range at the same moment, and neither saw that, those behind it are claimed', async () => {
  expectWholeRanges();
  await spec.addWorkUnits(units('a', 0, 600));
  const [one, another] = [await openTransaction(database), await openTransaction(database)];
  await spec.addWorkUnits(units('a', 0, 100, { priority: -1 }), { client: one });
  await spec.addWorkUnits(units('a', 100, 200, { priority: -1 }), { client: another });
  await one.query('commit');
  await another.query('commit');
  expect(await ranges()).toEqual([200, 200, 200]);
  statements();
  expect(await claimNames(200)).toEqual(names('a', 200, 400));
  expect(statements()).toEqual([...whole, ...whole]);
  expect(await leases()).toEqual([200, 200]);
  expect(await claimNames(500)).toEqual([...names('a', 400, 600), ...names('a', 0, 200)]);
  expect(await spec.countWorkUnitStatus()).toEqual({ pending: 600 });
});

test('a unit is claimed once, or deleted before, by many who change and claim at the same time', async () => {
  const [producer, ...claimers] = await Promise.all(Array.from({ length: 3 }, async () => (await database.connect()).namespace(namespace.name)));
  for (const own of claimers) expectWholeRanges(own);
  const changed = await producer!.workSpec('spec');
  const [rounds, perRound] = [6, 1_000];
  const started: string[] = [];
  let deleted = 0;
  for (let round = 0; round < rounds; round++) {
    const prefix = `r${String(round).padStart(2, '0')}`;
    await changed.addWorkUnits(units(prefix, 0, perRound));
    const changing = Array.from({ length: 4 }, async (_, part) => {
      // Each has units of its own, as one that is deleted and added again would be two.
      for (let index = part; index < perRound - 4; index += 40 + 4 * part) {
        const few = [index, index + 4].flatMap((at) => names(prefix, at, at + 1));
        if (part === 0) deleted += await changed.deleteWorkUnits({ names: few, statuses: ['available'] });
        else if (part === 1) await changed.setWorkUnitPriorities({ names: few }, index % 3);
        else if (part === 2) await changed.addWorkUnits(few.map((name) => ({ name, data: { again: index } })));
        else await changed.setWorkUnitPriorities({ names: few.toReversed() }, 1);
      }
    });
    const claiming = claimers.map(async (own, at) => {
      const mine = await own.worker(`worker ${at}`);
      for (let turn = 0; turn < 6; turn++) started.push(...namesOf(await mine.requestAttempts({ numberOfWorkUnits: 400, lifetimeMs: 3_600_000 })));
    });
    await Promise.all([...changing, ...claiming]);
    started.push(...namesOf(await worker.requestAttempts({ numberOfWorkUnits: perRound, lifetimeMs: 3_600_000 })));
    expect(await ranges()).toEqual([]);
  }
  expect(new Set(started).size).toBe(started.length);
  expect(started.length + deleted).toBe(rounds * perRound);
  expect(await spec.countWorkUnitStatus()).toEqual({ pending: started.length });
});
