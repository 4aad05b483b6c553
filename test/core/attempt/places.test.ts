import { randomUUID } from 'node:crypto';
import type { Attempt, Namespace, WorkSpec } from 'pg-coordinate';
import type { PostgresWorker } from '../../../src/core/worker/postgres-worker.js';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { PostgresWorkUnit } from '../../../src/core/work-unit/postgres-work-unit.js';
import { untilBlocked } from '../../concurrency/waiting.js';
import { testDatabase } from '../../support/database.js';
import { countedConnection, countedOwnConnection } from '../producers/statements.js';

/*
 * Whoever claims an attempt is told where its rows lie, and tells the statement that ends it. Such a place is a hint: whatever has become of
 * the rows meanwhile, the right attempt ends, and no other.
 */

const database = await testDatabase();
const { coordinate, sent, sentOf, close } = await countedOwnConnection(database);
const { bucket } = database;
afterAll(close);

let namespace: Namespace;
let spec: WorkSpec;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec' });
});

async function claim(count: number, lifetimeMs = 60_000): Promise<Attempt[]> {
  return (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: count, lifetimeMs });
}

async function claimed(count: number, lifetimeMs?: number): Promise<Attempt[]> {
  await spec.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `unit ${index}`, data: { index } })));
  const attempts = await claim(count, lifetimeMs);
  expect(attempts).toHaveLength(count);
  sent('');
  return attempts;
}

async function finishAll(attempts: readonly Attempt[]): Promise<string[]> {
  const verdicts = await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
  return verdicts.map(({ error }) => error?.code ?? 'finished');
}

/** What history has of the attempts, and the units of their ends. */
async function ended(attempts: readonly Attempt[]): Promise<unknown[]> {
  return Promise.all(
    attempts.map(async (attempt) => {
      const { status, data } = await attempt.read();
      const active = await attempt.workUnit.activeAttempt();
      return [status, data, await attempt.workUnit.status(), active?.number === attempt.number];
    }),
  );
}

const all = (attempts: readonly Attempt[]): unknown[] => attempts.map((_, index) => ['finished', { index }, 'finished', true]);

test('attempts just claimed are ended by their places', async () => {
  const attempts = await claimed(10);
  expect(await finishAll(attempts)).toEqual(attempts.map(() => 'finished'));
  expect(sent('attempt.end-placed')).toBe(1);
  expect(await ended(attempts)).toEqual(all(attempts));
  expect(await spec.countWorkUnitStatus()).toEqual({ finished: 10 });
});

test('with the data that some of them are given, however many bytes these have', async () => {
  const attempts = await claimed(6);
  const given = [undefined, { index: 'other' }, {}, { text: 'x'.repeat(100_000) }, undefined, { 'größer': ['ü'.repeat(300)] }];
  const verdicts = await namespace.finishAll(attempts.map((attempt, index) => (given[index] ? { attempt, data: given[index] } : { attempt })));
  expect(verdicts.map(({ error }) => error)).toEqual(Array(6).fill(null));
  expect(sentOf('attempt.')).toEqual(['attempt.end-placed']);
  expect(await ended(attempts)).toEqual(given.map((data, index) => ['finished', data ?? { index }, 'finished', true]));
});

test('of several specs together, of which one has a next one for what has output', async () => {
  const attempts = await claimed(2);
  const next = await namespace.setWorkSpec({ name: 'next' });
  const chained = await namespace.setWorkSpec({ name: 'chained', then: 'next' });
  await chained.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
  const [a, b, c] = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: 3, workSpecs: ['chained'] });
  sent('');
  const verdicts = await namespace.finishAll([
    { attempt: a!, data: { output: ['made'] } },
    { attempt: attempts[0]! },
    { attempt: b!, data: { plain: true } },
    { attempt: attempts[1]!, data: { output: ['of no use'] } },
    { attempt: c! },
  ]);
  expect(verdicts.map(({ error }) => error)).toEqual(Array(5).fill(null));
  expect(sent('attempt.end-placed')).toBe(1);
  expect(await Promise.all([a, b, c].map(async (attempt) => (await attempt?.read())?.data))).toEqual([{ output: ['made'] }, { plain: true }, {}]);
  expect(await spec.countWorkUnitStatus()).toEqual({ finished: 2 });
  expect(await chained.countWorkUnitStatus()).toEqual({ finished: 3 });
  expect((await next.workUnits()).map(({ name }) => name)).toEqual(['made']);
});

