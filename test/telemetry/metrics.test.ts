import { drop } from 'pg-coordinate';
import { Metrics } from 'pg-coordinate/telemetry';
import { beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { measured } from './measured.js';

const database = await testDatabase();

/** Each test counts from nothing, in a namespace of its own. */
const started = async (namespace: string, options: Parameters<typeof measured>[1] = {}) => {
  const measuring = await measured(database, options);
  const { coordinate } = measuring;
  const space = await coordinate.namespace(namespace);
  const spec = await space.setWorkSpec({ name: 'fetch' });
  return { ...measuring, measuring, space, spec, worker: await space.worker('w'), of: `namespace="${namespace}",work_spec="fetch"` };
};

describe('what is in the database', () => {
  test('is told by namespace, work spec and status, and only what is not zero', async () => {
    const { measuring, spec, worker, value, series, of } = await started('units');
    await spec.addWorkUnits(['a', 'b', 'c', 'd'].map((name) => ({ name, data: {} })));
    await spec.addWorkUnit('later', {}, { notBefore: new Date('2027-01-01') });
    const [first, second] = await worker.requestAttempts({ numberOfWorkUnits: 3 });
    await first?.finish();
    await second?.fail();
    measuring.passed += 5_000;
    expect((await series('coordinate_work_units')).filter((line) => line.includes(of)).sort()).toEqual([
      `coordinate_work_units{${of},status="available"} 1`,
      `coordinate_work_units{${of},status="delayed"} 1`,
      `coordinate_work_units{${of},status="failed"} 1`,
      `coordinate_work_units{${of},status="finished"} 1`,
      `coordinate_work_units{${of},status="pending"} 1`,
    ]);
    await spec.deleteWorkUnits({ statuses: ['failed'] });
    measuring.passed += 5_000;
    expect(await value(`coordinate_work_units{${of},status="failed"}`)).toBeUndefined();
    expect(await value('coordinate_database_up')).toBe(1);
  });

  test('names the longest wait of an available unit, by its adding or its notBefore', async () => {
    const { measuring, spec, worker, value, of } = await started('waiting');
    expect(await value(`coordinate_oldest_waiting_seconds{${of}}`)).toBeUndefined();
    await spec.addWorkUnits(Array.from({ length: 60 }, (_, index) => ({ name: `u${String(index).padStart(2, '0')}`, data: {} })));
    // Low priority and the last name: others outrank it for ever.
    await spec.addWorkUnit('stuck', {}, { priority: -1 });
    await database.query(`update ${database.bucket}.work_unit set added_at = now() - interval '1 hour' where name = 'stuck'`);
    measuring.passed += 5_000;
    const hour = await value(`coordinate_oldest_waiting_seconds{${of}}`);
    expect(hour).toBeGreaterThanOrEqual(3_600);
    expect(hour).toBeLessThan(4_200);
    // What runs does not wait.
    await worker.requestAttempts({ numberOfWorkUnits: 100 });
    measuring.passed += 5_000;
    expect(await value(`coordinate_oldest_waiting_seconds{${of}}`)).toBeUndefined();
  });

  test('is asked for once in the time of the cache, by however many', async () => {
    const { coordinate, measuring, metrics, spec, of, value } = await started('cached');
    await spec.addWorkUnit('a', {});
    let count = 0;
    const counted = <T>(look: () => Promise<T>) => () => {
      count++;
      return look.call(coordinate);
    };
    coordinate.summarize = counted(coordinate.summarize);
    coordinate.oldestWaiting = counted(coordinate.oldestWaiting);
    const looks = async (): Promise<number> => {
      count = 0;
      await Promise.all([metrics.read(), metrics.read(), metrics.read()]);
      await metrics.read();
      return count;
    };
    expect(await looks()).toBe(2);
    expect(await value(`coordinate_work_units{${of},status="available"}`)).toBe(1);
    await spec.addWorkUnit('b', {});
    measuring.passed += 4_999;
    expect(await looks()).toBe(0);
    expect(await value(`coordinate_work_units{${of},status="available"}`)).toBe(1);
    measuring.passed += 1;
    expect(await looks()).toBe(2);
    expect(await value(`coordinate_work_units{${of},status="available"}`)).toBe(2);
  });

  test('shares one series among the work specs there is no room for', async () => {
    const { measuring, space, series, value } = await started('many', { mostWorkSpecs: 1 });
    for (const name of ['first', 'second', 'third']) {
      const spec = await space.setWorkSpec({ name });
      await spec.addWorkUnit('a', {});
    }
    const of = async (metric: string) => (await series(metric)).filter((line) => line.includes('available') || metric.includes('oldest'));
    measuring.passed += 5_000;
    expect(await of('coordinate_work_units')).toHaveLength(2);
    expect(await value('coordinate_work_units{namespace="",work_spec="",status="available"}')).toBeGreaterThanOrEqual(2);
    expect(await of('coordinate_oldest_waiting_seconds')).toHaveLength(2);
  });
});

describe('what this process did', () => {
  test('is counted to the attempt: claimed, finished, failed, retried, given back, cancelled, forced', async () => {
    const { measuring, spec, space, worker, value, series, of } = await started('attempts');
    const ended = (status: string) => value(`coordinate_attempts_ended_total{${of},status="${status}"}`);
    await spec.addWorkUnits(Array.from({ length: 10 }, (_, index) => ({ name: `u${index}`, data: {} })));
    const [a, b, c, d, e, f, g] = await worker.requestAttempts({ numberOfWorkUnits: 7 });
    expect(await value(`coordinate_attempts_started_total{${of}}`)).toBe(7);
    await space.finishAll([{ attempt: a! }, { attempt: b! }]);
    await c!.finish();
    await space.failAll([{ attempt: d! }]);
    await e!.retry({}, 1_000);
    await f!.expire();
    expect(await g!.workUnit.cancel('enough')).toBe(true);
    expect([await ended('finished'), await ended('failed'), await ended('retryable'), await ended('expired')]).toEqual([3, 2, 1, 1]);
    // Refused: counted nowhere.
    await expect(g!.retry()).rejects.toThrow();
    const [verdict] = await space.failAll([{ attempt: a! }]);
    expect(verdict?.error?.code).toBe('NotPending');
    expect([await ended('finished'), await ended('failed'), await ended('retryable')]).toEqual([3, 2, 1]);
    await worker.makeAttempt(a!.workUnit);
    expect(await value(`coordinate_attempts_started_total{${of}}`)).toBe(8);
    measuring.passed += 5_000;
    expect(await series('coordinate_attempts_ended_total')).toHaveLength(4);
  });

  test('counts attempts that end without a report: with their retries spent, or superseded by a forced one', async () => {
    const { spec, worker, value, of } = await started('lapsed');
    const lapsed = (cause: string) => value(`coordinate_attempts_lapsed_total{${of},cause="${cause}"}`);
    await spec.setMeta({ maxRetries: 1 });
    await spec.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: {} })));
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 2 });
    for (const attempt of attempts) await attempt.retry();
    expect([await lapsed('spent'), await lapsed('superseded')]).toEqual([undefined, undefined]);
    const [left] = await worker.requestAttempts({ numberOfWorkUnits: 3 });
    expect(left?.workUnit.name).toBe('c');
    expect(await lapsed('spent')).toBe(2);
    // One that has ended is not superseded.
    await worker.makeAttempt(attempts[0]!.workUnit);
    expect(await lapsed('superseded')).toBeUndefined();
    await worker.makeAttempt(left!.workUnit);
    expect(await lapsed('superseded')).toBe(1);
  });

  test('counts what was reported in a transaction when that is committed, and not when it is rolled back', async () => {
    const { coordinate, spec, worker, value, of } = await started('transactions');
    const finished = () => value(`coordinate_attempts_ended_total{${of},status="finished"}`);
    await spec.addWorkUnits([{ name: 'a', data: {} }, { name: 'b', data: {} }]);
    const [a, b] = await worker.requestAttempts({ numberOfWorkUnits: 2 });
    const undone = coordinate.transaction(async (client) => {
      await a!.finish(undefined, { client });
      throw new Error('changed my mind');
    });
    await expect(undone).rejects.toThrow('changed my mind');
    expect(await finished()).toBeUndefined();
    await coordinate.transaction(async (client) => {
      await a!.finish(undefined, { client });
      await b!.finish(undefined, { client });
      expect(await finished()).toBeUndefined();
    });
    expect(await finished()).toBe(2);
  });

  test('tells how long requests for work took, by what came of them', async () => {
    const { coordinate, spec, worker, value } = await started('claims');
    const count = (outcome: string) => value(`coordinate_claim_seconds_count{outcome="${outcome}"}`);
    await worker.requestAttempts();
    await spec.addWorkUnit('a', {});
    await worker.requestAttempts();
    await worker.requestAttempts();
    expect([await count('nothing'), await count('work'), await count('error')]).toEqual([2, 1, undefined]);
    expect(await value('coordinate_claim_seconds_sum{outcome="work"}')).toBeGreaterThan(0);
    await coordinate.close();
    await expect(worker.requestAttempts()).rejects.toThrow();
    expect(await count('error')).toBe(1);
  });

  test('tells how long units waited and attempts ran, by the clock of the queue', async () => {
    const { measuring, clock, spec, worker, value, of } = await started('times');
    const sums = async () => {
      measuring.passed += 5_000;
      return Promise.all(
        ['coordinate_queue_wait_seconds', 'coordinate_attempt_seconds'].map(async (name) => [
          await value(`${name}_count{${of}}`),
          await value(`${name}_sum{${of}}`),
        ]),
      );
    };
    await spec.addWorkUnit('a', {}, { notBefore: new Date(clock.now().getTime() + 60_000) });
    await database.query(`update ${database.bucket}.work_unit set added_at = $1`, [clock.now()]);
    clock.advance(65_000);
    const [first] = await worker.requestAttempts();
    expect(await sums()).toEqual([[1, 5], [undefined, undefined]]);
    clock.advance(7_000);
    await first!.retry({}, 0);
    expect(await sums()).toEqual([[1, 5], [1, 7]]);
    clock.advance(20_000);
    const [second] = await worker.requestAttempts();
    clock.advance(3_000);
    await second!.finish();
    expect(await sums()).toEqual([[2, 25], [2, 10]]);
    // When a finished unit was made available again is not on record: its wait is not told.
    await second!.workUnit.clearActiveAttempt();
    clock.advance(1_000);
    const [third] = await worker.requestAttempts();
    expect(third).toBeDefined();
    expect((await sums())[0]).toEqual([2, 25]);
  });

  test('counts leases that ran out, by whoever sees it first', async () => {
    const { clock, spec, worker, value } = await started('expiry');
    await spec.addWorkUnits([{ name: 'a', data: {} }, { name: 'b', data: {} }]);
    const before = (await value('coordinate_leases_expired_total')) ?? 0;
    await worker.requestAttempts({ numberOfWorkUnits: 2, lifetimeMs: 1_000 });
    clock.advance(2_000);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 2 });
    expect(await value('coordinate_leases_expired_total')).toBe(before + 2);
    await worker.requestAttempts({ numberOfWorkUnits: 2, lifetimeMs: 1_000 });
    clock.advance(2_000);
    await worker.requestAttempts();
    expect(await value('coordinate_leases_expired_total')).toBe(before + 4);
  });

  test('counts transactions, and those that collided', async () => {
    const { coordinate, metrics, value } = await started('collisions');
    await metrics.read();
    const committed = (await value('coordinate_transactions_total')) ?? 0;
    let tries = 0;
    await coordinate.transaction(async (client) => {
      tries++;
      if (tries < 3) await client.query(`do $$ begin raise exception 'again' using errcode = '40001'; end $$`);
    });
    expect(await value('coordinate_transactions_total')).toBe(committed + 1);
    expect(await value('coordinate_transaction_retries_total{cause="serialization"}')).toBe(2);
    expect(await value('coordinate_transaction_retries_total{cause="deadlock"}')).toBe(0);
    expect(await value('coordinate_transactions_given_up_total')).toBe(0);
  });

  test('tells of the pool: who is busy, who waits', async () => {
    const measuring = await measured(database, { cacheMs: 3_600_000 }, { pool: { max: 1 } });
    const { coordinate, value } = measuring;
    await measuring.metrics.read();
    let waiting: Promise<unknown> | undefined;
    await coordinate.transaction(async () => {
      waiting = coordinate.namespaces();
      expect(await value('coordinate_pool_connections{state="busy"}')).toBe(1);
      expect(await value('coordinate_pool_connections{state="idle"}')).toBe(0);
      expect(await value('coordinate_pool_waiting')).toBe(1);
    });
    await waiting;
    expect(await value('coordinate_pool_connections{state="busy"}')).toBe(0);
    expect(await value('coordinate_pool_connections{state="idle"}')).toBe(1);
    expect(await value('coordinate_pool_connections_max')).toBe(1);
    expect(await value('coordinate_pool_waiting')).toBe(0);
  });

  test('tells whether notifications arrive', async () => {
    const { space, value } = await started('listening');
    expect(await value('coordinate_listener_connected')).toBe(0);
    const events = space.events();
    const next = events.next();
    await events.ready;
    expect(await value('coordinate_listener_connected')).toBe(1);
    await events.return();
    await next;
  });
});

