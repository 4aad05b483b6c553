import type { Attempt, PostgresNamespace, Worker, WorkSpec } from 'pg-coordinate';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openTransaction, soon, untilBlocked } from '../../concurrency/waiting.js';
import { inReadyRanges } from './in-ranges.js';

const { bucket, claim, coordinate, current, database, expectRanges, finish, names, units } = await inReadyRanges();

let namespace: PostgresNamespace;
let spec: WorkSpec;
let worker: Worker;
beforeEach(() => void ({ namespace, spec, worker } = current()));

const namesOf = (attempts: readonly Attempt[]): string[] => attempts.map(({ workUnit }) => workUnit.name);

/** Has something happen between the next claim's commit and the look at what it has claimed. */
function beforeTheyAreRead(happens: () => Promise<unknown>): void {
  const gate = namespace.bucket;
  const run = gate.runThroughGateAndFollow.bind(gate);
  const spy = vi.spyOn(gate, 'runThroughGateAndFollow').mockImplementationOnce(async (statement) => {
    const answers = await run(statement, undefined);
    await happens();
    return answers;
  });
  onTestFinished(() => spy.mockRestore());
}

describe('what becomes of units in whole ranges between claim and reading', () => {
  const lost: readonly (readonly [what: string, happens: () => Promise<unknown>])[] = [
    ['somebody else began them by force', async () => {
      const other = await namespace.worker('other');
      for (const name of ['a0000', 'a0100', 'a0399']) await other.makeAttempt(await spec.workUnit(name), 60_000);
    }],
    ['they were deleted', () => spec.deleteWorkUnits({ names: ['a0000', 'a0100', 'a0399'] })],
  ];
  test.each(lost)('%s: the others are handed out, with their own numbers', async (_, happens) => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 400));
    beforeTheyAreRead(happens);
    const attempts = await claim(400);
    const gone = new Set(['a0000', 'a0100', 'a0399']);
    expect(namesOf(attempts)).toEqual(names('a', 0, 400).filter((name) => !gone.has(name)));
    const [first] = attempts;
    for (const { number, workUnit } of attempts) expect(number - first!.number).toBe(Number(workUnit.name.slice(1)) - 1);
    await finish(attempts);
  });

  test('they were given other data: they are handed out with those of before', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 400));
    const changed = ['a0000', 'a0100', 'a0399'];
    beforeTheyAreRead(() => spec.addWorkUnits(changed.map((name) => ({ name, data: { changed: true } }))));
    const attempts = await claim(400);
    expect(namesOf(attempts)).toEqual(names('a', 0, 400));
    const [first] = attempts;
    for (const [index, { number, data }] of attempts.entries()) expect([number - first!.number, data]).toEqual([index, { index }]);
    await finish(attempts);
    expect(await Promise.all(changed.map(async (name) => (await spec.workUnit(name)).ownData()))).toEqual(changed.map(() => ({ changed: true })));
  });

  test('some were renewed with data of their own', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 400));
    beforeTheyAreRead(async () => {
      const active = await (await (await coordinate.namespace(namespace.name)).worker('worker')).activeAttempts();
      await active.find(({ workUnit }) => workUnit.name === 'a0150')!.renew(120_000, { renewed: true });
      await active.find(({ workUnit }) => workUnit.name === 'a0020')!.renew(120_000);
    });
    const attempts = await claim(400);
    expect(namesOf(attempts)).toEqual(names('a', 0, 400));
    const first = attempts[0]!.number;
    for (const attempt of attempts) {
      const index = Number(attempt.workUnit.name.slice(1));
      expect([attempt.number - first, attempt.data]).toEqual([index, index === 150 ? { renewed: true } : { index }]);
    }
    await finish(attempts);
  });

  test('two were given other data, one of them between two looks: each is handed out once', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 400));
    const change = (name: string): Promise<unknown> => spec.addWorkUnits([{ name, data: { changed: true } }]);
    let areRead = false;
    beforeTheyAreRead(async () => {
      await change('a0100');
      areRead = true;
    });
    const { database: own } = namespace.bucket.backend;
    const oneTrip = own.transactionInOneTrip.bind(own);
    const spy = vi.spyOn(own, 'transactionInOneTrip').mockImplementation(async (options, steps) => {
      const answers = await oneTrip(options, steps);
      if (areRead) {
        spy.mockRestore();
        await change('a0200');
      }
      return answers;
    });
    onTestFinished(() => spy.mockRestore());
    const attempts = await claim(400);
    expect(namesOf(attempts)).toEqual(names('a', 0, 400));
    await finish(attempts);
  });

  test('one was given other data, and its range was split: all are handed out', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 400));
    beforeTheyAreRead(async () => {
      await spec.addWorkUnits([{ name: 'a0100', data: { changed: true } }]);
      const some = (await worker.activeAttempts()).slice(0, 50);
      await namespace.renewAll(some.map((attempt) => ({ attempt })), 60_000);
    });
    const attempts = await claim(400);
    expect(namesOf(attempts)).toEqual(names('a', 0, 400));
    await finish(attempts);
  });

  test('one has a lease of its own, which cannot be read: the others are handed out, and it stays held', async () => {
    await expectRanges();
    await spec.addWorkUnits(units('a', 0, 400));
    const client = await openTransaction(database);
    beforeTheyAreRead(async () => {
      await spec.addWorkUnits([{ name: 'a0100', data: { changed: true } }]);
      await client.query(`lock table ${bucket}.lease in access exclusive mode`);
    });
    const claiming = claim(400);
    await untilBlocked(database, 'attempt.read-claimed-apart');
    // Of this test's own sessions: other files run the same statement.
    const text = `select pg_cancel_backend(pid) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock' and query like '%attempt.read-claimed-apart %'`;
    expect(await database.query(text, [`pg-coordinate test ${database.schema}`])).toHaveLength(1);
    const attempts = await soon(claiming, 'a claim');
    await client.query('rollback');
    expect(namesOf(attempts)).toEqual(names('a', 0, 400).filter((name) => name !== 'a0100'));
    await finish(attempts);
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 469, pending: 1 });
    expect(namesOf(await worker.activeAttempts())).toEqual(['a0100']);
  });
});
