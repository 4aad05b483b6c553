import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import pg from 'pg';
import { CannotConnectError, connect, drop, InvalidArgumentError, migrate, type ConnectOptions } from 'pg-coordinate';
import { afterAll, describe, expect, test } from 'vitest';
import { caught } from '../database/caught.js';
import { testDatabase } from '../support/database.js';

const database = await testDatabase();
const { schema } = database;
const url = new URL(database.url);
const user = decodeURIComponent(url.username);
const password = decodeURIComponent(url.password);
const dbname = url.pathname.slice(1);
/** Nothing of the environment that the tests run in. */
const options: ConnectOptions = { schema, environment: {}, pool: { application_name: `pg-coordinate test ${schema}` } };

const pool = new pg.Pool({ connectionString: database.url, application_name: `pg-coordinate test ${schema}` });
afterAll(() => pool.end());

describe('a target may be', () => {
  const authority = database.url.slice(database.url.indexOf('//'));
  const hostname = url.hostname.replaceAll(/[[\]]/g, '');
  const quote = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
  const keyValues = `host=${quote(hostname)} port=${url.port} dbname=${quote(dbname)} user=${quote(user)}`;
  const parts = { PGHOST: hostname, PGPORT: url.port, PGUSER: user, PGPASSWORD: password, PGDATABASE: dbname };
  const elsewhere = 'postgres://nobody:nothing@127.0.0.1:1/nowhere';

  test.each<[string, string | pg.Pool | undefined, Record<string, string>]>([
    ['a URL', `postgres:${authority}`, {}],
    ['a URL with the longer scheme', `postgresql:${authority}`, {}],
    ['a URL without a scheme', authority, {}],
    ['a URL with blanks around it', `  ${database.url}\n`, {}],
    ['key-value text', `${keyValues} password=${quote(password)}`, {}],
    ['a pool', pool, {}],
    ['left out, for DATABASE_URL', undefined, { DATABASE_URL: database.url }],
    ['empty, for DATABASE_URL', '', { DATABASE_URL: database.url }],
    ['left out, for PGHOST and its like', undefined, parts],
    ['left out, where an empty DATABASE_URL counts for nothing', undefined, { DATABASE_URL: '', ...parts }],
    ['left out, where DATABASE_URL goes before PGHOST', undefined, { ...parts, PGPORT: '1', DATABASE_URL: database.url }],
    ['a URL, which goes before the environment', database.url, { DATABASE_URL: elsewhere, PGPORT: '1', PGPASSWORD: 'wrong' }],
    ['a URL whose password is in the environment', database.url.replace(/:[^:/@]*@/, '@'), { PGPASSWORD: password }],
    ['key-value text whose password is in the environment', keyValues, { PGPASSWORD: password }],
  ])('%s', async (_, target, environment) => {
    await using coordinate = await connect(target, { ...options, environment, ...(target === pool && { pool: undefined as never }) });
    const namespace = await coordinate.namespace('connect');
    expect(namespace.name).toBe('connect');
    const [row] = await coordinate.transaction(async (client) => (await client.query('select current_database() as name')).rows);
    expect(row).toEqual({ name: dbname });
  });

  test('a URL whose parameters the session takes over, beside our own', async () => {
    const more = `${database.url}${url.search === '' ? '?' : '&'}application_name=named+here&options=-c%20work_mem%3D1234kB`;
    await using coordinate = await connect(more, { schema, environment: {} });
    const rows = await coordinate.transaction(
      async (client) =>
        (
          await client.query(
            `select current_setting('application_name') as name, current_setting('work_mem') as work_mem,
            current_setting('default_transaction_isolation') as isolation`,
          )
        ).rows,
    );
    expect(rows).toEqual([{ name: 'named+here', work_mem: '1234kB', isolation: 'read committed' }]);
  });

  test('a URL beside the settings of the pool, its start-up options included', async () => {
    await using coordinate = await connect(database.url, { ...options, pool: { ...options.pool, max: 1, options: '-c work_mem=4321kB' } });
    const pids = await Promise.all(
      Array.from({ length: 3 }, () =>
        coordinate.transaction(async (client) => (await client.query('select pg_backend_pid() as pid, current_setting($1) as set', ['work_mem'])).rows[0]),
      ),
    );
    expect(new Set(pids.map((row) => (row as { pid: number }).pid)).size).toBe(1);
    expect(pids[0]).toMatchObject({ set: '4321kB' });
  });

  test.each<[string, unknown, string]>([
    ['nothing at all', undefined, 'DATABASE_URL'],
    ['a URL of something else', 'mysql://example.org/app', 'postgres://'],
    ['a word', 'app', 'postgres://'],
    ['a number', 5, 'pg.Pool'],
    ['null', null, 'pg.Pool'],
    ['an object', { host: 'localhost' }, 'pg.Pool'],
    ['a single client', new pg.Client(), 'pg.Pool'],
    ['a list', [database.url], 'pg.Pool'],
    ['a function', () => database.url, 'pg.Pool'],
    ['a URL with a parameter that is not known', `${database.url}?sslmoed=require`, 'parameter'],
  ])('not %s', async (_, target, hint) => {
    for (const call of [connect, migrate, drop]) {
      const error = await caught(Promise.resolve(call(target as never, options)));
      expect(error, call.name).toBeInstanceOf(InvalidArgumentError);
      expect(error).toMatchObject({ code: 'InvalidArgument', details: { field: 'target' } });
      expect((error as Error).message).toContain(hint);
    }
  });
});

