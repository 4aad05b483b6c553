import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Attempt, Namespace, TransactionClient, Worker, WorkSpec } from 'pg-coordinate';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { caught } from '../database/caught.js';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';

const database = await testDatabase();
const coordinate = await database.connect();
const table = `${database.schema}.receipt`;
let namespace: Namespace;
let spec: WorkSpec;
let next: WorkSpec;
let worker: Worker;
let client: pg.Client;

beforeAll(async () => {
  await database.query(`create table ${table} (id text primary key)`);
  client = await database.client();
});
beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  next = await namespace.setWorkSpec({ name: 'next', priority: -1 });
  spec = await namespace.setWorkSpec({ name: 'spec', then: 'next' });
  worker = await namespace.worker('worker');
});

async function held(count = 1): Promise<Attempt[]> {
  await spec.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  return worker.requestAttempts({ numberOfWorkUnits: count });
}

async function receipts(): Promise<string[]> {
  return (await database.query<{ id: string }>(`select id from ${table} where id like $1 order by id`, [`${namespace.name}%`])).map(({ id }) => id);
}

/** What each operation does to a queue that holds one pending unit, and how that shows. */
const operations: Readonly<Record<string, { run: (on: TransactionClient, attempt: Attempt) => Promise<unknown>; then: object }>> = {
  addWorkUnit: {
    run: async (on) => {
      const unit = await spec.addWorkUnit('new', { x: 1 }, { priority: 2 }, { client: on });
      expect(unit.name).toBe('new');
    },
    then: { spec: { available: 1, pending: 1 }, next: {} },
  },
  addWorkUnits: {
    run: (on) => spec.addWorkUnits([{ name: 'new', data: {} }, { name: 'later', data: {}, meta: { notBefore: new Date('2999-01-01') } }], { client: on }),
    then: { spec: { available: 1, delayed: 1, pending: 1 }, next: {} },
  },
  'addWorkUnits of one that is there': {
    run: (on) => spec.addWorkUnits([{ name: 'unit 0', data: { changed: true } }, { name: 'new', data: {} }], { client: on }),
    then: { spec: { available: 1, pending: 1 }, next: {} },
  },
  finish: { run: (on, attempt) => attempt.finish({ result: 1 }, { client: on }), then: { spec: { finished: 1 }, next: {} } },
  'finish with output': {
    run: (on, attempt) => attempt.finish({ output: ['one', 'two'] }, { client: on }),
    then: { spec: { finished: 1 }, next: { available: 2 } },
  },
  fail: { run: (on, attempt) => attempt.fail({ why: 'x' }, { client: on }), then: { spec: { failed: 1 }, next: {} } },
  retry: { run: (on, attempt) => attempt.retry({}, 3_600_000, { client: on }), then: { spec: { delayed: 1 }, next: {} } },
  finishAll: {
    run: (on, attempt) => namespace.finishAll([{ attempt, data: { output: { one: {} } } }], { client: on }),
    then: { spec: { finished: 1 }, next: { available: 1 } },
  },
  failAll: { run: (on, attempt) => namespace.failAll([{ attempt }], { client: on }), then: { spec: { failed: 1 }, next: {} } },
};

const before = { spec: { pending: 1 }, next: {} };

async function counts(): Promise<object> {
  return { spec: await spec.countWorkUnitStatus(), next: await next.countWorkUnitStatus() };
}

/** Clients of other drivers, by shape: they differ in what they make of numbers and times. */
const shapes: Readonly<Record<string, (of: pg.Client) => TransactionClient>> = {
  'a client of pg, which gives 64-bit integers as text': (of) => of,
  'an object with a query, and nothing else': (of) => ({ query: async (text, values) => ({ rows: (await of.query(text, values)).rows }) }),
  'one that gives bigint, and times as text': (of) => ({
    query: async (text, values) => {
      const { rows, fields } = await of.query<Record<string, unknown>>(text, values);
      const convert = (name: string, value: unknown): unknown => {
        const type = fields.find((field) => field.name === name)?.dataTypeID;
        if (value === null) return value;
        if (type === 20) return BigInt(value as string);
        return value instanceof Date ? value.toISOString() : value;
      };
      return { rows: rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, convert(name, value)]))) };
    },
  }),
};

describe.each(['read committed', 'repeatable read', 'serializable'])('in a transaction of the caller’s, %s,', (isolation) => {
  describe.each(Object.entries(operations))('%s', (_, { run, then }) => {
    test.each(Object.entries(shapes))('commits and rolls back with the caller’s rows, and is seen by nobody before, on %s', async (__, shape) => {
      const [attempt] = await held();
      const id = `${namespace.name} receipt`;
      for (const ending of ['rollback', 'commit']) {
        await client.query(`begin isolation level ${isolation}`);
        await client.query(`insert into ${table} values ($1)`, [id]);
        await run(shape(client), attempt!);
        expect(await counts()).toEqual(before);
        expect(await receipts()).toEqual([]);
        await client.query(ending);
        expect(await counts()).toEqual(ending === 'commit' ? then : before);
        expect(await receipts()).toEqual(ending === 'commit' ? [id] : []);
      }
    });
  });
});