test('failed as well as finished, with output that is of no use then', async () => {
  await namespace.setWorkSpec({ name: 'next' });
  await spec.setData({ name: 'spec', then: 'next' });
  const attempts = await claimed(3);
  const verdicts = await namespace.failAll(attempts.map((attempt) => ({ attempt, data: { output: ['none'] } })));
  expect(verdicts.map(({ error }) => error)).toEqual(Array(3).fill(null));
  expect(sentOf('attempt.')).toEqual(['attempt.end-placed']);
  expect(await spec.countWorkUnitStatus()).toEqual({ failed: 3 });
});

test('an attempt that is reported twice, in one list, ends once', async () => {
  const [first, second] = await claimed(2);
  expect(await finishAll([first!, second!, first!])).toEqual(['finished', 'finished', 'NotPending']);
  expect(await ended([first!, second!])).toEqual(all([first!, second!]));
});

test('while somebody has locked one of their units, nothing of the others is locked, and all end once it is free', async () => {
  const attempts = await claimed(3);
  const other = await database.client();
  await other.query('begin');
  const unitId = (attempts[1]?.workUnit as PostgresWorkUnit).id;
  await other.query(`select from ${bucket}.work_unit where id = $1 for update`, [unitId]);
  const finished = finishAll(attempts);
  // After the first try, which goes by places, has given up.
  await untilBlocked(database, 'attempt.end ');
  expect(await database.query(`select from ${bucket}.lease where unit_id = $1 for update skip locked`, [unitId])).toHaveLength(1);
  await other.query('rollback');
  expect(await finished).toEqual(Array(3).fill('finished'));
  expect(await ended(attempts)).toEqual(all(attempts));
});

test('on a pool of the user’s, whose sessions may join in any order, places are not used', async () => {
  const theirs = await countedConnection(database);
  try {
    const given = await theirs.coordinate.namespace(namespace.name);
    await spec.addWorkUnit('unit', {});
    const [attempt] = await (await given.worker('worker')).requestAttempts();
    await attempt?.finish();
    expect(theirs.sent('attempt.end-undisturbed')).toBe(1);
    expect(await attempt?.workUnit.status()).toBe('finished');
  } finally {
    await theirs.close();
  }
});

test('attempts that were read, and those of which one was, are ended all the same', async () => {
  const attempts = await claimed(3);
  const read = await (await namespace.worker('worker')).activeAttempts();
  expect(await finishAll([attempts[0]!, ...read.filter(({ number }) => number !== attempts[0]?.number)])).toEqual(Array(3).fill('finished'));
  expect(sent('attempt.end-placed')).toBe(0);
  expect(await ended(attempts)).toEqual(all(attempts));
});

describe('the right ones are ended, with the data and the count of attempts that are theirs, although meanwhile', () => {
  test('their leases were renewed by somebody else', async () => {
    const attempts = await claimed(5);
    const seen = await (await namespace.worker('worker')).activeAttempts();
    await seen[3]?.renew(120_000, { index: 33 });
    sent('');
    expect(await finishAll(attempts)).toEqual(Array(5).fill('finished'));
    expect(sentOf('attempt.end')).toEqual(['attempt.end-placed', 'attempt.end']);
    expect(await ended(attempts)).toEqual([0, 1, 2, 33, 4].map((index) => ['finished', { index }, 'finished', true]));
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 5 });
  });

  test('they were renewed, after which no place is tried in vain', async () => {
    const attempts = await claimed(1);
    await attempts[0]?.renew(120_000);
    sent('');
    expect(await finishAll(attempts)).toEqual(['finished']);
    expect(sent('attempt.end-placed')).toBe(0);
  });

  test('their units were changed', async () => {
    const attempts = await claimed(5);
    await spec.setWorkUnitPriorities({ names: ['unit 2'] }, 5);
    await spec.addWorkUnit('unit 4', { index: 44 });
    sent('');
    expect(await finishAll(attempts)).toEqual(Array(5).fill('finished'));
    expect(sentOf('attempt.end')).toEqual(['attempt.end-placed', 'attempt.end']);
    expect(await ended(attempts)).toEqual(all(attempts));
    expect(await (await spec.workUnit('unit 2')).priority()).toBe(5);
  });

  test('their tables were written anew, and other rows lie in their places', async () => {
    await spec.addWorkUnits([{ name: 'before', data: {} }, { name: 'before, too', data: {} }]);
    const [first] = await claim(2);
    const attempts = await claimed(5);
    await first?.finish();
    await database.query(`vacuum full ${bucket}.lease, ${bucket}.work_unit`);
    sent('');
    expect(await finishAll(attempts)).toEqual(Array(5).fill('finished'));
    expect(await ended(attempts)).toEqual(all(attempts));
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 6, pending: 1 });
  });

  test('they have had several attempts', async () => {
    const attempts = await claimed(2);
    await attempts[1]?.retry();
    const [again] = await claim(1);
    expect(await finishAll([attempts[0]!, again!])).toEqual(['finished', 'finished']);
    expect(await again?.workUnit.numAttempts()).toBe(2);
    expect(await attempts[0]?.workUnit.numAttempts()).toBe(1);
  });
});