describe('a server that cannot be reached', () => {
  const secret = 'hunter2-do-not-show';
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });

  /** The port of a server that is no PostgreSQL. */
  async function otherServer(greet: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      greet(socket);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  async function closedPort(): Promise<number> {
    const port = await otherServer(() => undefined);
    await new Promise((resolve) => servers.at(-1)?.close(resolve));
    return port;
  }

  const at = (port: string | number, database_ = dbname): string => `postgres://${user}:${secret}@127.0.0.1:${port}/${database_}`;

  test.each<[string, () => Promise<string>, RegExp]>([
    ['where nobody listens', async () => at(await closedPort()), /ECONNREFUSED/],
    ['of a name that is not known', async () => `postgres://me:${secret}@no-such-host.invalid/app`, /no-such-host\.invalid/],
    ['in a directory that is not there', async () => `postgres:///app?host=/no/such/directory&user=me&password=${secret}`, /ENOENT/],
    ['that hangs up', async () => at(await otherServer((socket) => socket.destroy())), /Connection terminated|ECONNRESET/],
    ['that says nothing', async () => `${at(await otherServer(() => undefined))}?connect_timeout=1`, /timeout/],
    ['whose database is not there', async () => {
      const other = new URL(database.url);
      other.pathname = '/no_such_database';
      return other.href;
    }, /"no_such_database" does not exist/],
    ['whose role is not there', async () => {
      const other = new URL(database.url);
      other.username = 'no_such_role';
      other.password = secret;
      return other.href;
    }, /no_such_role/],
  ])('%s is CannotConnect, with a reason and no password', async (_, target, expected) => {
    const where = await target();
    for (const call of [connect, migrate, drop]) {
      const error = await caught(Promise.resolve(call(where, options)));
      expect(error, call.name).toBeInstanceOf(CannotConnectError);
      expect(error).toMatchObject({ code: 'CannotConnect', status: 503 });
      const { message, details } = error as CannotConnectError;
      expect(message).toMatch(/^Cannot connect to PostgreSQL at .+: .+/s);
      expect(message).toMatch(expected);
      expect(Object.keys(details).toSorted()).toEqual(['problem', 'target']);
      for (const shown of [message, JSON.stringify(error), inspect(error, { depth: Infinity, showHidden: true })]) {
        expect(shown).not.toContain(secret);
        expect(shown).not.toContain(password);
      }
    }
  });
});

describe('an option', () => {
  const known = 'clock, schema, buckets, pool, random, logger, telemetry, migrate, retry, preparedStatements, sessionSettings, environment';

  test.each([
    ['migrat', 'did you mean "migrate"?'],
    ['Schema', 'did you mean "schema"?'],
    ['bukcets', 'did you mean "buckets"?'],
    ['preparedstatement', 'did you mean "preparedStatements"?'],
    ['poolSize', `known are ${known}`],
  ])('that is not known (%s) is refused with a hint', async (name, hint) => {
    for (const call of [connect, migrate, drop]) {
      const error = await caught(Promise.resolve(call(database.url, { [name]: 1 })));
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(error).toMatchObject({ details: { field: `options.${name}` } });
      expect((error as Error).message).toContain(hint);
    }
  });

  test('of an option that is not known is refused with a hint', async () => {
    const error = await caught(connect(database.url, { ...options, retry: { retires: 3 } as never }));
    expect(error).toMatchObject({ code: 'InvalidArgument', details: { field: 'options.retry.retires' } });
    expect((error as Error).message).toContain('did you mean "retries"?');
  });

  const bad: Readonly<Record<string, readonly unknown[]>> = {
    clock: [5, null, {}, { now: new Date() }],
    schema: [5, null, '', '1st', 'a-b', 'a b', 'a"b', 'a.b', 'é', 'pg_mine', 'x'.repeat(49)],
    // The last: there can be no array of so many.
    buckets: [0, -1, 1.5, '2', null, Number.NaN, Infinity, 2 ** 33],
    pool: [5, 'max=3', null],
    random: [0.5, null, {}],
    logger: [5, null, {}, { warn: () => undefined }, { warn: true, error: true }],
    migrate: ['yes', 1, null],
    retry: [5, null, 'often', [3]],
    preparedStatements: [1, 'no', null],
    sessionSettings: [0, 'no', null],
    environment: [5, 'HOME=/', null],
  };
  test.each(Object.entries(bad).flatMap(([name, values]) => values.map((value) => [name, value] as const)))('%s cannot be %o', async (name, value) => {
    const error = await caught(connect(database.url, { ...options, [name]: value }));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(String((error as InvalidArgumentError).details.field)).toBe(`options.${name}`);
  });

  test.each([5, 'schema', null, [], true])('object cannot be %o', async (value) => {
    for (const call of [connect, migrate, drop]) {
      const error = await caught(Promise.resolve(call(database.url, value as never)));
      expect(error).toMatchObject({ code: 'InvalidArgument', details: { field: 'options' } });
    }
  });

  test('that is undefined is as if it were left out', async () => {
    const nothing = Object.fromEntries(known.split(', ').map((name) => [name, undefined]));
    await using coordinate = await connect(database.url, { ...nothing, ...options });
    await coordinate.namespaces();
  });
});
