import type { Client } from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { LostLeaseError, type Attempt, type Namespace, type PostgresCoordinate, type Worker, type WorkUnit } from '../../src/index.js';
import { ManualClock } from '../../src/testing/index.js';
import { testDatabase } from '../support/database.js';
import { expectConsistent } from './consistency.js';
import { openTransaction, soon, untilBlocked } from './waiting.js';

const clock = new ManualClock();
const database = await testDatabase({ clock });
const effects = `${database.schema}.side_effect`;
const lifetimeMs = 60_000;
let count = 0;

beforeAll(() => database.query(`create table ${effects} (number bigint not null)`));

interface Setting {
  readonly coordinate: PostgresCoordinate;
  readonly namespace: Namespace;
  readonly unit: WorkUnit;
  readonly attempt: Attempt;
  readonly other: Worker;
  /** A connection on which the holder's transaction is open. */
  readonly client: Client;
}

async function setUp(): Promise<Setting> {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace(`fence ${++count}`);
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  const unit = await spec.addWorkUnit('unit', {});
  const [attempt] = await (await namespace.worker('holder')).requestAttempts({ lifetimeMs });
  const client = await openTransaction(database);
  return { coordinate, namespace, unit, attempt: attempt!, other: await namespace.worker('other'), client };
}

async function sideEffectsOf({ number }: Attempt): Promise<number> {
  return (await database.query(`select from ${effects} where number = $1`, [number])).length;
}

/** Passes the fence and does something that must not be done twice. */
async function act(client: Client, attempt: Attempt): Promise<void> {
  await attempt.requireHeld({ client });
  await client.query(`insert into ${effects} values ($1)`, [attempt.number]);
}

/** Would show a fence that stops the holder's own heartbeat, so that a long transaction loses the lease it stands on. */
test('behind a fence the lease is renewed as ever', async () => {
  const { attempt, client, unit } = await setUp();
  await act(client, attempt);
  clock.advance(lifetimeMs - 1);
  await soon(attempt.renew(lifetimeMs), 'renew');
  clock.advance(lifetimeMs - 1);
  await attempt.requireHeld({ client });
  await client.query('commit');
  expect(await unit.status()).toBe('pending');
  await attempt.finish();
  expect(await sideEffectsOf(attempt)).toBe(1);
});

/** Would show a unit that is given away while its holder's transaction stands on it; or an expiry that waits for that transaction. */
test('behind a fence an overdue attempt is passed by, and expires after the commit', async () => {
  const { attempt, client, unit, other } = await setUp();
  await act(client, attempt);
  clock.advance(lifetimeMs + 1);
  expect(await soon(other.requestAttempts(), 'a claim')).toEqual([]);
  expect(await soon(unit.status(), 'a look')).toBe('pending');
  await client.query('commit');
  const [next] = await other.requestAttempts();
  expect(next?.workUnit.name).toBe('unit');
  expect(await attempt.read()).toMatchObject({ status: 'expired' });
  expect(await sideEffectsOf(attempt)).toBe(1);
  await expectConsistent(database);
});

/** Would show two holders of one unit at once: the first still in its transaction, the second already handed the unit. */
test.each<[string, string, (setting: Setting) => Promise<unknown>]>([
  ['makeAttempt of another', 'attempt.make', ({ other, unit }) => other.makeAttempt(unit)],
  ['clearActiveAttempt', 'work-unit.clear', ({ unit }) => unit.clearActiveAttempt()],
  ['deleting the unit', 'work-unit.delete', ({ unit }) => unit.workSpec.deleteWorkUnits()],
])('%s waits for the transaction behind the fence', async (_what, statement, takeAway) => {
  const setting = await setUp();
  const { attempt, client } = setting;
  await act(client, attempt);
  let isTaken = false;
  const taking = takeAway(setting).then(() => (isTaken = true));
  await untilBlocked(database, statement);
  await attempt.requireHeld({ client });
  expect(isTaken).toBe(false);
  await client.query('commit');
  await taking;
  expect(await sideEffectsOf(attempt)).toBe(1);
  await expectConsistent(database);
});

/** Would show a zombie whose work is done a second time: by it, and by the one who has the unit now. */
test.each<[string, (setting: Setting) => Promise<unknown>]>([
  ['was forced away', ({ other, unit }) => other.makeAttempt(unit)],
  ['was cleared', ({ unit }) => unit.clearActiveAttempt()],
  [
    'expired and went to another',
    async ({ other }) => {
      clock.advance(lifetimeMs + 1);
      expect(await other.requestAttempts()).toHaveLength(1);
    },
  ],
  ['is overdue', async () => clock.advance(lifetimeMs + 1)],
  ['has ended', ({ attempt }) => attempt.finish()],
  ['is of a unit that is no more', ({ unit }) => unit.workSpec.deleteWorkUnits()],
])('a worker whose attempt %s does not pass the fence, and its transaction rolls back', async (_what, lose) => {
  const setting = await setUp();
  const { coordinate, attempt } = setting;
  await lose(setting);
  const acting = coordinate.transaction(async (transaction) => {
    await transaction.query(`insert into ${effects} values ($1)`, [attempt.number]);
    await attempt.requireHeld({ client: transaction });
  });
  await expect(acting).rejects.toThrow(LostLeaseError);
  expect(await sideEffectsOf(attempt)).toBe(0);
});

/** Would show a fence that believes what it saw before it waited. */
test('a worker that reaches the fence while its unit is being taken away waits, and does not pass', async () => {
  const { coordinate, attempt, other, unit, client } = await setUp();
  // makeAttempt, as far as it goes before its commit.
  const [row] = await database.query<{ worker: string; unit: string }>(
    `select w.id as worker, l.unit_id as unit
     from ${database.bucket}.any_lease l
     join ${database.bucket}.worker h on h.id = l.worker_id
     join ${database.bucket}.worker w on w.namespace_id = h.namespace_id and w.name = 'other'
     where l.number = $1`,
    [attempt.number],
  );
  await client.query(`select ${database.bucket}.make_attempt($1, $2, $3, '1 hour')`, [row!.unit, row!.worker, clock.now()]);
  const acting = expect(
    coordinate.transaction(async (transaction) => {
      await attempt.requireHeld({ client: transaction });
      await transaction.query(`insert into ${effects} values ($1)`, [attempt.number]);
    }),
  ).rejects.toThrow(LostLeaseError);
  await untilBlocked(database, 'attempt.require');
  await client.query('commit');
  await acting;
  expect(await sideEffectsOf(attempt)).toBe(0);
  expect((await unit.activeAttempt())?.worker.name).toBe(other.name);
  await expectConsistent(database);
});

/** Would show a transaction that passes the fence by a lease that was there when it began, and is no more. */
test.each(['repeatable read', 'serializable'])('at %s a fence with an old snapshot does not let a zombie pass', async (isolation) => {
  const { attempt, other, unit, client } = await setUp();
  await client.query('rollback');
  await client.query(`begin isolation level ${isolation}`);
  await client.query(`select count(*) from ${effects}`);
  await other.makeAttempt(unit);
  const passing = attempt.requireHeld({ client });
  // Refused by the fence, or by PostgreSQL because the row it saw has changed.
  await expect(passing).rejects.toSatisfy((error: { code: string }) => ['LostLease', '40001'].includes(error.code));
});
