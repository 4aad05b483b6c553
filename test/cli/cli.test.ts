import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, drop } from 'pg-coordinate';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { runCli } from './run-cli.js';

const url = inject('databaseUrl');
const schema = `cli_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
const queue = ['--database', url, '--schema', schema];
afterAll(() => drop(url, { schema }));

describe('the tables', { timeout: 120_000 }, () => {
  test('must be there for a summary', async () => {
    expect(await runCli(['summary', ...queue])).toEqual({
      status: 1,
      output: '',
      errors: `pg-coordinate: The schema "${schema}" has no pg-coordinate tables; run \`pg-coordinate migrate\` or call migrate()\n`,
    });
  });

  test('are made by migrate, which may run again and takes the database from the environment too', async () => {
    const done = { status: 0, output: `The tables in the schema "${schema}" are up to date.\n`, errors: '' };
    expect(await runCli(['migrate', ...queue, '--buckets', '2'])).toEqual(done);
    expect(await runCli(['migrate', '--schema', schema], { DATABASE_URL: url })).toEqual(done);
  });

  test('are counted by summary', async () => {
    expect(await runCli(['summary', ...queue])).toEqual({ status: 0, output: 'There are no work units.\n', errors: '' });
    await using coordinate = await connect(url, { schema });
    const spec = await (await coordinate.namespace('')).setWorkSpec({ name: 'a\nspec' });
    await spec.addWorkUnits([{ name: 'one', data: {} }, { name: 'two', data: {} }]);
    const other = await (await coordinate.namespace('other')).setWorkSpec({ name: 'spec' });
    await other.addWorkUnit('later', {}, { notBefore: new Date('2999-01-01') });

    const { output } = await runCli(['summary', ...queue]);
    expect(output.split('\n')).toEqual([
      'namespace  work spec  available  delayed  pending  finished  failed',
      '""         "a\\nspec"          2        0        0         0       0',
      'other      spec               0        1        0         0       0',
      '',
    ]);
    const { output: json } = await runCli(['summary', ...queue, '--namespace', 'other', '--json']);
    expect(JSON.parse(json)).toEqual([{ namespace: 'other', workSpec: 'spec', status: 'delayed', count: 1 }]);
  });

  test('are not dropped without being asked for', async () => {
    expect(await runCli(['drop', ...queue])).toEqual({
      status: 2,
      output: '',
      errors: 'pg-coordinate: drop removes all work there is; without a terminal to ask on, give --yes\n',
    });
    expect(await runCli(['summary', ...queue])).toMatchObject({ status: 0 });
  });

  test('are dropped with --yes, those of all buckets', async () => {
    expect(await runCli(['drop', '--yes', ...queue])).toMatchObject({ status: 0, errors: '' });
    expect(await runCli(['summary', ...queue])).toMatchObject({ status: 1 });
    await runCli(['migrate', ...queue]);
    expect(await runCli(['summary', ...queue])).toMatchObject({ output: 'There are no work units.\n' });
  });
});

describe('what cannot be run is answered with one sentence', { timeout: 120_000 }, () => {
  test.each([
    ['an unknown command', ['migrat'], "unknown command 'migrat' (Did you mean migrate?)"],
    ['an unknown option', ['migrate', '--databse', 'x'], "unknown option '--databse' (Did you mean --database?)"],
    ['an option without its value', ['migrate', '--schema'], "option '--schema <name>' argument missing"],
    ['one argument too many', ['drop', 'everything'], "too many arguments for 'drop'. Expected 0 arguments but got 1."],
    ['a bad number', ['migrate', '--buckets', 'many'], "option '--buckets <number>' argument 'many' is invalid. It must be a whole number from 1 on."],
    ['a bad schema', ['migrate', '--database', 'postgres://localhost/a', '--schema', 'pg_x'], '--schema must be at most 48 letters, digits and underscores, not beginning with a digit or pg_'],
    ['no database', ['migrate'], 'there is no database to work on: give --database, such as postgres://localhost/app or http://127.0.0.1:5980, or set DATABASE_URL'],
  ])('%s', async (_what, args, sentence) => {
    expect(await runCli(args)).toEqual({ status: 2, output: '', errors: `pg-coordinate: ${sentence}\n` });
  });

  test('a server that is not there', async () => {
    const { status, errors } = await runCli(['migrate', '--database', 'postgres://ann:secret@127.0.0.1:1/app']);
    expect(status).toBe(1);
    expect(errors).toMatch(/^pg-coordinate: Cannot connect to PostgreSQL at 127\.0\.0\.1:1\/app: [^\n]+\n$/);
    expect(errors).not.toContain('secret');
  });
});

describe('what it says about itself', { timeout: 120_000 }, () => {
  test('its version', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    expect(await runCli(['--version'])).toEqual({ status: 0, output: `${version}\n`, errors: '' });
  });

  test('its commands: when asked, or when it is given none', async () => {
    const { status, output } = await runCli(['--help']);
    expect(status).toBe(0);
    expect(output).toMatch(/migrate[\s\S]*drop[\s\S]*summary/);
    expect(await runCli([])).toEqual({ status: 2, output: '', errors: output });
  });
});
