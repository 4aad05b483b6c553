import type { Attempt, Worker, WorkSpec } from 'pg-coordinate';
import { beforeEach, expect, test } from 'vitest';
import { inReadyRanges, others, whole } from './in-ranges.js';

/* How many units come at once, and where that may be fewer than were asked for: as many as the database need not do more for. */

const { claim, claimNames, current, names, rows, statements, units } = await inReadyRanges();

let spec: WorkSpec;
let worker: Worker;
beforeEach(() => void ({ spec, worker } = current()));

/** Has the last claim be one from ranges, so that the next begins with them. */
async function claimedOfRanges(): Promise<void> {
  await spec.addWorkUnits(units('A', 0, 70));
  await claim(70);
  statements();
}

const namesOf = (attempts: readonly Attempt[]): string[] => attempts.map(({ workUnit }) => workUnit.name);

test.each([
  // The first range has 100 left.
  [450, 300],
  [299, 100],
  [99, 99],
  [800, 700],
])('whole ranges are all that is claimed, if those are enough: of %i asked for %i', async (numberOfWorkUnits, count) => {
  await spec.addWorkUnits(units('a', 0, 1_200));
  expect(await claimNames(500)).toHaveLength(500);
  statements();
  const request = { numberOfWorkUnits, lifetimeMs: 60_000 };
  expect(namesOf(await worker.requestAttempts({ ...request, mayBeFewer: true }))).toEqual(names('a', 500, 500 + count));
  expect(statements()).toEqual(count === 99 ? [...whole, ...others] : whole);
  expect(namesOf(await worker.requestAttempts(request))).toEqual(names('a', 500 + count, Math.min(1_200, 500 + count + numberOfWorkUnits)));
});

test('units in whole ranges come two thousand at once; where it may be fewer, a thousand are enough', async () => {
  await claimedOfRanges();
  await spec.addWorkUnits(units('a', 0, 5_000));
  const request = { numberOfWorkUnits: 2_400, lifetimeMs: 60_000 };
  expect(namesOf(await worker.requestAttempts({ ...request, mayBeFewer: true }))).toEqual(names('a', 0, 2_000));
  expect(statements()).toEqual(whole);
  expect(namesOf(await worker.requestAttempts(request))).toEqual(names('a', 2_000, 4_400));
  expect(statements()).toEqual([...whole, ...whole]);
});

test('of short ranges a thousand are enough', async () => {
  await claimedOfRanges();
  for (let at = 0; at < 3_000; at += 50) await spec.addWorkUnits(units('a', at, at + 50));
  const request = { numberOfWorkUnits: 2_000, lifetimeMs: 60_000 };
  // As many ranges are looked at as would be enough if they were long.
  expect(namesOf(await worker.requestAttempts({ ...request, mayBeFewer: true }))).toEqual(names('a', 0, 1_050));
  expect(namesOf(await worker.requestAttempts(request))).toEqual(names('a', 1_050, 3_000));
});

test('units in rows of their own come a thousand at once', async () => {
  for (let at = 0; at < 2_100; at += 30) await spec.addWorkUnits(units('a', at, at + 30));
  expect(await rows()).toBe(2_100);
  const request = { numberOfWorkUnits: 2_000, lifetimeMs: 60_000 };
  expect(namesOf(await worker.requestAttempts({ ...request, mayBeFewer: true }))).toEqual(names('a', 0, 1_000));
  expect(namesOf(await worker.requestAttempts(request))).toEqual(names('a', 1_000, 2_100));
});

test('whole ranges are not all where more than a range is missing', async () => {
  await claimedOfRanges();
  await spec.addWorkUnits(units('a', 0, 200));
  await spec.addWorkUnits(units('b', 0, 400));
  await spec.addWorkUnits(units('b0000x', 0, 1));
  const attempts = await worker.requestAttempts({ numberOfWorkUnits: 600, lifetimeMs: 60_000, mayBeFewer: true });
  expect(namesOf(attempts)).toEqual([...names('a', 0, 200), ...names('b', 0, 1), ...names('b0000x', 0, 1), ...names('b', 1, 399)]);
});
