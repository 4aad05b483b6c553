import { startEmbeddedPostgres, type EmbeddedPostgres } from 'pg-coordinate/embedded';
import pg from 'pg';
import { connect, migrate } from 'pg-coordinate';
import { examine, type Result } from '../../src/doctor/index.js';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { useQueue } from './queue.js';
import { runHere } from './run-here.js';

const queue = useQueue();
afterEach(() => void vi.useRealTimers());

interface Found {
  readonly check: string;
  readonly findings: readonly { readonly severity: string; readonly text: string; readonly advice: string }[];
}

/** What doctor finds by itself, without what is so on purpose on the server that the tests run on, or is because of others who use it at the same time. */
async function findings(...args: string[]): Promise<Record<string, Found['findings']>> {
  const { status, output, errors } = await queue.run('', ['doctor', '--json', ...args]);
  expect([0, 3]).toContain(status);
  expect(errors).toBe('');
  const found = (JSON.parse(output) as Found[]).map(({ check, findings: all }) => {
    return [check, all.filter(({ text }) => !/^(fsync|full_page_writes) is off/.test(text) && !text.startsWith('The session'))] as const;
  });
  return Object.fromEntries(found.filter(([check, all]) => all.length > 0 && check !== 'connections'));
}

const sql = (text: string) => queue.database.query(text);

describe('doctor', () => {
  test('finds nothing on a healthy queue, and leaves nothing behind', async () => {
    expect(await findings()).toEqual({});
    expect(await sql("select nspname from pg_namespace where nspname like 'coordinate_doctor%'")).toEqual([]);
  });

  test('finds a dropped index, and says how to make it again', async () => {
    const { bucket } = queue.database;
    await sql(`drop index ${bucket}.lease_due`);
    const { drift } = await findings();
    expect(drift).toEqual([
      {
        severity: 'problem',
        text: `The index lease_due in the schema "${bucket}" is missing.`,
        advice: expect.stringMatching(/^Run: CREATE INDEX lease_due ON .*\.lease USING btree \(expires_at\)$/),
      },
    ]);
    await sql(drift?.[0]?.advice.replace('Run: ', '') ?? '');
    expect(await findings()).toEqual({});
  });

  test('finds what was changed by hand', async () => {
    const { bucket } = queue.database;
    await sql(`alter table ${bucket}.work_spec alter column runtime drop not null`);
    await sql(`drop view ${bucket}.any_attempt`).catch(() => undefined);
    const { drift } = await findings();
    expect(drift?.map(({ text }) => text)).toContain(`The column work_spec.runtime in the schema "${bucket}" is not what this version makes.`);
    await sql(`alter table ${bucket}.work_spec alter column runtime set not null`);
  });

  test('finds a table whose autovacuum is off', async () => {
    const table = `${queue.database.bucket}.work_unit`;
    await sql(`alter table ${table} set (autovacuum_enabled = false)`);
    const { settings } = await findings();
    expect(settings).toMatchObject([{ severity: 'problem', text: expect.stringMatching(/^autovacuum is off for the table .*"work_unit"/) }]);
    await sql(`alter table ${table} reset (autovacuum_enabled)`);
  });

  test('finds a held snapshot, and who holds it', async () => {
    const holder = await queue.database.client();
    await holder.query('begin isolation level repeatable read');
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
    const { output, status } = await queue.run('', ['doctor', '--transaction-age', '0ms']);
    expect(status).toBe(3);
    expect(output).toMatch(new RegExp(`warning  transactions: The session ${rows[0]?.pid} \\(pg-coordinate test [^)]*\\) has had a transaction open for \\d+ seconds?, and does nothing in it: it holds vacuum up\\.\\n    End it: .* pg_terminate_backend\\(${rows[0]?.pid}\\)\\n`));
    await holder.query('rollback');
  });

  test('finds a clock two hours off', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 3_600_000 });
    const { clock } = await findings();
    expect(clock).toMatchObject([{ severity: 'warning', text: "The clock of this machine is 2.0 hours ahead of the server's." }]);
    vi.setSystemTime(new Date(Date.now() - 4 * 3_600_000));
    expect((await findings()).clock).toMatchObject([{ text: "The clock of this machine is 2.0 hours behind the server's." }]);
  });

  test('finds an invalid index', async () => {
    const { bucket } = queue.database;
    await sql(`create index extra on ${bucket}.work_unit (priority)`);
    await sql(`update pg_index set indisvalid = false where indexrelid = '${bucket}.extra'::regclass`);
    expect((await findings()).indexes).toMatchObject([{ severity: 'problem', advice: `Run: reindex index concurrently "${bucket}"."extra"` }]);
    await sql(`drop index ${bucket}.extra`);
  });

  test('finds tables of another version, and none', async () => {
    const { schema, bucket } = queue.database;
    const [last] = await queue.database.query<{ name: string }>(`select name from ${bucket}.migration order by id desc limit 1`);
    await sql(`update ${bucket}.migration set name = 'later' where name = '${last?.name}'`);
    expect((await findings())['schema version']).toMatchObject([
      { text: `The schema "${bucket}" lacks the migration ${last?.name}.`, advice: 'Run `pg-coordinate migrate`.' },
    ]);
    await sql(`update ${bucket}.migration set name = '${last?.name}' where name = 'later'`);
    await sql(`insert into ${schema}.migration (name, run_on) values ('9999_later', now())`);
    expect((await findings())['schema version']).toMatchObject([{ advice: 'Update pg-coordinate on this machine.' }]);
    await sql(`delete from ${schema}.migration where name = '9999_later'`);
    expect((await findings('--schema', 'nowhere'))['schema version']).toMatchObject([{ text: 'The schema "nowhere" has no tables of pg-coordinate.' }]);
  });

  test('says so when it cannot look', async () => {
    expect(await runHere(['doctor', '--database', 'postgres://127.0.0.1:1/app'])).toMatchObject({
      status: 1,
      errors: expect.stringMatching(/^pg-coordinate: Cannot connect to PostgreSQL at 127\.0\.0\.1:1\/app: /),
    });
    expect(await runHere(['doctor'])).toMatchObject({ status: 2 });
    expect(await runHere(['doctor', '--database', 'http://localhost'])).toMatchObject({ status: 2 });
  });
});

