import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { expectConsistent } from './consistency.js';
import { untilBlocked } from './waiting.js';

const database = await testDatabase();

/**
 * What a busy worker does all the time: its heartbeat renews all it holds while it reports what it has done, and a producer adds
 * some of the units anew. Would show two statements that meet the same leases in different orders, and wait for each other until
 * PostgreSQL ends one of them a second later.
 */
test('renewing leases while their attempts are finished and their units replaced never deadlocks', async () => {
  const coordinate = await database.connect({ pool: { max: 8 } });
  const namespace = await coordinate.namespace('reports');
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  // Handed out neither in the order of their names nor of their ids.
  const names = Array.from({ length: 3_000 }, (_, index) => `unit ${(index * 7) % 3_000}`);
  for (let start = 0; start < names.length; start += 100) {
    const units = names.slice(start, start + 100);
    await spec.addWorkUnits(units.map((name) => ({ name, data: {}, meta: { priority: Math.random() } })));
  }
  const worker = await namespace.worker('worker');
  for (let round = 0; round < 15; round++) {
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 200 });
    const reports = attempts.map((attempt) => ({ attempt }));
    await Promise.all([
      namespace.renewAll(reports, 60_000),
      namespace.finishAll(reports.slice(50)),
      namespace.renewAll(reports.toReversed(), 60_000),
      spec.addWorkUnits(attempts.slice(0, 100).map(({ workUnit }) => ({ name: workUnit.name, data: { round } }))),
      namespace.failAll(reports.slice(0, 50).toReversed()),
    ]);
  }
  expect(coordinate.statistics.deadlocks).toBe(0);
  await expectConsistent(database);
});

test('who ends leases by their places gives way to who has locked one, and then takes them in the order of their units', async () => {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace('order');
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  await spec.addWorkUnit('earlier', {}, { priority: 1 });
  await spec.addWorkUnit('later', {}, { priority: 2 });
  const worker = await namespace.worker('worker');
  const attempts = await worker.requestAttempts({ numberOfWorkUnits: 2 });
  expect(attempts.map(({ workUnit }) => workUnit.name)).toEqual(['later', 'earlier']);

  const lease = (name: string): string => `
    select l.number from ${database.bucket}.lease l join ${database.bucket}.work_unit u on u.id = l.unit_id
    where u.name = '${name}' for update of l skip locked`;
  const renewing = await database.client();
  await renewing.query('begin');
  await renewing.query(lease('earlier'));
  const finished = namespace.finishAll(attempts.map((attempt) => ({ attempt })));
  // After the first try, which goes by places, has given up.
  await untilBlocked(database, 'attempt.end ');
  expect(await database.query(lease('later')), 'leases that nobody has locked').toHaveLength(1);
  await renewing.query('rollback');
  expect(await finished).toMatchObject([{ error: null }, { error: null }]);
});
