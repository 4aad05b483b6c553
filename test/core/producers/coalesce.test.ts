import { randomUUID } from 'node:crypto';
import { ClosedError, type Namespace, type PostgresCoordinate, type WorkSpec } from 'pg-coordinate';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { caught } from '../../database/caught.js';
import { freezeTimers } from '../../database/frozen-time.js';
import { untilWaiting } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { whileLocked } from '../blocked.js';
import { countedConnection } from './statements.js';

const database = await testDatabase();
const { coordinate, sent, sentOf, close } = await countedConnection(database);
afterAll(close);

const label = 'work-unit.add-new';
let namespace: Namespace;
let spec: WorkSpec;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec' });
  sent(label);
});

/** While the first statement waits for a lock, more calls come: they must wait for it, and then go together. */
async function withOneUnderWay<T>(first: () => Promise<unknown>, later: () => T): Promise<T> {
  let answer: T | undefined;
  await whileLocked(database, 'work_unit', async () => {
    void first();
    await untilWaiting(database);
    answer = later();
  });
  return answer as T;
}

describe('units added one by one', () => {
  test('at the same moment go in one statement, and each call has its unit', async () => {
    const units = await Promise.all(Array.from({ length: 50 }, (_, index) => spec.addWorkUnit(`unit ${index}`, { index }, { priority: index })));
    expect(sent(label)).toBe(1);
    expect(units.map(({ name }) => name)).toEqual(units.map((_, index) => `unit ${index}`));
    expect(await Promise.all(units.map((unit) => unit.data()))).toEqual(units.map((_, index) => ({ index })));
    expect(await units[7]!.meta()).toEqual({ priority: 7, notBefore: null });
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 50 });
  });

  test('while others are under way go together in the next, at most a thousand', async () => {
    // Whatever takes long here, nobody's patience comes to its end.
    freezeTimers();
    const [first, adding] = await whileLocked(database, 'work_unit', async () => {
      const underWay = spec.addWorkUnit('first', {});
      await untilWaiting(database);
      const waiting = Promise.all(Array.from({ length: 2_300 }, (_, index) => spec.addWorkUnit(`unit ${index}`, { index })));
      // Time in which they would go if they did not wait.
      await coordinate.namespaces();
      expect(sentOf(label)).toEqual([label]);
      return [underWay, waiting];
    });
    await first;
    const others = await adding;
    expect(sentOf(label)).toEqual(Array.from({ length: 3 }, () => `${label}-in-ranges`));
    expect(await others[1_234]!.data()).toEqual({ index: 1_234 });
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 2_301 });
  });

  test('go in statements of about 4 MB at most', async () => {
    const blob = new Uint8Array(1_000_000);
    await Promise.all(Array.from({ length: 9 }, (_, index) => spec.addWorkUnit(`unit ${index}`, { blob })));
    expect(sent(label)).toBe(3);
    await spec.addWorkUnit('larger than that', { blob: new Uint8Array(5_000_000) });
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 10 });
  });

  test('one after another go one after another', async () => {
    for (const name of ['a', 'b', 'c']) await spec.addWorkUnit(name, {});
    expect(sent(label)).toBe(3);
  });

  test('through several objects of one spec go together; of another spec they do not wait', async () => {
    const same = await namespace.workSpec('spec');
    const other = await namespace.setWorkSpec({ name: 'other' });
    sent(label);
    const units = await Promise.all([spec.addWorkUnit('a', {}), same.addWorkUnit('b', {}), other.addWorkUnit('a', { other: true })]);
    expect(sent(label)).toBe(2);
    expect(units[1].workSpec).toBe(same);
    expect(await units[2].data()).toEqual({ other: true });
  });

  test('need no second trip to find what exists already', async () => {
    await spec.addWorkUnits([{ name: 'b', data: {} }, { name: 'd', data: {} }]);
    sent(label);
    const units = await Promise.all(['d', 'c', 'b', 'a'].map((name) => spec.addWorkUnit(name, { name })));
    expect(sent('work-unit.find-ids')).toBe(0);
    expect(await Promise.all(units.map((unit) => unit.data()))).toEqual(['d', 'c', 'b', 'a'].map((name) => ({ name })));
  });

  test('of the same name twice: the last wins, and both calls have the unit', async () => {
    const [one, two] = await Promise.all([spec.addWorkUnit('a', { n: 1 }, { priority: 9 }), spec.addWorkUnit('a', { n: 2 })]);
    expect(sent(label)).toBe(1);
    expect([await one.data(), await two.data(), await one.priority()]).toEqual([{ n: 2 }, { n: 2 }, 0]);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1 });
  });

  test('are taken as they were when they were given', async () => {
    const data = { n: 1 };
    const notBefore = new Date('2999-01-01');
    const key = Uint8Array.of(97);
    const adding = spec.addWorkUnit(key, data, { notBefore });
    data.n = 2;
    notBefore.setTime(0);
    key[0] = 98;
    const unit = await adding;
    expect([unit.name, await unit.data(), await unit.meta()]).toEqual(['a', { n: 1 }, { priority: 0, notBefore: new Date('2999-01-01') }]);
  });

  test('do not suffer from a bad one among them', async () => {
    const results = await Promise.allSettled([
      spec.addWorkUnit('good', {}),
      spec.addWorkUnit('', {}),
      spec.addWorkUnit('bad data', { f: () => 0 }),
      spec.addWorkUnit('bad meta', {}, { priority: Number.NaN }),
      spec.addWorkUnit('good, too', {}),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled']);
    expect(sent(label)).toBe(1);
    expect((await spec.workUnits()).map(({ name }) => name)).toEqual(['good', 'good, too']);
  });

  test('are all told that the spec is gone', async () => {
    await namespace.destroyWorkSpec('spec');
    const errors = await Promise.all(['a', 'b', 'c'].map((name) => caught(spec.addWorkUnit(name, {}))));
    expect(errors).toMatchObject([{ code: 'Gone' }, { code: 'Gone' }, { code: 'Gone' }]);
  });

  test('are all told of an error of the statement; those that come later are not', async () => {
    const refusing = `${database.bucket}.work_unit`;
    await database.query(`alter table ${refusing} add constraint refusing check (priority <> -13)`);
    try {
      const results = await Promise.all([
        caught(spec.addWorkUnit('a', {})),
        caught(spec.addWorkUnit('b', {}, { priority: -13 })),
      ]);
      expect(results).toMatchObject([{ code: '23514' }, { code: '23514' }]);
      await spec.addWorkUnit('c', {});
      expect(await spec.countWorkUnitStatus()).toEqual({ available: 1 });
    } finally {
      await database.query(`alter table ${refusing} drop constraint refusing`);
    }
  });

  test('on a client of the caller’s go alone, in its transaction', async () => {
    const client = await database.client();
    await client.query('begin');
    const [mine] = await Promise.all([spec.addWorkUnit('mine', {}, {}, { client }), spec.addWorkUnit('other', {})]);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1 });
    await client.query('rollback');
    expect(await caught(mine.data())).toMatchObject({ code: 'Gone' });
  });

  test('of the same names by several connections at once are all added, and each call has its unit', async () => {
    const others = await Promise.all(Array.from({ length: 3 }, () => database.connect()));
    const specs = await Promise.all(others.map(async (other) => (await other.namespace(namespace.name)).workSpec('spec')));
    const names = Array.from({ length: 40 }, (_, index) => `unit ${index}`);
    for (let round = 0; round < 5; round++) {
      const units = await Promise.all(
        specs.flatMap((each, connection) =>
          (connection % 2 === 0 ? names : names.toReversed()).map((name) => each.addWorkUnit(name, { round }, { priority: connection })),
        ),
      );
      for (const unit of units) expect(await unit.data()).toEqual({ round });
      expect(await spec.deleteWorkUnits()).toBe(names.length);
    }
  });

  test('while others delete them never end in an error, nor in a unit that is another', async () => {
    const other = await database.connect();
    const deleting = await (await other.namespace(namespace.name)).workSpec('spec');
    const names = Array.from({ length: 10 }, (_, index) => `unit ${index}`);
    let isDone = false;
    const deleter = (async () => {
      while (!isDone) await deleting.deleteWorkUnits();
    })();
    for (let round = 0; round < 30; round++) {
      const units = await Promise.all(names.map((name) => spec.addWorkUnit(name, { name })));
      for (const unit of units) {
        const data = await unit.data().catch((error: unknown) => ({ code: (error as { code?: unknown }).code }));
        expect([{ name: unit.name }, { code: 'Gone' }]).toContainEqual(data);
      }
    }
    isDone = true;
    await deleter;
  });
});