/* Claims, too, that somebody slows down: of all who write on a server it names the ten who have been at it longest. */
describe('doctor, on a server of its own,', () => {
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    const settings = { autovacuum: 'off', fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' };
    server = await startEmbeddedPostgres({ settings: { ...settings, wal_level: 'logical', max_connections: '16', max_prepared_transactions: '2' } });
    await migrate(server.url);
  });
  afterAll(() => server.stop());
  const doctor = async (...args: string[]): Promise<string> => (await runHere(['doctor', '--database', server.url, ...args])).output;
  const client = async (database?: string): Promise<pg.Client> => {
    const url = new URL(server.url);
    if (database !== undefined) url.pathname = `/${database}`;
    const connected = new pg.Client(url.href);
    await connected.connect();
    return connected;
  };

  test('finds autovacuum off, as a process, and nothing else', async () => {
    const { status, output, errors } = await queue.process('', ['doctor'], { PG_COORDINATE_DATABASE: server.url, PG_COORDINATE_SCHEMA: 'coordinate' });
    expect([status, errors]).toEqual([3, '']);
    expect(output).toBe(
      ['server version', 'schema version', 'drift', 'indexes', 'dead rows', 'clock', 'transactions', 'claims', 'connections'].map((name) => `ok  ${name}\n`).join('') +
        'problem  settings: autovacuum is off: dead rows pile up, and claims become slower and slower.\n' +
        '    Run: alter system set autovacuum = on; select pg_reload_conf()\n1 problem, 0 warnings.\n',
    );
  });

  test('finds that connections run out', async () => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => client()));
    expect(await doctor()).toMatch(/^(?:warning|problem) {2}connections: 13 of the server's 13 connections are in use\.\n {4}Give workers smaller pools/m);
    await Promise.all(clients.map((each) => each.end()));
  });

  test('finds a replication slot that nobody uses; what it advises helps', async () => {
    const own = await client();
    await own.query("select pg_create_logical_replication_slot('forgotten', 'pgoutput')");
    const output = await doctor();
    expect(output).toMatch(/^warning {2}transactions: The replication slot forgotten is not in use and holds vacuum up, \d+ transactions behind\.$/m);
    await own.query(/select pg_drop_replication_slot\('forgotten'\)/.exec(output)?.[0] ?? '');
    expect(await doctor()).toMatch(/^ok {2}transactions$/m);
    await own.end();
  });

  test('finds a prepared transaction', async () => {
    const holder = await client();
    await holder.query("begin; select txid_current(); prepare transaction 'left behind'");
    const { transactions, claims } = await findings('--database', server.url, '--schema', 'coordinate', '--transaction-age', '0ms');
    expect(transactions?.map(({ text }) => text)).toContainEqual(expect.stringMatching(/^The prepared transaction 'left behind' is \d+ seconds? old/));
    // It stops the rotation of generations, too.
    expect(claims).toContainEqual({
      severity: 'warning',
      text: expect.stringMatching(/^The prepared transaction 'left behind' in the database \S+ has been writing for \d+ seconds?: claims slow down/),
      advice: expect.stringContaining("rollback prepared 'left behind', in the database "),
    });
    await holder.query("rollback prepared 'left behind'");
    await holder.end();
  });

  test('finds who keeps generations from being sealed', async () => {
    const holder = await client();
    await holder.query("set application_name = 'forgetful'; begin; select pg_current_xact_id()");
    const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
    expect(await doctor('--transaction-age', '0ms')).toMatch(
      new RegExp(`^warning {2}claims: The session ${rows[0]?.pid} \\(forgetful\\) in the database \\w+ has been writing for \\d+ seconds?: claims slow down`, 'm'),
    );
    await holder.query('rollback');
    await holder.end();
  });

  test('finds a transaction that was prepared and forgotten, in another database too, and whom it keeps waiting', async () => {
    const own = await client();
    await own.query('create database elsewhere');
    const other = await client('elsewhere');
    await other.query("begin; select pg_current_xact_id(); prepare transaction 'forgotten'");
    await own.query(`
      select setval('coordinate_bucket_1.ready_closed', 1), setval('coordinate_bucket_1.ready_open', 2),
        setval('coordinate_bucket_1.ready_closed_before', pg_current_xact_id()::text::bigint)`);
    const output = await doctor('--transaction-age', '0ms');
    expect(output).toMatch(/^ok {2}transactions$/m);
    expect(output).toMatch(/^warning {2}claims: The prepared transaction 'forgotten' in the database elsewhere has been writing for \d+ seconds?: claims slow down \(as in "coordinate_bucket_1" by now\)\.$/m);
    await other.query(/rollback prepared 'forgotten'/.exec(output)?.[0] ?? '');
    expect(await doctor('--transaction-age', '0ms')).toMatch(/^ok {2}claims$/m);
    await Promise.all([own.end(), other.end()]);
  });

  test('finds a bloated index and dead rows; what it advises helps', async () => {
    const own = await client();
    await using coordinate = await connect(server.url);
    const spec = await (await coordinate.namespace('bloated')).setWorkSpec({ name: 'spec' });
    await spec.addWorkUnits(Array.from({ length: 10_000 }, (_, index) => ({ name: `unit ${index}`, data: {} })));
    await spec.deleteWorkUnits({ previousName: 'unit 1' });
    const look = async (): Promise<Map<string, Result['findings']>> => {
      const found = new Map<string, Result['findings']>();
      const options = { schema: 'coordinate', buckets: 1, now: () => new Date(), limits: { bloatBytes: 100_000, deadRows: 1_000 } };
      for await (const { check, findings: its } of examine(own, options)) found.set(check, its.filter(({ text }) => text.includes('work_unit')));
      return found;
    };
    await own.query('analyze coordinate_bucket_1.work_unit');
    expect((await look()).get('dead rows')).toMatchObject([
      { severity: 'warning', text: 'The table "coordinate_bucket_1"."work_unit" has 9998 dead rows beside 2 living ones, never vacuumed.' },
    ]);
    await own.query('vacuum analyze coordinate_bucket_1.work_unit');
    const found = await look();
    expect(found.get('dead rows')).toEqual([]);
    expect(found.get('indexes')?.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^The index "coordinate_bucket_1"."work_unit_spec_id_name_key" is bloated: [\d.]+ MiB instead of about [\d.]+ MiB\.$/),
    );
    for (const { advice } of found.get('indexes') ?? []) await own.query(advice.replace('Run: ', ''));
    expect((await look()).get('indexes')).toEqual([]);
    await own.end();
  });
});
