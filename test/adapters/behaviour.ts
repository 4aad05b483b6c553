import { randomUUID } from 'node:crypto';
import { drop, type Attempt, type Namespace, type TransactionClient, type WorkSpec } from 'pg-coordinate';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { caught } from '../database/caught.js';
import { testDatabase } from '../support/database.js';
import type { Library, OpenLibrary } from './library.js';

/** What every adapter must do, on the real library and the real PostgreSQL. */
export async function adapterBehaves(open: OpenLibrary): Promise<void> {
  const database = await testDatabase();
  const coordinate = await database.connect();
  let library: Library;
  let namespace: Namespace;
  let spec: WorkSpec;
  let next: WorkSpec;
  let id: string;

  beforeAll(async () => {
    await database.query(`create table ${database.schema}.receipt (id text primary key)`);
    library = open({
      connectionString: database.url,
      schema: database.schema,
      application_name: `pg-coordinate test ${database.schema}`,
    });
  });
  afterAll(() => library.close());
  beforeEach(async () => {
    id = randomUUID();
    namespace = await coordinate.namespace(id);
    next = await namespace.setWorkSpec({ name: 'next', priority: -1 });
    spec = await namespace.setWorkSpec({ name: 'spec', then: 'next' });
  });

  const receipts = async (): Promise<number> =>
    (await database.query(`select from ${database.schema}.receipt where id = $1`, [id])).length;

  async function held(count: number): Promise<Attempt[]> {
    await spec.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `held ${index}`, data: { index } })));
    return (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: count });
  }

  /** Once rolled back, once committed: nothing is to be there after the first, all of it after the second. */
  async function bothWays(work: (client: TransactionClient) => Promise<unknown>, then: object): Promise<void> {
    const counts = async (): Promise<object> => ({ spec: await spec.countWorkUnitStatus(), next: await next.countWorkUnitStatus() });
    const before = await counts();
    const stop = new Error('stop');
    const error = await caught(
      library.transaction(async (client, insert) => {
        await insert(id);
        await work(client);
        throw stop;
      }),
    );
    expect(error).toBe(stop);
    expect({ ...(await counts()), receipts: await receipts() }).toEqual({ ...before, receipts: 0 });
    await library.transaction(async (client, insert) => {
      await insert(id);
      await work(client);
      expect({ ...(await counts()), receipts: await receipts() }, 'seen before the commit').toEqual({ ...before, receipts: 0 });
    });
    expect({ ...(await counts()), receipts: await receipts() }).toEqual({ ...then, receipts: 1 });
  }

  test('a unit commits and rolls back with the row', async () => {
    await bothWays((client) => spec.addWorkUnit('new', { x: 1 }, { priority: 2.5 }, { client }), { spec: { available: 1 }, next: {} });
    expect(await (await spec.workUnit('new')).meta()).toEqual({ priority: 2.5, notBefore: null });
  });

  test('many units do, those that exist and those to come later among them', async () => {
    await spec.addWorkUnit('a', { old: true });
    const notBefore = new Date('2999-01-01T00:00:00.001Z');
    const units = [{ name: 'a', data: { old: false } }, { name: 'b', data: {} }, { name: 'c', data: {}, meta: { notBefore } }];
    await bothWays((client) => spec.addWorkUnits(units, { client }), { spec: { available: 2, delayed: 1 }, next: {} });
    expect(await (await spec.workUnit('a')).data()).toEqual({ old: false });
    expect(await (await spec.workUnit('c')).meta()).toEqual({ priority: 0, notBefore });
  });

  test('a stream of units does, batch after batch', async () => {
    const units = function* (): Generator<{ name: string; data: object }> {
      for (let index = 0; index < 25; index++) yield { name: `unit ${index}`, data: { index } };
    };
    await bothWays((client) => spec.addWorkUnits(units() as never, { client, batchSize: 10 }), { spec: { available: 25 }, next: {} });
  });

  test('a finished attempt does, with its output', async () => {
    const [attempt] = await held(1);
    await bothWays((client) => attempt!.finish({ output: ['one', 'two'] }, { client }), { spec: { finished: 1 }, next: { available: 2 } });
  });

  test('failed, retried and many finished attempts do', async () => {
    const [one, two, three, four] = await held(4);
    await bothWays(
      async (client) => {
        await one!.fail({ why: 'x' }, { client });
        await two!.retry({ again: true }, 3_600_000, { client });
        const reports = [{ attempt: three! }, { attempt: four!, data: { output: { more: {} } } }];
        expect((await namespace.finishAll(reports, { client })).map(({ error }) => error)).toEqual([null, null]);
      },
      { spec: { failed: 1, delayed: 1, finished: 2 }, next: { available: 1 } },
    );
    expect(await two!.workUnit.data()).toEqual({ index: 1 });
  });

  test('names and data of any bytes, dates, nulls and large integers come back as they went', async () => {
    // The second begins like an array in PostgreSQL's binary format.
    const names = [Uint8Array.of(0, 255, 128, 63), Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 17), Buffer.from("?$1 ' ?? \\? :x")];
    const data = {
      nothing: null,
      bytes: Uint8Array.from({ length: 256 }, (_, index) => index),
      date: new Date('1969-12-31T23:59:59.999Z'),
      large: 2n ** 63n,
      text: "$1 ? ?? :x ' \\ \u0000 é 🚀",
      list: [1.5, [], null],
    };
    await library.transaction(async (client) => {
      await spec.addWorkUnits(names.map((name) => ({ name, data })), { client });
      const unit = await spec.addWorkUnit(names[1]!, data, { priority: -1e300 }, { client });
      expect(Buffer.from(unit.key)).toEqual(Buffer.from(names[1]!));
    });
    const units = await spec.workUnits();
    expect(new Set(units.map(({ key }) => Buffer.from(key).toString('hex')))).toEqual(new Set(names.map((name) => Buffer.from(name).toString('hex'))));
    for (const unit of units) expect(await unit.data()).toEqual(data);
    const unit = await spec.workUnit(names[1]!);
    expect(await unit.priority()).toBe(-1e300);
  });

  test('values of every kind arrive as they were meant', async () => {
    const buffer = Buffer.from([0, 255, 63]);
    const values = [buffer, null, undefined, 1.5, -7, true, 'it’s ? $1', ['a', 'b, "c"', null], [true, false, null], '2020-01-01T00:00:00.123Z'];
    const text = `select row_to_json(r)::text as answer from (select encode($1::bytea, 'hex') as a, $2::bytea as b, $3::text as c,
      $4::float8 as d, $5::bigint as e, $6::boolean as f, $7::text as g, $8::text[] as h, $9::boolean[] as i,
      extract(epoch from $10::timestamptz)::float8 as j, $7::text || '?' as k) as r`;
    const { rows } = await library.transaction((client) => client.query(text, values));
    const [{ answer } = { answer: '' }] = rows as { answer: string }[];
    expect(Object.values(JSON.parse(answer) as object)).toEqual([
      '00ff3f', null, null, 1.5, -7, true, 'it’s ? $1', ['a', 'b, "c"', null], [true, false, null], 1577836800.123, 'it’s ? $1?',
    ]);
  });

  test('a unit added in the transaction can be used after it', async () => {
    await spec.addWorkUnit('old', {});
    const units = await library.transaction(async (client) => [
      await spec.addWorkUnit('old', { replaced: true }, {}, { client }),
      await spec.addWorkUnit('new', { fresh: true }, {}, { client }),
    ]);
    expect(await Promise.all(units.map((unit) => unit.data()))).toEqual([{ replaced: true }, { fresh: true }]);
  });

  test('the fence lets a worker that holds its lease pass, and rolls back one that has lost it', async () => {
    const [attempt] = await held(1);
    await library.transaction((client) => attempt!.requireHeld({ client }));
    await (await namespace.worker('other')).makeAttempt(attempt!.workUnit);
    const error = await caught(
      library.transaction(async (client, insert) => {
        await insert(id);
        await attempt!.requireHeld({ client });
      }),
    );
    expect(error).toMatchObject({ code: 'LostLease' });
    expect(await receipts()).toBe(0);
  });

  test('a refusal is no error of the database: the transaction goes on', async () => {
    const [attempt] = await held(1);
    await attempt!.fail();
    await namespace.destroyWorkSpec('next');
    await library.transaction(async (client, insert) => {
      expect(await caught(next.addWorkUnit('new', {}, {}, { client }))).toMatchObject({ code: 'Gone' });
      expect(await caught(attempt!.retry({}, 0, { client }))).toMatchObject({ code: 'NotPending' });
      await insert(id);
    });
    expect(await receipts()).toBe(1);
  });

  test('an aborted transaction is said to be so', async () => {
    const error = await caught(
      library.transaction(async (client) => {
        expect(await caught(client.query('select 1 / 0'))).toMatchObject({ code: '22012', message: expect.stringContaining('division by zero') });
        await spec.addWorkUnit('new', {}, {}, { client });
      }),
    );
    expect(error).toMatchObject({ code: '25P02' });
  });

  test('a collision with others is a serialization failure, for the caller to retry', async () => {
    const error = await caught(
      library.transaction(async (client) => {
        await client.query('set transaction isolation level repeatable read');
        await client.query('select $1::integer as undefined_is_null', [undefined]);
        await spec.addWorkUnit('new', { theirs: true });
        await spec.addWorkUnit('new', { mine: true }, {}, { client });
      }),
    );
    expect(error).toMatchObject({ code: '40001' });
  });

  test('tables that are not there are said to be missing', async () => {
    const schema = `${database.schema}_x`;
    const other = await database.connect({ schema, migrate: true });
    const lost = await (await other.namespace('')).setWorkSpec({ name: 'spec' });
    await drop(database.url, { schema });
    const error = await caught(library.transaction((client) => lost.addWorkUnit('new', {}, {}, { client })));
    expect(error).toMatchObject({ code: 'SchemaMissing', details: { schema } });
  });

  test('what is no transaction is refused', () => {
    expect(() => library.withoutTransaction()).toThrow(expect.objectContaining({ code: 'InvalidArgument', details: expect.objectContaining({ field: 'transaction' }) }));
  });
}
