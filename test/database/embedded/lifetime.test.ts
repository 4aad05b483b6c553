import { describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../../src/database/embedded/index.js';
import { until } from '../until.js';
import { spawnChild } from './child.js';
import { fast, query } from './query.js';
import { expectNothingLeft, processesNaming, runDirectories, useTemporaryFiles } from './temporary-files.js';

const temporary = useTemporaryFiles();

describe('the server ends and cleans up', () => {
  it.each([
    ['is killed', (pid: number) => process.kill(pid, 'SIGKILL'), 'SIGKILL'],
    ['is told to terminate', (pid: number) => process.kill(pid, 'SIGTERM'), 'SIGTERM'],
    ['is interrupted by Ctrl-C, which goes to its whole process group', (pid: number) => process.kill(-pid, 'SIGINT'), 'SIGINT'],
  ])('when the process that started it %s', async (_how, end, signal) => {
    const child = spawnChild({ settings: fast }, 'live');
    await child.next();
    const { url } = await child.next();
    expect(await query(url, 'select 1')).toEqual([1]);
    end(child.process.pid);
    expect(await child.exit).toMatchObject({ signal });
    await expectNothingLeft(temporary.directory);
    await expect(query(url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('when that process is killed while initdb runs', async () => {
    const child = spawnChild({ settings: fast }, 'live');
    await child.next();
    const initdb = `/initdb\0--pgdata=${temporary.directory}`;
    await until('initdb runs', async () => (await processesNaming(initdb)).length > 0);
    process.kill(child.process.pid, 'SIGKILL');
    await child.exit;
    await expectNothingLeft(temporary.directory);
  });

  it('when that process comes to its end, which the server does not put off', async () => {
    const child = spawnChild({ settings: fast }, 'end');
    await child.next();
    await child.next();
    expect(await child.exit).toEqual({ status: 0, signal: null, errors: '' });
    await expectNothingLeft(temporary.directory);
  });

  it('when the supervisor itself is killed, at the latest when stopped', async () => {
    const postgres = await startEmbeddedPostgres({ settings: fast });
    const [supervisor = 0] = await processesNaming('pg-coordinate-supervisor\0' + temporary.directory);
    process.kill(supervisor, 'SIGKILL');
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
    await postgres.stop();
    await expectNothingLeft(temporary.directory);
  });

  it('when the server has died already', async () => {
    const postgres = await startEmbeddedPostgres({ settings: fast });
    const [server = 0] = await processesNaming('/native/bin/postgres\0-D\0' + temporary.directory);
    // Not by SIGKILL, after which nobody would remove its shared memory from the system.
    process.kill(server, 'SIGQUIT');
    await until('it has died', async () => (await processesNaming('/native/bin/postgres\0-D\0' + temporary.directory)).length === 0);
    await postgres.stop();
    await expectNothingLeft(temporary.directory);
  });

  it('with clients still connected', async () => {
    const postgres = await startEmbeddedPostgres({ settings: fast });
    const sleeping = expect(query(postgres.url, 'select pg_sleep(60)')).rejects.toThrow();
    const asleep = `select 1 from pg_stat_activity where wait_event = 'PgSleep'`;
    await until('it sleeps', async () => (await query(postgres.url, asleep)).length === 1);
    await postgres.stop();
    await sleeping;
    expect(await runDirectories(temporary.directory)).toEqual([]);
  });
});
