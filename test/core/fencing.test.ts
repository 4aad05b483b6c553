import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { LostLeaseError, type Attempt, type Namespace, type Worker } from 'pg-coordinate';
import { ManualClock } from 'pg-coordinate/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { caught } from '../database/caught.js';
import { untilWaiting } from '../database/until.js';
import { testDatabase } from '../support/database.js';

const database = await testDatabase();
const coordinate = await database.connect();
const table = `${database.schema}.side_effect`;
let client: pg.Client;
let attempt: Attempt;
let other: Worker;
let unitId: number;

beforeAll(async () => {
  await database.query(`create table ${table} (id text)`);
  client = await database.client();
});
beforeEach(async () => {
  const namespace = await coordinate.namespace(randomUUID());
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnit('unit', {});
  attempt = await claim(namespace);
  other = await namespace.worker('other');
  unitId = (attempt.workUnit as unknown as { id: number }).id;
  await database.query(`truncate ${table}`);
});
afterEach(() => client.query('rollback'));

async function claim(namespace: Namespace): Promise<Attempt> {
  const [claimed] = await (await namespace.worker('worker')).requestAttempts();
  return claimed!;
}

/** Ways for an attempt to be held no longer. */
const losses: Readonly<Record<string, () => Promise<unknown>>> = {
  'is finished': () => attempt.finish(),
  'is failed': () => attempt.fail(),
  'was given up': () => attempt.expire(),
  'is to be retried': () => attempt.retry(),
  'was superseded': () => other.makeAttempt(attempt.workUnit),
  'was cleared away': () => attempt.workUnit.clearActiveAttempt(),
  'has run out, though nobody has noticed': () => attempt.renew(0),
  'is of a unit that was deleted': () => attempt.workUnit.workSpec.deleteWorkUnits({}),
  'is of a spec that was destroyed': () => attempt.workUnit.workSpec.namespace.destroyWorkSpec('spec'),
};

describe('requireHeld', () => {
  test('lets the holder go on', async () => {
    await client.query('begin');
    await attempt.requireHeld({ client });
    await client.query(`insert into ${table} values ('done')`);
    await attempt.finish({}, { client });
    await client.query('commit');
    expect(await database.query(`select * from ${table}`)).toEqual([{ id: 'done' }]);
    expect(await attempt.workUnit.status()).toBe('finished');
  });

  test.each(Object.entries(losses))('raises LostLease when the attempt %s, and the side effect cannot be committed', async (_, lose) => {
    await lose();
    await client.query('begin');
    await client.query(`insert into ${table} values ('of a zombie')`);
    expect(await caught(attempt.requireHeld({ client }))).toBeInstanceOf(LostLeaseError);
    expect((await client.query('commit')).command).toBe('ROLLBACK');
    expect(await database.query(`select * from ${table}`)).toEqual([]);
  });

  test.each(['repeatable read', 'serializable'])('is not fooled by an old snapshot, %s', async (isolation) => {
    for (const [how, lose] of Object.entries(losses)) {
      // The clock is not a matter of snapshots.
      if (how === 'has run out, though nobody has noticed') continue;
      const namespace = await coordinate.namespace(randomUUID());
      await (await namespace.setWorkSpec({ name: 'spec' })).addWorkUnit('unit', {});
      attempt = await claim(namespace);
      other = await namespace.worker('other');
      await client.query(`begin isolation level ${isolation}`);
      await client.query(`select from ${table}`);
      await lose();
      const error = await caught(attempt.requireHeld({ client }));
      expect(['LostLease', '40001'], how).toContain((error as { code: string }).code);
      await client.query('rollback');
    }
  });

  test('keeps the attempt held until the transaction ends: who would take it waits', async () => {
    await client.query('begin');
    await attempt.requireHeld({ client });
    let isTaken = false;
    const taking = other.makeAttempt(attempt.workUnit).then((taken) => {
      isTaken = true;
      return taken;
    });
    await untilWaiting(database);
    expect(isTaken).toBe(false);
    await client.query('commit');
    expect((await taking).number).toBeGreaterThan(attempt.number);
  });

  test('keeps it held though it has run out meanwhile: expiry passes it by, and so do others who ask for work', async () => {
    const clock = new ManualClock();
    const manual = await database.connect({ clock });
    const namespace = await manual.namespace(randomUUID());
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnits([{ name: 'a', data: {} }, { name: 'b', data: {} }]);
    const [mine] = await (await namespace.worker('worker')).requestAttempts();
    await client.query('begin');
    await mine!.requireHeld({ client });
    clock.advance(3_600_000);
    const another = await namespace.worker('another');
    expect((await another.requestAttempts({ numberOfWorkUnits: 5 })).map(({ workUnit }) => workUnit.name)).toEqual(['b']);
    await client.query('rollback');
    expect((await another.requestAttempts({ numberOfWorkUnits: 5 })).map(({ workUnit }) => workUnit.name)).toEqual(['a']);
  });

  test('does not keep the holder from renewing meanwhile', async () => {
    await client.query('begin');
    await attempt.requireHeld({ client });
    await attempt.renew(3_600_000, { renewed: true });
    await client.query('commit');
    expect((await attempt.read()).data).toEqual({ renewed: true });
  });

  test('is of use in coordinate.transaction', async () => {
    await other.makeAttempt(attempt.workUnit);
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        await transaction.query(`insert into ${table} values ('of a zombie')`);
        await attempt.requireHeld({ client: transaction });
      }),
    );
    expect(error).toBeInstanceOf(LostLeaseError);
    expect(await database.query(`select * from ${table}`)).toEqual([]);
  });
});