describe('none is ended that is no longer active, although its place is known, and all others are:', () => {
  test('it was cleared, and its unit was claimed again', async () => {
    const attempts = await claimed(3);
    await attempts[1]?.workUnit.clearActiveAttempt();
    const [again] = await claim(1);
    // Recorded as finished, as it was still pending, but it changes nothing about the unit.
    expect(await finishAll(attempts)).toEqual(Array(3).fill('finished'));
    expect(await again?.workUnit.status()).toBe('pending');
    expect((await again?.workUnit.activeAttempt())?.number).toBe(again?.number);
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 2, pending: 1 });
  });

  test('it has ended, its row was cleaned up, and another lease may lie in its place', async () => {
    const [gone, ...others] = await claimed(3);
    await gone?.retry();
    await database.query(`vacuum ${bucket}.lease`);
    const [again] = await claim(1);
    expect(await finishAll([gone!, ...others])).toEqual(['NotPending', 'finished', 'finished']);
    expect(await again?.workUnit.status()).toBe('pending');
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 2, pending: 1 });
  });

  // As it is after a process that was destroying them has died, and until the next one goes on with it.
  test.each([{}, { output: ['made'] }])('its spec was destroyed, and its units are still to be deleted: %o', async (data) => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    await spec.setData({ name: 'spec', then: 'next' });
    const attempts = await claimed(2);
    await database.query(`delete from ${bucket}.work_spec where name = 'spec' and namespace_id = (
      select namespace_id from ${bucket}.worker where id = $1)`, [(attempts[0]?.worker as PostgresWorker).id]);
    const verdicts = await namespace.finishAll(attempts.map((attempt) => ({ attempt, data })));
    expect(verdicts.map(({ error }) => error?.code)).toEqual(['Gone', 'Gone']);
    expect(await next.workUnits()).toEqual([]);
  });

  test.each([2, 20])('one of another spec was renewed meanwhile as well, beside %i whose spec was destroyed', async (count) => {
    const attempts = await claimed(count);
    const other = await namespace.setWorkSpec({ name: 'other' });
    await other.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `other ${index}`, data: {} })));
    const others = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: count, workSpecs: ['other'] });
    await namespace.renewAll(others.slice(0, count / 2).map((attempt) => ({ attempt })), 120_000);
    await (await namespace.worker('by force')).makeAttempt(others[0]!.workUnit);
    await database.query(`delete from ${bucket}.work_spec where id = (select spec_id from ${bucket}.any_lease where number = $1)`, [attempts[0]?.number]);
    const verdicts = await namespace.finishAll([...others, ...attempts].map((attempt) => ({ attempt })));
    expect(verdicts.map(({ error }) => error?.code)).toEqual([...others.map(() => undefined), ...attempts.map(() => 'Gone')]);
    expect(await other.countWorkUnitStatus()).toEqual({ finished: count - 1, pending: 1 });
  });

  test('its unit was deleted', async () => {
    const attempts = await claimed(3);
    await spec.deleteWorkUnits({ names: ['unit 1'] });
    expect(await finishAll(attempts)).toEqual(['finished', 'Gone', 'finished']);
  });
});
