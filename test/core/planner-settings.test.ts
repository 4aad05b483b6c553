import pg from 'pg';
import { connect, type PostgresCoordinate } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';

/*
 * Sessions of our own pool are set up for the queue's statements. The caller's own SQL, in coordinate.transaction, must be planned as
 * it would be on any other connection of theirs.
 */

const database = await testDatabase();
const application_name = `pg-coordinate test ${database.schema}`;
const text = `select name, setting from pg_settings where category like 'Query Tuning%' order by name`;
const chosen = '-c jit=off -c enable_hashjoin=off -c plan_cache_mode=force_custom_plan -c work_mem=1234kB';

type Settings = readonly { readonly name: string; readonly setting: string }[];

async function plain(options?: string): Promise<Settings> {
  const client = new pg.Client({ connectionString: database.url, application_name, ...(options !== undefined && { options }) });
  await client.connect();
  try {
    return (await client.query<Settings[number]>(text)).rows;
  } finally {
    await client.end();
  }
}

async function inTransaction(coordinate: PostgresCoordinate): Promise<Settings> {
  return coordinate.transaction(async (transaction) => (await transaction.query(text)).rows as unknown as Settings);
}

test('pages that our sessions write go to the disk soon, unless the caller has said otherwise', async () => {
  const flushAfter = (coordinate: PostgresCoordinate): Promise<unknown> =>
    coordinate.transaction(async (transaction) => (await transaction.query('show backend_flush_after')).rows[0]);
  expect(await flushAfter(await database.connect())).toEqual({ backend_flush_after: '256kB' });
  expect(await flushAfter(await database.connect({ pool: { options: '-c backend_flush_after=0' } }))).toEqual({ backend_flush_after: '0' });
});

describe('the caller’s SQL is planned as everywhere else', () => {
  test('on our own pool', async () => {
    expect(await inTransaction(await database.connect())).toEqual(await plain());
  });

  test('on our own pool, where the target has settings', async () => {
    const url = new URL(database.url);
    url.searchParams.set('options', chosen);
    const { schema } = database;
    await using coordinate = await connect(url.href.replaceAll('+', '%20'), { schema, pool: { application_name } });
    expect(await inTransaction(coordinate)).toEqual(await plain(chosen));
  });

  test.each([undefined, chosen])('on a pool of the user’s with the options %s', async (options) => {
    const pool = new pg.Pool({ connectionString: database.url, application_name, max: 1, ...(options !== undefined && { options }) });
    const coordinate = await connect(pool, { schema: database.schema });
    const expected = await plain(options);
    expect(await inTransaction(coordinate)).toEqual(expected);
    // And nothing of ours is left on it.
    await coordinate.namespaces();
    expect((await pool.query<Settings[number]>(text)).rows).toEqual(expected);
    await coordinate.close();
    await pool.end();
  });
});