describe('a scrape', () => {
  test('has stable names, labels and help texts', async () => {
    const metrics = new Metrics();
    const described = (await metrics.registry.getMetricsAsJSON()).map(({ name, type, help }) => {
      const { labelNames = [] } = metrics.registry.getSingleMetric(name) as unknown as { labelNames?: string[] };
      return `${name} ${type} {${labelNames.join(', ')}}\n    ${help}\n`;
    });
    await expect(described.join('')).toMatchFileSnapshot('metrics.golden.txt');
    expect(metrics.contentType).toContain('text/plain');
  });

  test('says that the database is gone, without what it has told before, and does not ask it again at once', async () => {
    const { measuring, coordinate, metrics, spec, of, value } = await started('gone');
    await spec.addWorkUnit('a', {});
    expect(await value(`coordinate_work_units{${of},status="available"}`)).toBe(1);
    await coordinate.close();
    measuring.passed += 5_000;
    const text = await metrics.read();
    expect(text).toContain('coordinate_database_up 0');
    expect(text).not.toContain('coordinate_work_units{');
    expect(text).toContain('coordinate_pool_connections{state="busy"} 0');
  });

  test('tells the logger when the tables are gone', async () => {
    const other = await testDatabase();
    const lines: string[] = [];
    const logger = { warn: (line: string) => void lines.push(line), error: () => {} };
    const measuring = await measured(other, { logger });
    const { value } = measuring;
    expect(await value('coordinate_database_up')).toBe(1);
    await drop(other.url, { schema: other.schema });
    measuring.passed += 5_000;
    expect(await value('coordinate_database_up')).toBe(0);
    expect(await value('coordinate_database_up')).toBe(0);
    expect(lines).toEqual([expect.stringMatching(/^the metrics could not be read: /)]);
  });
});

describe('options', () => {
  let connected: Awaited<ReturnType<typeof measured>>;
  beforeAll(async () => void (connected = await measured(database)));

  test.each([
    [{ cacheMs: -1 }, /options\.cacheMs/],
    [{ mostWorkSpecs: 1.5 }, /options\.mostWorkSpecs/],
    [{ now: 5 }, /options\.now: must be a function, not a number/],
    [{ cacheMillis: 5 }, /cacheMillis/],
  ])('are refused: %j', (options, message) => {
    expect(() => new Metrics(options as object)).toThrow(message);
  });

  test('measure the process when asked to', async () => {
    expect(await new Metrics({ processMetrics: true }).read()).toContain('process_resident_memory_bytes');
    expect(await new Metrics().read()).not.toContain('process_');
  });

  test('a connection must be one', async () => {
    expect(() => connected.metrics.watch({} as never)).toThrow(/coordinate: must be a connection to PostgreSQL/);
    await expect(database.connect({ telemetry: 5 as never })).rejects.toThrow(/options\.telemetry: must be an object/);
  });
});
