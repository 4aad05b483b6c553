import { describe, expect, test } from 'vitest';
import type { WorkUnit } from 'pg-coordinate';
import { fail, reported, retry, type Job } from '../../src/worker/index.js';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';
import { runWorker, untilCounts } from './running.js';

const database = await testDatabase();

/** Units without data. */
type Nothing = Record<string, never>;

async function specOf(namespace: string, data: Record<string, unknown> & { name: string }) {
  const coordinate = await database.connect();
  return (await coordinate.namespace(namespace)).setWorkSpec(data);
}

/** The status, data and number of retryable attempts of a unit. */
async function read(unit: WorkUnit) {
  const attempts = await unit.attempts();
  return { status: await unit.status(), data: await unit.data(), retried: attempts.filter(({ status }) => status === 'retryable') };
}

describe('what a handler answers', () => {
  test('nothing and data finish the unit; output makes units of the next spec', async () => {
    interface Jobs {
      fetch: Job<{ url: string }, { status: number; output?: string[] }>;
      parse: Job<Nothing, void>;
    }
    const fetch = await specOf('answers', { name: 'fetch', then: 'parse' });
    const parse = await specOf('answers', { name: 'parse' });
    const parsed: string[] = [];
    await runWorker<Jobs>(database, {
      namespace: 'answers',
      handlers: {
        fetch: ({ data }) => ({ status: 200, output: [`page of ${data.url}`] }),
        parse: ({ name }) => void parsed.push(name),
      },
    });
    const unit = await fetch.addWorkUnit('a', { url: 'x' });
    await untilCounts(parse, { finished: 1 });
    expect(parsed).toEqual(['page of x']);
    expect(await unit.data()).toEqual({ status: 200, output: ['page of x'] });
  });

  test('retry() runs it again, with the data of the attempt in history and the unit as it was', async () => {
    const spec = await specOf('retry', { name: 'spec' });
    let runs = 0;
    await runWorker(database, {
      namespace: 'retry',
      handlers: { spec: ({ data }) => (++runs < 3 ? retry({ data: { page: runs } }) : { ...data, done: true }) },
    });
    const unit = await spec.addWorkUnit('a', { is: 'own' });
    await untilCounts(spec, { finished: 1 });
    const { data, retried } = await read(unit);
    expect(data).toEqual({ is: 'own', done: true });
    expect(retried.map((attempt) => attempt.data)).toEqual([{ page: 1 }, { page: 2 }]);
  });

  test('retry() with a delay makes it wait', async () => {
    const spec = await specOf('later', { name: 'spec' });
    await runWorker(database, { namespace: 'later', handlers: { spec: () => retry({ delayMs: 3_600_000 }) } });
    await spec.addWorkUnit('a', {});
    await untilCounts(spec, { delayed: 1 });
  });

  test('fail() ends it for good', async () => {
    const spec = await specOf('fail', { name: 'spec' });
    await runWorker(database, { namespace: 'fail', handlers: { spec: () => fail({ data: { why: 'empty' }, error: new Error('no') }) } });
    const unit = await spec.addWorkUnit('a', {});
    await untilCounts(spec, { failed: 1 });
    expect(await unit.data()).toMatchObject({ why: 'empty', error: { message: 'no' } });
  });

  test('reported() leaves it to the handler, such as in a transaction of its own', async () => {
    const spec = await specOf('reported', { name: 'spec' });
    await database.query(`create table ${database.schema}.effect (number bigint)`);
    const { coordinate } = await runWorker(database, {
      namespace: 'reported',
      handlers: {
        spec: async ({ attempt, number }) => {
          await coordinate.transaction(async (client) => {
            await attempt.requireHeld({ client });
            await client.query(`insert into ${database.schema}.effect values ($1)`, [number]);
            await attempt.finish({ by: 'handler' }, { client });
          });
          return reported();
        },
      },
    });
    const unit = await spec.addWorkUnit('a', {});
    await untilCounts(spec, { finished: 1 });
    expect(await unit.data()).toEqual({ by: 'handler' });
    expect(await database.query(`select from ${database.schema}.effect`)).toHaveLength(1);
  });

  test('what cannot be stored is an error of its own unit only', async () => {
    const spec = await specOf('unstorable', { name: 'spec', retry: { limit: 0 } });
    await runWorker(database, {
      namespace: 'unstorable',
      concurrency: 20,
      handlers: { spec: ({ name }) => (name === 'bad' ? { f: () => 1 } : { ok: true }) as Record<string, unknown> },
    });
    await spec.addWorkUnits([...Array(19).keys(), 'bad'].map((name) => ({ name: String(name), data: {} })));
    await untilCounts(spec, { finished: 19, failed: 1 });
    expect(await (await spec.workUnit('bad')).data()).toMatchObject({ error: { name: 'InvalidArgumentError', code: 'InvalidArgument' } });
  });

  test('a number is no answer', async () => {
    const spec = await specOf('number', { name: 'spec', retry: { limit: 0 } });
    await runWorker(database, { namespace: 'number', handlers: { spec: (() => 5) as never } });
    const unit = await spec.addWorkUnit('a', {});
    await untilCounts(spec, { failed: 1 });
    expect(await unit.data()).toMatchObject({ error: { message: expect.stringContaining('not a number') as string } });
  });
});