describe('coordinate.transaction', () => {
  test.each(Object.entries(operations))('makes %s one with the caller’s rows', async (_, { run, then }) => {
    const [attempt] = await held();
    const id = `${namespace.name} receipt`;
    const error = await caught(
      coordinate.transaction(async (transaction) => {
        await run(transaction, attempt!);
        await transaction.query(`insert into ${table} values ($1)`, [id]);
        throw new Error('no');
      }),
    );
    expect((error as Error).message).toBe('no');
    expect(await counts()).toEqual(before);
    await coordinate.transaction(async (transaction) => {
      await run(transaction, attempt!);
      await transaction.query(`insert into ${table} values ($1)`, [id]);
    });
    expect(await counts()).toEqual(then);
    expect(await receipts()).toEqual([id]);
  });

  test('undoes what a nested one did, and keeps the rest', async () => {
    await coordinate.transaction(async (transaction) => {
      await spec.addWorkUnit('kept', {}, {}, { client: transaction });
      await caught(
        transaction.nested(async (inner) => {
          await spec.addWorkUnit('undone', {}, {}, { client: inner });
          throw new Error('inner');
        }),
      );
    });
    expect((await spec.workUnits()).map(({ name }) => name)).toEqual(['kept']);
  });
});

describe('on the caller’s own client', () => {
  test('a refusal is no error of the database: the transaction goes on', async () => {
    const [done, mine] = await held(2);
    await done!.finish();
    await client.query('begin');
    await client.query(`insert into ${table} values ($1)`, [`${namespace.name} goes on`]);
    expect(await caught(done!.finish({}, { client }))).toMatchObject({ code: 'NotPending' });
    expect(await caught(done!.retry({}, 0, { client }))).toMatchObject({ code: 'NotPending' });
    const verdicts = await namespace.finishAll([{ attempt: done! }, { attempt: mine! }], { client });
    expect(verdicts.map(({ error }) => error?.code ?? null)).toEqual(['NotPending', null]);
    await client.query('commit');
    expect(await counts()).toEqual({ spec: { finished: 2 }, next: {} });
    expect(await receipts()).toHaveLength(1);
  });

  test('a spec that is gone is Gone, and the transaction goes on', async () => {
    await namespace.destroyWorkSpec('spec');
    await client.query('begin');
    expect(await caught(spec.addWorkUnits([{ name: 'new', data: {} }], { client }))).toMatchObject({ code: 'Gone' });
    expect(await caught(spec.addWorkUnit('new', {}, {}, { client }))).toMatchObject({ code: 'Gone' });
    await next.addWorkUnit('new', {}, {}, { client });
    await client.query('commit');
    expect(await next.countWorkUnitStatus()).toEqual({ available: 1 });
  });

  test('an aborted transaction is said to be so', async () => {
    await client.query('begin');
    await caught(client.query('select 1 / 0'));
    expect(await caught(spec.addWorkUnit('new', {}, {}, { client }))).toMatchObject({ code: '25P02' });
    await client.query('rollback');
    expect(await spec.countWorkUnitStatus()).toEqual({});
  });

  test('units that are being added keep nobody from claiming others', async () => {
    await client.query('begin');
    await spec.addWorkUnits([{ name: 'mine', data: {} }], { client });
    await spec.addWorkUnit('yours', {});
    expect((await worker.requestAttempts({ numberOfWorkUnits: 5 })).map(({ workUnit }) => workUnit.name)).toEqual(['yours']);
    await client.query('commit');
    expect((await worker.requestAttempts({ numberOfWorkUnits: 5 })).map(({ workUnit }) => workUnit.name)).toEqual(['mine']);
  });

  test.each(['repeatable read', 'serializable'])('what has changed since a snapshot, %s, is a serialization failure, for the caller to retry', async (isolation) => {
    const [attempt] = await held();
    for (const [collide, operation] of [
      [() => spec.addWorkUnit('new', { theirs: true }), () => spec.addWorkUnit('new', { mine: true }, {}, { client })],
      [() => attempt!.renew(1_000_000), () => attempt!.finish({ mine: true }, { client })],
    ] as const) {
      await client.query(`begin isolation level ${isolation}`);
      await client.query(`select from ${table}`);
      await collide();
      expect(await caught(operation())).toMatchObject({ code: '40001' });
      await client.query('rollback');
      await client.query(`begin isolation level ${isolation}`);
      await operation();
      await client.query('commit');
    }
    expect(await (await spec.workUnit('new')).data()).toEqual({ mine: true });
    expect(await counts()).toEqual({ spec: { available: 1, finished: 1 }, next: {} });
  });

  test('two callers that add the same names wait for each other, and both succeed', async () => {
    const other = await database.client();
    await client.query('begin');
    await spec.addWorkUnits([{ name: 'b', data: { of: 1 } }, { name: 'a', data: { of: 1 } }], { client });
    await other.query('begin');
    let isDone = false;
    const adding = spec.addWorkUnits([{ name: 'a', data: { of: 2 } }, { name: 'b', data: { of: 2 } }], { client: other }).then(() => {
      isDone = true;
    });
    await until('the second waits', async () => {
      const rows = await database.query(`select from pg_stat_activity where wait_event_type = 'Lock' and pid = $1`, [
        (other as unknown as { processID: number }).processID,
      ]);
      return rows.length === 1;
    });
    expect(isDone).toBe(false);
    await client.query('commit');
    await adding;
    await other.query('commit');
    expect(await Promise.all((await spec.workUnits()).map((unit) => unit.data()))).toEqual([{ of: 2 }, { of: 2 }]);
  });
});
