import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Namespace, NewWorkUnit, WorkSpec } from 'pg-coordinate';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { caught } from '../../database/caught.js';
import { until, untilWaiting } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { whileLocked } from '../blocked.js';
import { countedConnection } from './statements.js';

const database = await testDatabase();
const { coordinate, sentOf, close } = await countedConnection(database);
afterAll(close);

/** With ranges or without. */
const label = 'work-unit.add-new';
let namespace: Namespace;
let spec: WorkSpec;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
  spec = await namespace.setWorkSpec({ name: 'spec' });
  sentOf(label);
});

/** Units one after another, and what has become of the generator that gives them. */
class Source {
  given = 0;
  isClosed = false;

  *units(count: number, change: (index: number) => unknown = () => undefined): Generator<NewWorkUnit> {
    try {
      for (let index = 0; index < count; index++) {
        this.given++;
        yield (change(index) ?? { name: `unit ${index}`, data: { index } }) as NewWorkUnit;
      }
    } finally {
      this.isClosed = true;
    }
  }

  async *slowly(count: number, change?: (index: number) => unknown): AsyncGenerator<NewWorkUnit> {
    yield* this.units(count, change);
  }
}

describe('a stream of units', () => {
  test('is added in batches of a thousand, and asks for no more than two batches before what is committed', async () => {
    const source = new Source();
    const committed = async (): Promise<number> =>
      Number((await database.query<{ count: string }>(`select count(*) from ${database.bucket}.work_unit`))[0]?.count);
    const before = await committed();
    let mostAhead = 0;
    const counted = async function* (): AsyncGenerator<NewWorkUnit> {
      for (const unit of source.units(50_000)) {
        yield unit;
        if (source.given % 1_000 !== 0) continue;
        mostAhead = Math.max(mostAhead, source.given - ((await committed()) - before));
      }
    };
    expect(await spec.addWorkUnits(counted())).toBe(50_000);
    expect(sentOf(label)).toHaveLength(50);
    expect(mostAhead).toBeLessThanOrEqual(2_000);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 50_000 });
    expect(await (await spec.workUnit('unit 49999')).data()).toEqual({ index: 49_999 });
  });

  test('asks for nothing while two batches are being written', async () => {
    const source = new Source();
    let adding: Promise<number> | undefined;
    await whileLocked(database, 'work_unit', async () => {
      adding = spec.addWorkUnits(source.slowly(100), { batchSize: 10 });
      await untilWaiting(database);
      await until('two batches were taken', () => source.given === 20);
      for (let trip = 0; trip < 5; trip++) await database.query('select 1');
      expect(source.given).toBe(20);
    });
    expect(await adding).toBe(100);
    expect(sentOf(label)).toHaveLength(10);
  });

  test('may be any iterable: a generator, a set, a stream of objects', async () => {
    const units = (prefix: string): NewWorkUnit[] => [1, 2, 3].map((n) => ({ name: `${prefix} ${n}`, data: {} }));
    expect(await spec.addWorkUnits(new Source().units(3))).toBe(3);
    expect(await spec.addWorkUnits(new Set(units('set')))).toBe(3);
    expect(await spec.addWorkUnits(Readable.from(units('stream')) as AsyncIterable<NewWorkUnit>)).toBe(3);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 9 });
  });

  test('goes in batches of about 4 MB at most', async () => {
    const blob = new Uint8Array(1_500_000);
    const large = { name: 'large', data: { blob: new Uint8Array(6_000_000) } };
    expect(await spec.addWorkUnits(new Source().units(6, (index) => (index === 2 ? large : { name: `unit ${index}`, data: { blob } })))).toBe(6);
    expect(sentOf(label)).toHaveLength(4);
  });

  test('of none is no error, unless the spec is gone', async () => {
    expect(await spec.addWorkUnits(new Set<NewWorkUnit>())).toBe(0);
    await namespace.destroyWorkSpec('spec');
    expect(await caught(spec.addWorkUnits(new Set<NewWorkUnit>()))).toMatchObject({ code: 'Gone' });
  });

  test('counts all that came; of the same name the last wins, in whatever batch', async () => {
    const units = new Source().units(100, (index) => ({ name: `unit ${index % 7}`, data: { index } }));
    expect(await spec.addWorkUnits(units, { batchSize: 5 })).toBe(100);
    const data = await Promise.all((await spec.workUnits()).map((unit) => unit.data()));
    expect(data).toEqual([98, 99, 93, 94, 95, 96, 97].map((index) => ({ index })));
  });

  test('takes what a unit held when it was given', async () => {
    const unit = { name: 'same object', data: { n: 0 } };
    await spec.addWorkUnits(new Source().units(3, (index) => Object.assign(unit, { name: `unit ${index}`, data: Object.assign(unit.data, { n: index }) })));
    expect(await Promise.all((await spec.workUnits()).map((each) => each.data()))).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  });

  test.each(['units', 'slowly'] as const)('that throws, by %s: what came before is in, and then it is raised', async (kind) => {
    const source = new Source();
    const stop = new Error('stop');
    const units = source[kind](50_000, (index) => {
      if (index === 25) throw stop;
    });
    expect(await caught(spec.addWorkUnits(units as Iterable<NewWorkUnit>, { batchSize: 10 }))).toBe(stop);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 25 });
    expect(source).toMatchObject({ given: 26, isClosed: true });
  });

  test.each([
    ['data', { name: 'x', data: { url: () => 0 } }, 'units[1234].data.url'],
    ['a name', { name: '', data: {} }, 'units[1234].name'],
    ['meta', { name: 'x', data: {}, meta: { notBefore: 5 } }, 'units[1234].meta.notBefore'],
    ['no unit at all', 'x', 'units[1234]'],
    ['null', null, 'units[1234]'],
  ])('with a bad unit (%s): what came before is in, and the error names its place', async (_, bad, field) => {
    const source = new Source();
    const units = source.slowly(50_000, (index) => (index === 1_234 ? (bad ?? Object.create(null)) : undefined));
    const error = await caught(spec.addWorkUnits(bad === null ? nullAt(1_234) : units));
    expect(error).toMatchObject({ code: 'InvalidArgument', details: { field } });
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1_234 });
    if (bad !== null) expect(source).toMatchObject({ given: 1_235, isClosed: true });
  });

  function* nullAt(place: number): Generator<NewWorkUnit> {
    for (let index = 0; index < place; index++) yield { name: `unit ${index}`, data: {} };
    yield null as unknown as NewWorkUnit;
  }

  test('that cannot be written ends with the error, asks for no more and is closed; what was written before is in', async () => {
    await database.query(`alter table ${database.bucket}.work_unit add constraint refusing check (priority <> -13)`);
    try {
      const source = new Source();
      const units = source.slowly(50_000, (index) => ({ name: `unit ${index}`, data: {}, meta: { priority: index === 35 ? -13 : 0 } }));
      expect(await caught(spec.addWorkUnits(units, { batchSize: 10 }))).toMatchObject({ code: '23514' });
      expect(source.isClosed).toBe(true);
      // The three in front, and those that come to their end before the error is known; it may take longer to fail than they to be written.
      const { available = 0 } = await spec.countWorkUnitStatus();
      expect([available >= 30, available % 10]).toEqual([true, 0]);
      // Besides those that came to nothing and those of the next batch, of which it was not known yet.
      expect(source.given - available).toBeLessThanOrEqual(31);
      expect(source.given).toBeLessThan(50_000);
    } finally {
      await database.query(`alter table ${database.bucket}.work_unit drop constraint refusing`);
    }
  });

  test('to a spec that is gone raises Gone, and is closed', async () => {
    await namespace.destroyWorkSpec('spec');
    const source = new Source();
    expect(await caught(spec.addWorkUnits(source.slowly(50_000), { batchSize: 10 }))).toMatchObject({ code: 'Gone' });
    expect(source.isClosed).toBe(true);
    expect(source.given).toBeLessThanOrEqual(21);
  });

  test('is raised of only once nothing is under way', async () => {
    let isSettled = false;
    const source = new Source();
    let adding: Promise<unknown> | undefined;
    await whileLocked(database, 'work_unit', async () => {
      adding = caught(spec.addWorkUnits(source.slowly(100, (index) => (index === 15 ? 'bad' : undefined)), { batchSize: 10 })).finally(() => (isSettled = true));
      await until('the source was closed', () => source.isClosed);
      await untilWaiting(database);
      await database.query('select 1');
      expect(isSettled).toBe(false);
    });
    expect(await adding).toMatchObject({ details: { field: 'units[15]' } });
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 15 });
  });

  test('on a client of the caller’s writes one batch at a time, and its transaction decides about all', async () => {
    const client = await database.client();
    for (const ending of ['rollback', 'commit']) {
      await client.query('begin');
      let underWay = 0;
      let most = 0;
      const watching = {
        query: async (text: string, values?: unknown[]) => {
          most = Math.max(most, ++underWay);
          return client.query(text, values).finally(() => underWay--);
        },
      };
      // The source reads on the same client.
      const units = async function* (): AsyncGenerator<NewWorkUnit> {
        for (let index = 0; index < 25; index++) {
          const { rows } = await watching.query('select $1::text as name', [`unit ${index}`]);
          yield { name: (rows[0] as { name: string }).name, data: {} };
        }
      };
      expect(await spec.addWorkUnits(units(), { client: watching, batchSize: 10 })).toBe(25);
      expect(most).toBe(1);
      expect(await spec.countWorkUnitStatus()).toEqual({});
      await client.query(ending);
    }
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 25 });
  });

  /** Gives some units, and then nothing until it is released. */
  function stalling(count: number): { readonly units: AsyncGenerator<NewWorkUnit>; readonly release: () => void; readonly stalled: Promise<void> } {
    let release = (): void => undefined;
    let stall = (): void => undefined;
    const stalled = new Promise<void>((resolve) => (stall = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    const units = (async function* () {
      for (let index = 0; index < count; index++) yield { name: `unit ${index}`, data: {} };
      stall();
      await released;
    })();
    return { units, release, stalled };
  }

  test('that stalls: what has come is written before long', async () => {
    const { units, release } = stalling(5);
    const adding = spec.addWorkUnits(units);
    await until('they are there', async () => (await spec.countWorkUnitStatus()).available === 5);
    release();
    expect(await adding).toBe(5);
  });

  test('that stalls: that a batch cannot be written is told at once', async () => {
    await namespace.destroyWorkSpec('spec');
    const { units, release } = stalling(1);
    expect(await caught(spec.addWorkUnits(units, { batchSize: 1 }))).toMatchObject({ code: 'Gone' });
    release();
    expect((await units.next()).done).toBe(true);
  });

  test('can be aborted: at once while it stalls, and no batch is begun any more', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const { units, release, stalled } = stalling(15);
    const adding = caught(spec.addWorkUnits(units, { batchSize: 10, signal: stop.signal }));
    await stalled;
    stop.abort(reason);
    expect(await adding).toBe(reason);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 10 });
    release();
    expect((await units.next()).done).toBe(true);
    const source = new Source();
    expect(await caught(spec.addWorkUnits(source.units(3), { signal: stop.signal }))).toBe(reason);
    expect(source.given).toBe(0);
  });

  test('from a generator is refused by a transaction that runs again, as it gives nothing more', async () => {
    const units = new Source().units(3);
    let runs = 0;
    const running = coordinate.transaction(async (client) => {
      runs++;
      await spec.addWorkUnits(units, { client });
      await client.query(`do $$ begin raise sqlstate '40001'; end $$`);
    });
    expect(await caught(running)).toMatchObject({ code: 'InvalidArgument', details: { field: 'units' } });
    expect(runs).toBe(2);
    await coordinate.transaction(async (client) => {
      const set = new Set(new Source().units(3));
      for (const expected of [3, 3]) expect(await spec.addWorkUnits(set, { client })).toBe(expected);
    });
  });

  test('refuses what cannot be iterated, and options that are none', async () => {
    for (const units of ['text', 5, {}, null, undefined, { [Symbol.iterator]: 5 }]) {
      expect(await caught(spec.addWorkUnits(units as never))).toMatchObject({ code: 'InvalidArgument', details: { field: 'units' } });
    }
    for (const [options, field] of [
      [{ batchSize: 0 }, 'options.batchSize'],
      [{ batchSize: 1.5 }, 'options.batchSize'],
      [{ batch: 5 }, 'options.batch'],
      [{ client: {} }, 'options.client'],
      [{ signal: {} }, 'options.signal'],
    ] as const) {
      const source = new Source();
      expect(await caught(spec.addWorkUnits(source.units(3), options as never))).toMatchObject({ code: 'InvalidArgument', details: { field } });
      expect(source.given).toBe(0);
    }
    expect(await caught(spec.addWorkUnits([], { batchSize: 5 }))).toMatchObject({ details: { field: 'options.batchSize' } });
  });
});