describe('the SQL functions', () => {
  const require = (...values: unknown[]): Promise<unknown> =>
    client.query(`select ${database.bucket}.require_attempt(${values.map((_, index) => `$${index + 1}`).join(', ')})`, values);
  const holds = async (...values: unknown[]): Promise<unknown> => {
    const list = values.map((_, index) => `$${index + 1}`).join(', ');
    const { rows } = await client.query<{ held: unknown }>(`select ${database.bucket}.holds_attempt(${list}) as held`, values);
    return rows[0]?.held;
  };

  test('say that an attempt is held', async () => {
    await require(unitId, attempt.number);
    expect(await holds(unitId, attempt.number)).toBe(true);
  });

  test.each(Object.entries(losses))('say that one is not which %s', async (_, lose) => {
    await lose();
    expect(await caught(require(unitId, attempt.number))).toMatchObject({
      code: 'PC001',
      message: `attempt ${attempt.number} is no longer held`,
      hint: expect.stringContaining('roll back') as string,
    });
    expect(await holds(unitId, attempt.number)).toBe(false);
  });

  test('go by the time they are given', async () => {
    const { expirationTime } = await attempt.read();
    const later = new Date(expirationTime.getTime() + 1);
    await require(unitId, attempt.number, expirationTime.toISOString());
    expect(await holds(unitId, attempt.number, expirationTime.toISOString())).toBe(true);
    expect(await caught(require(unitId, attempt.number, later.toISOString()))).toMatchObject({ code: 'PC001' });
    expect(await holds(unitId, attempt.number, later.toISOString())).toBe(false);
    // Null is the same as left out.
    expect(await holds(unitId, attempt.number, null)).toBe(true);
  });

  test('know nothing of other numbers and other units', async () => {
    for (const [unit, number] of [
      [unitId, attempt.number + 1],
      [unitId, attempt.number - 1],
      [unitId + 1_000_000, attempt.number],
      [null, attempt.number],
      [unitId, null],
    ]) {
      expect(await caught(require(unit, number))).toMatchObject({ code: 'PC001' });
      expect(await holds(unit, number)).toBe(false);
    }
  });

  test('work whatever the search_path', async () => {
    await client.query('begin');
    await client.query(`set local search_path = ''`);
    await require(unitId, attempt.number);
    expect(await holds(unitId, attempt.number)).toBe(true);
    await client.query('rollback');
  });

  test('in one statement with a side effect keep it from happening', async () => {
    await other.makeAttempt(attempt.workUnit);
    const write = client.query(
      `with fence as materialized (select ${database.bucket}.require_attempt($1, $2))
      insert into ${table} select 'of a zombie' from fence`,
      [unitId, attempt.number],
    );
    expect(await caught(write)).toMatchObject({ code: 'PC001' });
    expect(await database.query(`select * from ${table}`)).toEqual([]);
  });
});
