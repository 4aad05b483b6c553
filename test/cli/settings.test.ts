import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashToken, makeToken, TokenFile, writeTokenEntry } from 'pg-coordinate/access';
import { serveRest } from 'pg-coordinate/rest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { runHere } from './run-here.js';

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-cli-'));
  await using coordinate = await database.connect();
  await (await (await coordinate.namespace('shop')).setWorkSpec({ name: 'thumbnails' })).addWorkUnit('cat.jpg', {});
  await (await (await coordinate.namespace('other')).setWorkSpec({ name: 'letters' })).addWorkUnit('one', {});
});
afterAll(() => rm(folder, { recursive: true }));

const shown = (errors: string): Record<string, string> =>
  Object.fromEntries(errors.trim().split('\n').map((line) => line.split(/: (.*)/).slice(0, 2) as [string, string]));

describe('which queue is meant', () => {
  test('flags outrank the environment, that the configuration file, and --verbose says which it was', async () => {
    const file = join(folder, 'some.yaml');
    await writeFile(file, 'namespace: other\ntoken: from the file\nbuckets: 1\nschema: wrong\n');
    const { status, output, errors } = await runHere(
      ['summary', '--verbose', '--json', '--config', file, '--schema', database.schema],
      { environment: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/', PG_COORDINATE_DATABASE: database.url, PG_COORDINATE_TOKEN: 'hush' } },
    );
    expect(status).toBe(0);
    expect(JSON.parse(output)).toMatchObject([{ namespace: 'other' }]);
    expect(shown(errors)).toEqual({
      database: expect.stringMatching(/^[^@]+ \(the environment's PG_COORDINATE_DATABASE\)$/),
      namespace: `other (${file})`,
      token: "hidden (the environment's PG_COORDINATE_TOKEN)",
      schema: `${database.schema} (the flag --schema)`,
      buckets: `1 (${file})`,
    });
    expect(errors).not.toContain('hush');
  });

  test('without a word about it, the defaults are shown, and no password ever', async () => {
    const environment = { DATABASE_URL: 'postgres://ann:secret@127.0.0.1:1/app' };
    const { status, errors } = await runHere(['summary', '--verbose'], { environment });
    expect(status).toBe(1);
    expect(errors.split('\n').slice(0, 5)).toEqual([
      "database: 127.0.0.1:1/app (the environment's DATABASE_URL)",
      'namespace: none (by default)',
      'token: none (by default)',
      'schema: coordinate (by default)',
      'buckets: 1 (by default)',
    ]);
    expect(errors).not.toContain('secret');
  });

  test('pg-coordinate.yaml where one is, and else the one in the home folder, are found', async () => {
    const here = await mkdtemp(join(folder, 'here-'));
    const home = await mkdtemp(join(folder, 'home-'));
    await mkdir(join(home, '.config', 'pg-coordinate'), { recursive: true });
    const text = (namespace: string): string => JSON.stringify({ database: database.url, schema: database.schema, namespace });
    await writeFile(join(home, '.config', 'pg-coordinate', 'config.yaml'), text('other'));
    const options = { directory: here, environment: { HOME: home } };
    expect(JSON.parse((await runHere(['summary', '--json'], options)).output)).toMatchObject([{ namespace: 'other' }]);
    await writeFile(join(here, 'pg-coordinate.yaml'), text('shop'));
    expect(JSON.parse((await runHere(['summary', '--json'], options)).output)).toMatchObject([{ namespace: 'shop' }]);
    await writeFile(join(here, 'pg-coordinate.yaml'), '# nothing yet\n');
    expect((await runHere(['summary', '--json'], options)).status).toBe(2);
  });
});

describe('what is wrong with settings is said in one sentence', () => {
  test.each([
    ['an unknown key', 'databse: x', 'databse is not an option; did you mean "database"?'],
    ['a value of the wrong kind', 'namespace: 7', 'namespace must be text'],
    ['a bad number', 'buckets: 0', 'buckets must be a whole number from 1 on'],
    ['a list', '- database', 'it must be an object, not an array'],
  ])('%s', async (what, text, problem) => {
    const file = join(folder, `${what}.yaml`);
    await writeFile(file, text);
    const expected = `pg-coordinate: the configuration file ${file}: ${problem}\n`;
    expect(await runHere(['summary', '--config', file])).toMatchObject({ status: 2, output: '', errors: expected });
  });

  test('no YAML, no file, a bad variable, a scheme that nobody knows', async () => {
    const file = join(folder, 'no-yaml');
    await writeFile(file, 'a: [');
    const errorsOf = async (args: readonly string[], environment = {}): Promise<string> => {
      const { status, errors } = await runHere(['summary', ...args], { environment });
      expect(status).toBe(2);
      return errors;
    };
    expect(await errorsOf(['--config', file])).toMatch(/^pg-coordinate: the configuration file \S+ is not YAML: [^\n]+\n$/);
    expect(await errorsOf(['--config', '/no/where'])).toBe('pg-coordinate: there is no configuration file /no/where\n');
    expect(await errorsOf([], { PG_COORDINATE_BUCKETS: 'many' })).toBe(
      "pg-coordinate: the environment's PG_COORDINATE_BUCKETS must be a whole number from 1 on\n",
    );
    expect(await errorsOf(['--database', 'mysql://x'])).toMatch(/^pg-coordinate: --database begins with mysql:\/\/, which is none of postgres:\/\/,/);
    const migrate = await runHere(['migrate', '--database', 'http://localhost:5980']);
    expect(migrate).toMatchObject({
      status: 2,
      errors: "pg-coordinate: migrate is about the database itself: give its postgres:// address as --database, not one of http://\n",
    });
  });
});

test('a server that asks for a token is given one, and what it says to none and to a wrong one helps', async () => {
  const token = makeToken();
  const file = join(folder, 'tokens.yaml');
  await writeFile(file, writeTokenEntry({ name: 'reader', hash: hashToken(token), roles: new Map([['shop', ['read']]]), expires: null }));
  const coordinate = await database.connect();
  const server = await serveRest({ coordinate, port: 0, tokens: await TokenFile.load(file) });
  const run = (args: readonly string[], environment = {}) => runHere([...args, '--namespace', 'shop', '--database', server.url], { environment });
  try {
    expect(await run(['specs'])).toMatchObject({
      status: 1,
      errors: 'pg-coordinate: This server asks for a token: give it as --token, or as PG_COORDINATE_TOKEN\n',
    });
    expect(await run(['specs', '--token', makeToken()])).toMatchObject({
      status: 1,
      errors: 'pg-coordinate: This server asks for a token: the token is not one of this server\n',
    });
    expect(await run(['specs', '--csv'], { PG_COORDINATE_TOKEN: token })).toMatchObject({ status: 0, output: expect.stringContaining('thumbnails'), errors: '' });
    expect(await run(['clear', 'thumbnails', '--yes', '--token', token])).toMatchObject({
      status: 1,
      errors: 'pg-coordinate: The token "reader" has not got the role admin in the namespace "shop"\n',
    });
  } finally {
    await server.stop();
    await coordinate.close();
  }
});

describe('summary --watch', () => {
  test('counts again until it is told to end', async () => {
    const interruption = new AbortController();
    const { status, output } = await runHere(
      ['summary', '--watch', '10ms', '--namespace', 'shop', '--database', database.url, '--schema', database.schema],
      {
        signal: interruption.signal,
        onOutput: (text) => {
          if (text.split('thumbnails').length > 2) interruption.abort();
        },
      },
    );
    expect(status).toBe(0);
    expect(output.split('\n').slice(0, 4)).toEqual([
      'namespace  work spec   available  delayed  pending  finished  failed',
      'shop       thumbnails          1        0        0         0       0',
      '',
      'namespace  work spec   available  delayed  pending  finished  failed',
    ]);
  });

  test('draws in place on a terminal, and gives it back', async () => {
    const interruption = new AbortController();
    const { output } = await runHere(['summary', '--watch', '--database', database.url, '--schema', database.schema], {
      terminal: true,
      signal: interruption.signal,
      onOutput: () => interruption.abort(),
    });
    expect(output.startsWith('\u001B[?1049h\u001B[?25l\u001B[H')).toBe(true);
    expect(output).toContain('\u001B[?25h\u001B[?1049l');
  });
});
