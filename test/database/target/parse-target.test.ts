import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTarget, type Environment } from '../../../src/database/target/index.js';
import { InvalidArgumentError } from '../../../src/errors/index.js';

const plain = { ssl: false };
const unverified = { rejectUnauthorized: false };

describe('parseTarget', () => {
  it.each<[string, object]>([
    ['postgres://', {}],
    ['postgres://db.example', { host: 'db.example' }],
    ['postgres://db.example/', { host: 'db.example' }],
    ['postgres://db.example:6432/app', { host: 'db.example', port: 6432, database: 'app' }],
    ['postgresql://me:secret@h/d', { user: 'me', password: 'secret', host: 'h', database: 'd' }],
    ['//me:secret@h/d', { user: 'me', password: 'secret', host: 'h', database: 'd' }],
    ['  postgres://h/d\n', { host: 'h', database: 'd' }],
    ['postgres:///d', { database: 'd' }],
    ['postgres://me@/d', { user: 'me', database: 'd' }],
    ['postgres://me:@h:/d', { user: 'me', host: 'h', database: 'd' }],
    ['postgres://[::1]:5433/d', { host: '::1', port: 5433, database: 'd' }],
    ['postgres://%2Fvar%2Frun%2Fpg/d', { host: '/var/run/pg', database: 'd' }],
    ['postgres:///d?host=/var/run/pg&port=1', { host: '/var/run/pg', port: 1, database: 'd' }],
    ['postgres://a/d?host=b&dbname=e', { host: 'b', database: 'e' }],
    ['postgres://h/d?application_name=my%20app+1', { host: 'h', database: 'd', application_name: 'my app+1' }],
    ['postgres://h?application_name=a@b', { host: 'h', application_name: 'a@b' }],
    ['postgres://h?', { host: 'h' }],
    ['postgres://h/a%2Fb', { host: 'h', database: 'a/b' }],
    ['postgres://h/%E2%9C%93', { host: 'h', database: '✓' }],
    ['postgres://us%40er:p%3Aa%2Fs%3Fs%25%23@h', { user: 'us@er', password: 'p:a/s?s%#', host: 'h' }],
    ['postgres://me:p@ss:w#rd@h/d', { user: 'me', password: 'p@ss:w#rd', host: 'h', database: 'd' }],
    [
      'postgres://h?connect_timeout=3&options=-c%20jit%3Doff&keepalives=1&keepalives_idle=9',
      { host: 'h', connectionTimeoutMillis: 3000, options: '-c jit=off', keepAlive: true, keepAliveInitialDelayMillis: 9000 },
    ],
    ['postgres://h?channel_binding=require', { host: 'h', enableChannelBinding: true }],
    ['postgres://h/d?schema=public&pgbouncer=true&target_session_attrs=any', { host: 'h', database: 'd' }],
    ['postgres://h?statement_timeout=86400000&lock_timeout=5', { host: 'h', statement_timeout: 86_400_000, lock_timeout: 5 }],
  ])('reads the URL %s', (target, config) => {
    expect(parseTarget(target)).toEqual({ ...plain, ...config });
  });

  it.each<[string, object]>([
    ['host=h', { host: 'h' }],
    ["host=h port=5433 user=me password=p dbname='my db'", { host: 'h', port: 5433, user: 'me', password: 'p', database: 'my db' }],
    ['  host = h\n\tdbname\t=\td  ', { host: 'h', database: 'd' }],
    ["password='it\\'s a \\\\ b' host=h", { password: "it's a \\ b", host: 'h' }],
    ['password=it\\\'s\\ a\\\\b host=h', { password: "it's a\\b", host: 'h' }],
    ["password=it's", { password: "it's" }],
    ["host=h password=''", { host: 'h' }],
    ["host='h'dbname='d'", { host: 'h', database: 'd' }],
    ['host=h user=', { host: 'h' }],
    ['password=a=b%20c', { password: 'a=b%20c' }],
    ['host=/var/run/pg sslmode=require', { host: '/var/run/pg' }],
    ['host=a host=b', { host: 'b' }],
    ['host=h hostaddr=10.0.0.1', { host: '10.0.0.1' }],
    ['host=h hostaddr=10.0.0.1 sslmode=verify-full', { host: '10.0.0.1', ssl: { rejectUnauthorized: true, servername: 'h' } }],
  ])('reads the key-value text %s', (target, config) => {
    expect(parseTarget(target)).toEqual({ ...plain, ...config });
  });

  it.each<[string | undefined, Environment, object | null]>([
    [undefined, {}, null],
    ['', {}, null],
    [' ', { PGHOST: '', DATABASE_URL: ' ' }, null],
    [undefined, { PGAPPNAME: 'a', PGSSLMODE: 'require' }, null],
    [undefined, { DATABASE_URL: 'postgres://u@h/d' }, { user: 'u', host: 'h', database: 'd' }],
    [undefined, { DATABASE_URL: 'host=h' }, { host: 'h' }],
    [undefined, { DATABASE_URL: 'postgres://h/d', PGHOST: 'other', PGUSER: 'u' }, { user: 'u', host: 'h', database: 'd' }],
    [undefined, { PGUSER: 'u' }, { user: 'u' }],
    [
      '',
      { PGHOST: 'h', PGPORT: '5433', PGUSER: 'u', PGPASSWORD: 'p', PGDATABASE: 'd', PGAPPNAME: 'a', PGSSLMODE: 'require' },
      { host: 'h', port: 5433, user: 'u', password: 'p', database: 'd', application_name: 'a', ssl: unverified },
    ],
    ['postgres://h', { DATABASE_URL: 'postgres://other', PGPASSWORD: 'p' }, { host: 'h', password: 'p' }],
    ['postgres://h?ssl=false', { PGHOST: 'x', PGSSLMODE: 'require' }, { host: 'h' }],
    ['postgres://h?sslmode=disable', { PGSSLMODE: 'verify-full' }, { host: 'h' }],
  ])('takes %s with the environment %o', (target, environment, config) => {
    expect(parseTarget(target, environment)).toEqual(config && { ...plain, ...config });
  });

  it.each<string | undefined>([
    'http://me:hunter2@h',
    'hunter2',
    'postgres:hunter2',
    'postgres://me:hunter2@h:port/d',
    'postgres://me:hunter2@h:0/d',
    'postgres://me:hunter2@h:70000/d',
    'postgres://me:hunter2@a,b/d',
    'postgres://me:hunter2@a:1,b:2/d',
    'postgres://me:hun?ter2=@h/d',
    'postgres://me:1?hunter2=2@h/d',
    'postgres://me:1/hunter2@h/d?hunter2',
    'postgres://me:hunter2%zz@h/d',
    'postgres://me:hunter2%ff@h/d',
    'postgres://me:hunter2%00@h/d',
    'postgres://h?sslmode=hunter2',
    'postgres://h?sslmode=verify-ca',
    'postgres://h?sslmode=require&sslnegotiation=hunter2',
    'postgres://h?sslmode=verify-full&sslrootcert=/no/such/file',
    'password=a hunter2',
    'password=a hunter2=b',
    "password='hunter2",
    'host=h connect_timeout=hunter2',
    'host=h statement_timeout=-1',
  ])('refuses %s without repeating it', (target) => {
    let error: unknown;
    try {
      parseTarget(target);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(InvalidArgumentError);
    const { message, details } = error as InvalidArgumentError;
    expect(details.field).toBe('target');
    expect(message).not.toMatch(/hunter2|ter2/);
    expect(message).toMatch(/^target: (has|is|names|must) /);
  });

  it('says which forms there are', () => {
    expect(() => parseTarget('mydb')).toThrow(/postgres:\/\/.*\/\/host\/database.*key=value.*DATABASE_URL/s);
  });

  it('says that it is DATABASE_URL that is wrong', () => {
    expect(() => parseTarget('', { DATABASE_URL: 'mysql://h' })).toThrow('target: the environment variable DATABASE_URL must be postgres://');
  });

  it.each(['ssl_mode', 'SSLMODE', 'sslMode'])('suggests the right spelling of %s', (name) => {
    expect(() => parseTarget(`postgres://h?${name}=verify-full`)).toThrow('is sslmode meant?');
  });
});

describe('TLS', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pg-coordinate-test-'));
    writeFileSync(join(directory, 'pem'), 'a certificate');
  });
  afterAll(() => rm(directory, { recursive: true }));

  it.each<[string, unknown]>([
    ['', false],
    ['sslmode=disable', false],
    ['sslmode=allow', false],
    ['sslmode=prefer', unverified],
    ['sslmode=require', unverified],
    ['sslmode=no-verify', unverified],
    ['ssl=true', unverified],
    ['ssl=0', false],
    ['sslmode=verify-full', { rejectUnauthorized: true }],
    ['sslrootcert=system', { rejectUnauthorized: true }],
    ['sslmode=verify-full&sslrootcert=PEM', { rejectUnauthorized: true, ca: 'a certificate' }],
    ['sslmode=require&sslcert=PEM&sslkey=PEM', { ...unverified, cert: 'a certificate', key: 'a certificate' }],
  ])('%s means %o, as in libpq', (query, ssl) => {
    expect(parseTarget(`postgres://h?${query.replaceAll('PEM', join(directory, 'pem'))}`)?.ssl).toEqual(ssl);
  });

  it.each(['sslmode=verify-ca&', 'sslmode=require&', ''])('%s with a root certificate checks all but the name', (query) => {
    const ssl = parseTarget(`postgres://h?${query}sslrootcert=${join(directory, 'pem')}`)?.ssl;
    expect(ssl).toEqual({ rejectUnauthorized: true, ca: 'a certificate', checkServerIdentity: expect.any(Function) });
  });

  it('passes direct negotiation on', () => {
    expect(parseTarget('postgres://h?sslnegotiation=direct')).toMatchObject({ sslnegotiation: 'direct', ssl: unverified });
  });
});
