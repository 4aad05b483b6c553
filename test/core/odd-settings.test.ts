import { connect, drop, type PostgresCoordinate } from 'pg-coordinate';
import { ManualClock } from 'pg-coordinate/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { testDatabase } from '../support/database.js';

/*
 * What an administrator may have set for a database or a role changes how values look and how names are found, for those who rely
 * on it.
 */

const database = await testDatabase();
const name = `${database.schema}_odd`;
const url = new URL(inject('databaseUrl'));
url.pathname = `/${name}`;

beforeAll(() => database.query(`create database ${name}`));
afterAll(() => database.query(`drop database ${name} with (force)`));

const settings = [
  ['search_path', ''],
  ['search_path', 'pg_catalog, nonsense'],
  ['DateStyle', 'German, DMY'],
  ['DateStyle', 'SQL, DMY'],
  ['TimeZone', 'Asia/Kathmandu'],
  ['IntervalStyle', 'sql_standard'],
  ['bytea_output', 'escape'],
  ['extra_float_digits', '0'],
  ['standard_conforming_strings', 'off'],
  ['transform_null_equals', 'on'],
  ['quote_all_identifiers', 'on'],
  ['default_transaction_isolation', 'repeatable read'],
  ['row_security', 'off'],
  ['synchronous_commit', 'off'],
  ['client_min_messages', 'debug1'],
] as const;

/** What `pg` would misread, or not send as it is meant: said at once where we may not set it ourselves. */
const refused: ReadonlySet<string> = new Set(['DateStyle', 'extra_float_digits', 'standard_conforming_strings']);

describe.each([
  ['with our session settings', true],
  ['without our session settings', false],
])('%s', (_, sessionSettings) => {
  test.each(settings)('%s = %j changes nothing', async (setting, value) => {
    // An empty search_path has to be quoted as an identifier.
    await database.query(`alter database ${name} set ${setting} = ${value === '' ? "''" : setting === 'search_path' ? value : `'${value}'`}`);
    try {
      const clock = new ManualClock(new Date('2015-11-20T17:34:21.123Z'));
      if (!sessionSettings && refused.has(setting)) {
        const connecting = connect(url.href, { migrate: true, clock, sessionSettings });
        await expect(connecting).rejects.toThrow(new RegExp(`${setting} = .*; set it to`));
        return;
      }
      const coordinate = await connect(url.href, { migrate: true, clock, sessionSettings });
      try {
        await useEverything(coordinate, clock);
      } finally {
        await coordinate.close();
      }
    } finally {
      await drop(url.href);
      await database.query(`alter database ${name} reset all`);
    }
  });
});

async function useEverything(coordinate: PostgresCoordinate, clock: ManualClock): Promise<void> {
  const namespace = await coordinate.namespace('back\\slash ’');
  const spec = await namespace.setWorkSpec({ name: 'spec\\', weight: 7, then: 'next', interval: 0.25 });
  const next = await namespace.setWorkSpec({ name: 'next', continuous: true, priority: -1 });
  const key = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const notBefore = new Date('2015-11-20T17:34:22.987Z');
  await spec.addWorkUnits([
    { name: key, data: { bytes: key }, meta: { priority: 0.1 + 0.2 } },
    { name: 'later', data: {}, meta: { notBefore, priority: 1e-300 } },
  ]);
  expect(await (await spec.workUnit(key)).meta()).toEqual({ priority: 0.1 + 0.2, notBefore: null });
  expect(await (await spec.workUnit('later')).meta()).toEqual({ priority: 1e-300, notBefore });
  expect(await spec.meta()).toMatchObject({ weight: 7, intervalMs: 250, nextWorkSpecName: 'next' });
  expect((await spec.workUnits({ names: [key] })).map((unit) => Uint8Array.from(unit.key))).toEqual([key]);

  const worker = await namespace.worker('worker\\');
  const [attempt] = await worker.requestAttempts({ numberOfWorkUnits: 5, lifetimeMs: 1_500 });
  expect([attempt!.startTime, attempt!.data]).toEqual([clock.now(), { bytes: key }]);
  expect(await attempt!.read()).toMatchObject({ expirationTime: new Date('2015-11-20T17:34:22.623Z') });
  await attempt!.finish({ output: [['made\\', { x: 0.1 }, { delay: 0.5 }]] });
  expect(await (await next.workUnit('made\\')).meta()).toEqual({ priority: 0, notBefore: new Date('2015-11-20T17:34:21.623Z') });
  await spec.addWorkUnit(key, {});
  expect(await spec.countWorkUnitStatus()).toEqual({ available: 1, delayed: 1 });

  clock.advance(3_600_000);
  expect(await worker.requestAttempts({ numberOfWorkUnits: 5, workSpecs: ['spec\\'] })).toHaveLength(2);
  await next.deleteWorkUnits();
  const [continuous] = await worker.requestAttempts({ workSpecs: ['next'] });
  expect(continuous!.workUnit.name).toBe(`${clock.now().getTime() / 1000}`);
  await worker.update({ data: {}, now: clock.now(), expiration: notBefore });
  expect(await worker.read()).toMatchObject({ lastUpdate: clock.now(), expiration: notBefore });
}
