import type { Attempt, PostgresNamespace, Worker, WorkSpec } from 'pg-coordinate';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openTransaction, soon } from '../../concurrency/waiting.js';
import { freezeTime } from '../../database/frozen-time.js';
import { makeDue, untilMadeDue } from '../delayed.js';
import { inReadyRanges, others, whole } from './in-ranges.js';

/*
 * Ranges that are whole, and that nobody has anything of, are claimed as they are, by a statement of its own, and their units are read together. Nobody is to see a
 * difference to other claims.
 */

const { bucket, claim, claimNames, current, database, expectRanges, finish, names, ranges, sentOf, statements, units } = await inReadyRanges();

let namespace: PostgresNamespace;
let spec: WorkSpec;
let worker: Worker;
beforeEach(() => void ({ namespace, spec, worker } = current()));

const namesOf = (attempts: readonly Attempt[]): string[] => attempts.map(({ workUnit }) => workUnit.name);

/** How many leases each range of them has. */
async function leases(): Promise<unknown[]> {
  const rows = await database.query(`select last_number - first_number + 1 as count from ${bucket}.lease_range order by first_number`);
  return rows.map(({ count }) => Number(count));
}

describe('whole ranges', () => {
  test('are claimed in one pass, with names, data, numbers and terms as ever, and are leased as they are', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 650));
    await spec.addWorkUnits(units('b', 0, 90));
    const attempts = await claim(740);
    expect(statements()).toEqual(whole);
    expect([await ranges(), await leases()]).toEqual([[], [200, 200, 200, 50, 90]]);
    expect(namesOf(attempts)).toEqual([...names('a', 0, 650), ...names('b', 0, 90)]);
    expect(attempts.map(({ data }) => data.index)).toEqual([...Array(650).keys(), ...Array(90).keys()]);
    const [first] = attempts;
    expect(attempts.map(({ number }) => number - first!.number)).toEqual([...attempts.keys()]);
    const listed = await worker.activeAttempts();
    expect(listed.map(({ number, workUnit }) => [number, workUnit.name])).toEqual(attempts.map(({ number, workUnit }) => [number, workUnit.name]));
    expect(listed.map(({ startTime, expirationTime }) => [startTime, expirationTime])).toEqual(attempts.map(({ startTime, expirationTime }) => [startTime, expirationTime]));
    sentOf('attempt.');
    await finish(attempts.slice(0, 300));
    // They were found by the ranges that the claim has told.
    expect(sentOf('attempt.')).toEqual(['attempt.end-in-ranges']);
    expect(await leases()).toEqual([200, 200, 50, 90]);
    await finish(attempts.slice(300));
    expect([await leases(), await spec.countWorkUnitStatus()]).toEqual([[], { finished: 810 }]);
    expect(await worker.allAttempts({ limit: 1_000 })).toHaveLength(810);
  });

  test('are claimed as far as there is room for all of each, and then a part of the next', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 600));
    expect(await claimNames(500)).toEqual(names('a', 0, 500));
    expect(statements()).toEqual([...whole, ...others]);
    expect(await ranges()).toEqual([100]);
    expect(await claimNames(500)).toEqual(names('a', 500, 600));
  });

  test('are not tried for a while where they were not enough', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 1_200));
    freezeTime();
    expect(await claimNames(250)).toEqual(names('a', 0, 250));
    expect(statements()).toEqual([...whole, ...others]);
    expect(await claimNames(250)).toEqual(names('a', 250, 500));
    expect(statements()).toEqual(others);
  });

  test('come before units in rows of their own, which are claimed in the next pass', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 200));
    await spec.addWorkUnits(units('b', 0, 30));
    expect(await claimNames(400)).toEqual([...names('a', 0, 200), ...names('b', 0, 30)]);
    expect(statements().filter((label) => label.startsWith('attempt.claim'))).toEqual(['attempt.claim-whole-ranges', 'attempt.claim']);
  });

  test('come in their order among those of other priorities and in rows of their own', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('c', 0, 300));
    await spec.addWorkUnits(units('p', 0, 60, { priority: 1 }));
    await spec.addWorkUnits(units('b', 0, 2));
    expect(await claimNames(1_000)).toEqual([...names('p', 0, 60), ...names('b', 0, 2), ...names('c', 0, 300)]);
  });

  test('are not claimed of a work spec that limits how many run, beyond that', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 400));
    await spec.setData({ name: 'spec', max_running: 220 });
    expect(await claimNames(400)).toEqual(names('a', 0, 220));
    expect(await claimNames(400)).toEqual([]);
    await spec.setData({ name: 'spec', max_getwork: 150 });
    expect(await claimNames(400)).toEqual(names('a', 220, 370));
  });

  test('are not claimed of a work spec that is paused, while anything is due, or beyond the memory there is', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 400));
    await spec.setData({ name: 'spec', disabled: true });
    expect(await claim(400)).toEqual([]);
    await spec.setData({ name: 'spec', min_gb: 2 });
    expect(await worker.requestAttempts({ numberOfWorkUnits: 400, availableGb: 1 })).toEqual([]);
    await spec.setData({ name: 'spec' });
    await spec.addWorkUnits(units('Z', 0, 1, { notBefore: untilMadeDue }));
    await makeDue(database);
    expect(await claimNames(201)).toEqual([...names('Z', 0, 1), ...names('a', 0, 200)]);
  });

  test('have large payloads, too', async () => {
    await expectRanges();
    const large = (index: number): string => String(index).repeat(30_000);
    await spec.addWorkUnits(units('a', 0, 70).map((unit, index) => (index % 20 === 7 ? { ...unit, data: { large: large(index) } } : unit)));
    const attempts = await claim(70);
    expect(statements().slice(0, 2)).toEqual(whole);
    for (const [index, attempt] of attempts.entries()) {
      expect(attempt.data).toEqual(index % 20 === 7 ? { large: large(index) } : { index });
    }
  });
});

