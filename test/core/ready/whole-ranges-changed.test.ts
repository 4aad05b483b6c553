import type { Client } from 'pg';
import type { Attempt, PostgresNamespace, Worker, WorkSpec } from 'pg-coordinate';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { claimWholeRanges } from '../../../src/core/attempt/claim-whole-ranges.js';
import { soon, untilBlocked } from '../../concurrency/waiting.js';
import { inReadyRanges, others, whole } from './in-ranges.js';

/*
 * Claiming whole ranges locks none of their units: a claim sees by a unit's row that somebody has come before it, and who comes later finds the range locked.
 */

const { bucket, claim, claimNames, current, database, names, ranges, statements, units } = await inReadyRanges();

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

test.each(['seqscan', 'indexscan'])('ranges are locked before a unit is read, by a plan without %s, too', async (kind) => {
  await inTransaction(async (client) => {
    await client.query(`set local enable_bitmapscan = off; set local enable_${kind} = off; set local plan_cache_mode = force_generic_plan`);
    await client.query(`prepare of_whole_ranges as ${claimWholeRanges.text(bucket, database.schema)}`);
    const [statement] = (await client.query<{ types: number }>(`select cardinality(parameter_types) as types from pg_prepared_statements where name = 'of_whole_ranges'`)).rows;
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (costs off) execute of_whole_ranges(${Array(statement!.types).fill('null').join(', ')})`);
    const [, plan] = rows.map((row) => row['QUERY PLAN'].trim()).join('\n').split('CTE untouched\n');
    const [before, scan] = plan!.split(/^(.* on work_unit u)$/m);
    expect(scan).toMatch(kind === 'seqscan' ? /Index Scan/ : /Seq Scan/);
    // Once for all units: how many ranges were locked.
    expect(before).toMatch(/One-Time Filter[^]*CTE Scan on picked/);
  });
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

  test('who has locked a unit, and not yet changed it, keeps that', async () => {
    await spec.addWorkUnits(units('a', 0, 300));
    expectWholeRanges();
    await inTransaction(async (client) => {
      await client.query(`select from ${bucket}.work_unit where name = 'a0003' for no key update`);
      statements();
      expect(await soon(claimNames(300), 'a claim')).toEqual(names('a', 0, 300).filter((name) => name !== 'a0003'));
      expect(statements()).toEqual(expect.arrayContaining([whole[0], others[0]]));
    });
    expect(await claimNames(300)).toEqual(['a0003']);
  });
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