describe('errors', () => {
  test('are retried as often as the policy says, then the unit has failed, with its data and the error', async () => {
    const spec = await specOf('errors', { name: 'spec' });
    const { lines } = await runWorker(database, {
      namespace: 'errors',
      handlers: {
        spec: {
          retry: { limit: 2, delayMs: 1 },
          run: ({ number }) => {
            throw new RangeError(`attempt ${number}`);
          },
        },
      },
    });
    const unit = await spec.addWorkUnit('a', { url: 'x' });
    await untilCounts(spec, { failed: 1 });
    const { data, retried } = await read(unit);
    expect(data).toMatchObject({ url: 'x', error: { name: 'RangeError', message: expect.stringContaining('attempt') as string } });
    expect(retried.map((attempt) => attempt.data)).toEqual([1, 2].map(() => expect.objectContaining({ error: expect.objectContaining({ name: 'RangeError' }) as unknown })));
    expect(lines.filter((line) => line.startsWith('warn: spec a: RangeError'))).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('error: spec a: RangeError'))).toHaveLength(1);
  });

  test('retry() does not count against the limit, and a unit added again begins anew', async () => {
    const spec = await specOf('counted', { name: 'spec' });
    let runs = 0;
    await runWorker(database, {
      namespace: 'counted',
      handlers: {
        spec: {
          retry: { limit: 1, delayMs: 1 },
          run: () => {
            if (++runs <= 3) return retry();
            throw new Error('no');
          },
        },
      },
    });
    await spec.addWorkUnit('a', {});
    await untilCounts(spec, { failed: 1 });
    expect(runs).toBe(5);
    const unit = await spec.addWorkUnit('a', {});
    await until('it ran twice again', async () => (await unit.numAttempts()) === 7 && (await unit.status()) === 'failed');
  });

  test("a work spec's own policy outranks the handler's", async () => {
    const spec = await specOf('own', { name: 'spec', retry: { final: ['RangeError'] } });
    await runWorker(database, {
      namespace: 'own',
      handlers: { spec: { retry: { limit: 100 }, run: () => Promise.reject(new RangeError('no')) } },
    });
    const unit = await spec.addWorkUnit('a', {});
    await untilCounts(spec, { failed: 1 });
    expect(await unit.numAttempts()).toBe(1);
  });
});

describe('batch handlers', () => {
  test('get many units at once and answer for each', async () => {
    const spec = await specOf('batch', { name: 'spec' });
    const sizes: number[] = [];
    await spec.addWorkUnits(Array.from({ length: 250 }, (_, index) => ({ name: `${index}`.padStart(3, '0'), data: { index } })));
    await runWorker<{ spec: { index: number } }>(database, {
      namespace: 'batch',
      concurrency: 2,
      handlers: {
        spec: {
          batchSize: 100,
          retry: { limit: 0 },
          runBatch: (batch) => {
            sizes.push(batch.length);
            return batch.map(({ data }) => {
              if (data.index === 7) return fail({ data: { why: 7 } });
              if (data.index === 8) return new Error('eight');
              return { square: data.index ** 2 };
            });
          },
        },
      },
    });
    await untilCounts(spec, { finished: 248, failed: 2 });
    expect(Math.max(...sizes)).toBe(100);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(250);
    expect(await (await spec.workUnit('009')).data()).toEqual({ square: 81 });
    expect(await (await spec.workUnit('008')).data()).toMatchObject({ error: { message: 'eight' } });
  });

  test('that throw, or answer for too few, have thrown for all', async () => {
    const spec = await specOf('batch-error', { name: 'spec', retry: { limit: 0 } });
    await spec.addWorkUnits(['a', 'b'].map((name) => ({ name, data: {} })));
    await runWorker(database, { namespace: 'batch-error', handlers: { spec: { runBatch: () => [{}] } } });
    await untilCounts(spec, { failed: 2 });
    expect(await (await spec.workUnit('a')).data()).toMatchObject({ error: { message: expect.stringContaining('1 answers') as string } });
  });
});

describe('a logger that throws', () => {
  test('harms nobody', async () => {
    const spec = await specOf('logger', { name: 'spec', retry: { limit: 0 } });
    const logger = Object.fromEntries(['debug', 'info', 'warn', 'error'].map((level) => [level, () => { throw new Error('full disk'); }]));
    const { worker } = await runWorker(database, {
      namespace: 'logger',
      logger: logger as never,
      handlers: { spec: ({ log }) => { log.info('working'); throw new Error('no'); } },
    });
    await spec.addWorkUnit('a', {});
    await untilCounts(spec, { failed: 1 });
    await worker.stop();
  });
});

describe('what a handler is told', () => {
  test('is data, names, the fencing number, the attempt; what it logs says what it is about', async () => {
    const spec = await specOf('told', { name: 'spec' });
    const told: unknown[] = [];
    const { lines } = await runWorker<{ spec: { a: number } }>(database, {
      namespace: 'told',
      handlers: {
        spec: async (context) => {
          const { data, name, key, number, workSpec, attempt, signal, log, progress } = context;
          log.info('half way', { of: 'it' });
          await progress({ a: 1, half: true });
          told.push({ data, name, key: Buffer.from(key).toString(), workSpec, same: number === attempt.number, aborted: signal.aborted });
          told.push(await attempt.workUnit.data());
        },
      },
    });
    await spec.addWorkUnit('unit', { a: 1 });
    await untilCounts(spec, { finished: 1 });
    expect(told).toEqual([
      { data: { a: 1 }, name: 'unit', key: 'unit', workSpec: 'spec', same: true, aborted: false },
      { a: 1, half: true },
    ]);
    expect(lines).toContain('info: spec unit: half way');
  });
});