describe('where not all of the first is to be had', () => {
  const changes: readonly (readonly [what: string, change: () => Promise<unknown>, left: () => string[]])[] = [
    ['a unit was deleted', () => spec.deleteWorkUnits({ names: ['a0003'] }), () => names('a', 0, 400).filter((name) => name !== 'a0003')],
    ['a unit has another priority', () => spec.setWorkUnitPriorities({ names: ['a0003'] }, 5), () => ['a0003', ...names('a', 0, 400).filter((name) => name !== 'a0003')]],
    [
      'a unit was begun by force',
      async () => worker.makeAttempt(await spec.workUnit('a0003'), 60_000),
      () => names('a', 0, 400).filter((name) => name !== 'a0003'),
    ],
  ];
  test.each(changes)('as %s, the others are claimed', async (_, change, left) => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 400));
    await change();
    expect([...(await claimNames(150)), ...(await claimNames(150)), ...(await claimNames(150))]).toEqual(left());
  });

  test('as somebody has locked a unit, whole ones are not tried again for a while, and then are', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 1_200));
    const client = await openTransaction(database);
    await spec.addWorkUnits([{ name: 'a0001', data: { changed: true } }], { client });
    const time = freezeTime();
    expect(await soon(claimNames(200), 'a claim')).toEqual(names('a', 0, 201).filter((name) => name !== 'a0001'));
    expect(statements().filter((label) => whole.includes(label))).toEqual(whole);
    expect(await soon(claimNames(199), 'a claim')).toEqual(names('a', 201, 400));
    expect(statements().filter((label) => whole.includes(label))).toEqual([]);
    await client.query('commit');
    time.pass(1_000);
    expect(await claimNames(201)).toEqual(['a0001', ...names('a', 400, 600)]);
    expect(statements()).toContain('attempt.claim-whole-ranges');
  });

  test('as units have left their ranges, others are claimed in their place, and whole ones go on being tried', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 1_000));
    await spec.deleteWorkUnits({ names: ['a0003', 'a0250', 'a0399'] });
    freezeTime();
    const left = names('a', 0, 1_000).filter((name) => !['a0003', 'a0250', 'a0399'].includes(name));
    expect(await claimNames(400)).toEqual(left.slice(0, 400));
    expect(statements()).toEqual([...whole, ...others]);
    expect(await claimNames(397)).toEqual(left.slice(400, 797));
    expect(statements()).toEqual(whole);
  });

  test('as somebody has locked a unit, the others of its range come before the next one all the same', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 600));
    const client = await openTransaction(database);
    await spec.addWorkUnits([{ name: 'a0001', data: { changed: true } }], { client });
    expect(await soon(claimNames(400), 'a claim')).toEqual(names('a', 0, 401).filter((name) => name !== 'a0001'));
    await client.query('rollback');
    expect(await claimNames(2)).toEqual(['a0001', 'a0401']);
  });

  test('as somebody has locked the range, the others are claimed', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 600));
    const client = await openTransaction(database);
    await client.query(`select from ${bucket}.ready_range where first_name = 'a0200' for share`);
    expect(await soon(claimNames(600), 'a claim')).toEqual([...names('a', 0, 200), ...names('a', 400, 600)]);
    await client.query('rollback');
    expect(await claimNames(600)).toEqual(names('a', 200, 400));
  });

  test('as attempts are forced at this moment, each unit has an attempt of its own all the same', async () => {
    await spec.addWorkUnits(units('a', 0, 4_000));
    let isOver = false;
    const client = await database.client();
    const forced = (async () => {
      // Takes numbers as who forces attempts does.
      while (!isOver) await client.query(`select nextval('${bucket}.attempt_number') from generate_series(1, 500)`);
    })();
    const attempts: Attempt[] = [];
    while (attempts.length < 4_000) attempts.push(...(await claim(400)));
    isOver = true;
    await forced;
    expect(namesOf(attempts)).toEqual(names('a', 0, 4_000));
    const listed = await database.query(`select unit_id, number from ${bucket}.any_lease order by number`);
    expect(listed.map(({ number }) => Number(number))).toEqual(attempts.map(({ number }) => number));
    await finish(attempts);
  });
});

test('who watches is told of all that begin', async () => {
  await expectRanges();
  await spec.addWorkUnits(units('a', 0, 250));
  const events = namespace.events();
  onTestFinished(async () => {
    await events.return();
  });
  await events.ready;
  await claim(250);
  const started: string[] = [];
  while (started.length < 250) {
    const { value } = await events.next();
    if (value?.kind === 'started') started.push(value.workUnit);
  }
  expect(started.sort()).toEqual(names('a', 0, 250));
});

test('many who claim at the same time have each unit once', async () => {
  await spec.addWorkUnits(units('a', 0, 6_000));
  const places = await Promise.all(Array.from({ length: 4 }, () => database.connect()));
  const claimed = await Promise.all(
    places.map(async (place, index) => {
      const own = await (await place.namespace(namespace.name)).worker(`worker ${index}`);
      const all: Attempt[] = [];
      for (;;) {
        const more = await own.requestAttempts({ numberOfWorkUnits: 100 + 150 * index, lifetimeMs: 60_000, mayBeFewer: index % 2 === 1 });
        if (more.length === 0) return all;
        all.push(...more);
        const verdicts = await own.namespace.finishAll(more.slice(0, 80).map((attempt) => ({ attempt })));
        expect(verdicts.filter(({ error }) => error !== null)).toEqual([]);
      }
    }),
  );
  expect(namesOf(claimed.flat()).sort()).toEqual(names('a', 0, 6_000));
});