describe('closing', () => {
  async function closing(of: PostgresCoordinate): Promise<[string[], WorkSpec]> {
    const mine = await (await of.namespace(namespace.name)).workSpec('spec');
    const [adding, closed, late] = await withOneUnderWay(
      () => mine.addWorkUnit('first', {}),
      () => {
        const waiting = Array.from({ length: 1_500 }, (_, index) => mine.addWorkUnit(`unit ${index}`, {}));
        const ending = of.close();
        return [waiting, ending, caught(mine.addWorkUnit('late', {}))] as const;
      },
    );
    await closed;
    expect(await late).toBeInstanceOf(ClosedError);
    return [(await Promise.allSettled(adding)).map(({ status }) => status), mine];
  }

  test('waits for what was asked for before, though it had not been sent', async () => {
    const [statuses, mine] = await closing(await database.connect());
    expect(new Set(statuses)).toEqual(new Set(['fulfilled']));
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1_501 });
    expect(await caught(mine.addWorkUnit('later', {}))).toBeInstanceOf(ClosedError);
  });

  test('does so with a single connection', async () => {
    const [statuses] = await closing(await database.connect({ pool: { max: 1 } }));
    expect(new Set(statuses)).toEqual(new Set(['fulfilled']));
  });

  test('right after the calls is no different', async () => {
    const other = await database.connect();
    const mine = await (await other.namespace(namespace.name)).workSpec('spec');
    const adding = [mine.addWorkUnit('a', {}), mine.addWorkUnit('b', {})];
    await other.close();
    expect((await Promise.all(adding)).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 2 });
  });
});
