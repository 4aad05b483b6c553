import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../../support/database.js';
import { compiledProgram } from '../../support/programs.js';

const database = await testDatabase();
const coordinate = await database.connect();

test('a process that only follows events outlives the end of its connection, and ends once it has closed', { timeout: 60_000 }, async () => {
  const namespace = await coordinate.namespace('followed');
  const application = `pg-coordinate test ${database.schema} follower`;
  const program = compiledProgram(new URL('following-program.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [program, database.url, database.schema, namespace.name, application],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => (await lines.next()).value;
  expect(await next()).toBe('ready');
  await database.query('select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = $1', [application]);
  expect(await next()).toBe('missed');
  await (await namespace.setWorkSpec({ name: 's' })).addWorkUnit('a', {});
  expect(await next()).toBe('added');
  expect(await next()).toBe('closed');
  expect(await exit).toEqual([0, null]);
});
