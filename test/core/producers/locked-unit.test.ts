import { randomUUID } from 'node:crypto';
import type { Namespace, WorkSpec } from 'pg-coordinate';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { untilWaiting } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { whileLocked } from '../blocked.js';

const database = await testDatabase();
const coordinate = await database.connect();
let namespace: Namespace;
let spec: WorkSpec;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec' });
});

/** Runs something while a transaction, which is handed in, holds a unit of these names. */
async function whileHeld(names: readonly string[], during: (client: Awaited<ReturnType<typeof database.client>>) => Promise<void>): Promise<void> {
  const client = await database.client();
  await client.query('begin');
  for (const name of names) await spec.addWorkUnit(name, { by: 'its holder' }, {}, { client });
  try {
    await during(client);
  } finally {
    await client.query('rollback');
  }
}

describe.each([['exist', true], ['are new', false]])('while somebody holds a unit, of units that %s', (_, exist) => {
  beforeEach(async () => {
    if (exist) await spec.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
  });

  test('those asked for later are added', async () => {
    let locked: Promise<unknown> | undefined;
    await whileHeld(['a'], async () => {
      locked = spec.addWorkUnit('a', {});
      await untilWaiting(database);
      await spec.addWorkUnit('b', {});
      await Promise.all([spec.addWorkUnit('b', {}), spec.addWorkUnit('c', {})]);
    });
    await locked;
  });

  test('those asked for at the same moment are added', async () => {
    let locked: Promise<unknown> | undefined;
    await whileHeld(['b'], async () => {
      const [a, b, c] = ['a', 'b', 'c'].map((name) => spec.addWorkUnit(name, { name }));
      locked = b;
      await Promise.all([a, c]);
    });
    await locked;
    expect(await (await spec.workUnit('b')).data()).toEqual({ name: 'b' });
  });

  test('calls of one name keep their order', async () => {
    const calls: Promise<unknown>[] = [];
    await whileHeld(['a'], async () => {
      calls.push(spec.addWorkUnit('a', { n: 1 }), spec.addWorkUnit('b', {}), spec.addWorkUnit('a', { n: 2 }));
      await calls[1];
      calls.push(spec.addWorkUnit('a', { n: 3 }), spec.addWorkUnit('c', {}), spec.addWorkUnit('a', { n: 4 }));
      await calls[4];
    });
    await Promise.all(calls);
    expect(await (await spec.workUnit('a')).data()).toEqual({ n: 4 });
  });

  test('who holds it can add the others, too: there is no deadlock', async () => {
    const { deadlocks } = coordinate.statistics;
    let two: Promise<unknown> | undefined;
    await whileHeld(['b'], async (client) => {
      two = Promise.all([spec.addWorkUnit('a', {}), spec.addWorkUnit('b', {})]);
      await untilWaiting(database);
      await spec.addWorkUnit('a', {}, {}, { client });
    });
    await two;
    expect(coordinate.statistics.deadlocks).toBe(deadlocks);
  });
});

describe('closing while somebody holds a unit', () => {
  async function another(): Promise<[Awaited<ReturnType<typeof database.connect>>, WorkSpec]> {
    const other = await database.connect();
    return [other, await (await other.namespace(namespace.name)).workSpec('spec')];
  }

  test('keeps the order of calls of one name', async () => {
    const [other, mine] = await another();
    const calls: Promise<unknown>[] = [];
    let closing: Promise<void> | undefined;
    await whileHeld(['a'], async () => {
      calls.push(mine.addWorkUnit('a', { n: 1 }), mine.addWorkUnit('b', { n: 1 }));
      await untilWaiting(database);
      calls.push(mine.addWorkUnit('a', { n: 2 }), mine.addWorkUnit('b', { n: 2 }));
      closing = other.close();
      await calls[3];
    });
    await Promise.all(calls);
    await closing;
    for (const name of ['a', 'b']) expect(await (await spec.workUnit(name)).data()).toEqual({ n: 2 });
  });

  test('lets calls that need a second trip come to their end', async () => {
    const [other, mine] = await another();
    const client = await database.client();
    await client.query('begin');
    await spec.addWorkUnit('x', {}, {}, { client });
    const adding = mine.addWorkUnit('x', { late: true });
    await untilWaiting(database);
    const closing = other.close();
    await client.query('commit');
    expect((await adding).name).toBe('x');
    await closing;
    expect(await (await spec.workUnit('x')).data()).toEqual({ late: true });
  });

  test('lets a statement that was in a deadlock be tried again', async () => {
    const [other, mine] = await another();
    const { bucket } = database;
    // As the server does to one of those in a deadlock; it looks for one only once in each wait, and after a second.
    await database.query(`
      create sequence ${bucket}.tries;
      create function ${bucket}.deadlock() returns trigger language plpgsql as
        $$ begin if nextval('${bucket}.tries') = 1 then raise sqlstate '40P01'; end if; return new; end $$;
      create trigger deadlock before insert on ${bucket}.work_unit for each statement execute function ${bucket}.deadlock()`);
    onTestFinished(async () => {
      await database.query(`drop function ${bucket}.deadlock cascade; drop sequence ${bucket}.tries`);
    });
    const [adding, closing] = await whileLocked(database, 'work_unit', async () => {
      const under = mine.addWorkUnits([{ name: 'a', data: {} }, { name: 'b', data: { late: true } }]);
      await untilWaiting(database);
      return [under, other.close()];
    });
    expect(await adding).toBe(2);
    expect(other.statistics.deadlocks).toBe(1);
    await closing;
    expect(await (await spec.workUnit('b')).data()).toEqual({ late: true });
  });
});
