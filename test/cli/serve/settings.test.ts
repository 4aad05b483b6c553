import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { readSettings } from '../../../src/cli/serve/read-settings.js';
import { settingsReference } from '../../../src/cli/serve/settings-reference.js';
import { fileKeyOf, settingsTable, variableOf, type Setting, type SettingName } from '../../../src/cli/serve/settings-table.js';
import { runCli } from '../run-cli.js';

const directory = await mkdtemp(join(tmpdir(), 'pg-coordinate-settings-'));
afterAll(() => rm(directory, { recursive: true }));
beforeEach(() => rm(join(directory, 'pg-coordinate.yaml'), { force: true }));
const home = { HOME: directory };

const table: Readonly<Record<string, Setting>> = settingsTable;
const names = Object.keys(settingsTable) as SettingName[];
/** Two values that each can have, and neither of which is its default. */
const examples = (name: SettingName): [string, string] => {
  const { must } = table[name]!;
  if (must === 'text') return ['one', 'two'];
  if (must === 'true or false') return ['true', 'yes'];
  if (/^\w+ or \w+$/.test(must)) return must.split(' or ').toReversed() as [string, string];
  return must === 'a list of names' ? ['a,b', 'c'] : ['7', '9'];
};

async function write(text: string): Promise<void> {
  await writeFile(join(directory, 'pg-coordinate.yaml'), text);
}

async function valueOf(name: SettingName, flags: object = {}, environment: object = {}): Promise<unknown> {
  return (await readSettings(flags, { ...home, ...environment }, directory)).settings[name];
}

describe('each setting', () => {
  test.each(names)('%s comes from the flag, else the environment, else the file, else the default', async (name) => {
    const setting = table[name]!;
    const [first, second] = examples(name);
    const [key = '', within] = fileKeyOf(name).split('.');
    const inFile = within === undefined ? `${key}: ${first}` : `${key}: {${within}: "${first}"}`;
    expect(await valueOf(name)).toEqual(setting.default);
    await write(inFile);
    const fromFile = setting.must.startsWith('a whole') && within === undefined ? Number(first) : first;
    expect(await valueOf(name)).toEqual(setting.read(fromFile));
    expect(await valueOf(name, {}, { [variableOf(name)]: second })).toEqual(setting.read(second));
    expect(await valueOf(name, { [name]: first }, { [variableOf(name)]: second })).toEqual(setting.read(first));
    expect(await valueOf(name, {}, { [variableOf(name)]: '' })).toEqual(setting.read(fromFile));
  });

  test('is a flag of the command, and in the table of the README', async () => {
    const { output } = await runCli(['serve', '--help']);
    for (const name of names) expect(output).toContain(` --${name}`);
    const readme = await readFile(new URL('../../../src/cli/serve/README.md', import.meta.url), 'utf8');
    expect(readme).toContain(settingsReference());
  });
});

describe('a setting that cannot be', () => {
  test.each([
    [{ 'rest-port': '70000' }, {}, '', '--rest-port must be a whole number from 0 to 65535'],
    [{}, { PG_COORDINATE_CBOR_RPC_PORT: 'none' }, '', "the environment's PG_COORDINATE_CBOR_RPC_PORT must be a whole number from 0 to 65535, or off"],
    [{}, {}, 'serve: {allow-remote: 7}', 'serve.allow-remote in '],
    [{}, {}, 'serve: {rest-prot: 1}', 'serve.rest-prot is not an option; did you mean "rest-port"?'],
    [{}, {}, 'buckets: many', 'buckets in '],
    [{}, {}, 'serve: 5980', 'serve must be a map'],
    [{}, {}, '- a', 'must be a map'],
    [{}, {}, '{', 'is not YAML'],
    [{ config: 'nowhere.yaml' }, {}, '', 'there is no configuration file'],
  ])('is an error: %j %j %j', async (flags, environment, file, sentence) => {
    if (file !== '') await write(file);
    await expect(readSettings(flags, { ...home, ...environment }, directory)).rejects.toThrow(sentence);
  });
});

test('what the compose file and the unit of systemd set can be set', async () => {
  const deployed = (name: string): Promise<string> => readFile(new URL(`../../../src/cli/deploy/${name}`, import.meta.url), 'utf8');
  const { services } = parse(await deployed('compose.yaml')) as { services: { serve: { environment: Record<string, string> } } };
  const environment = services.serve.environment;
  const known = names.map(variableOf);
  expect(Object.keys(environment).filter((name) => name.startsWith('PG_COORDINATE_') && !known.includes(name))).toEqual([]);
  const { settings } = await readSettings({}, { ...home, ...environment }, directory);
  expect(settings).toMatchObject({ 'rest-host': '0.0.0.0', 'cbor-rpc-port': 'off', 'allow-remote': false, tokens: '/etc/pg-coordinate/tokens.yaml' });
  expect(await deployed('pg-coordinate.service')).toContain('pg-coordinate serve --config /etc/pg-coordinate/config.yaml\nExecReload=/bin/kill -HUP $MAINPID');
});

test('the file is the one that is named, else the one that is here, else the one of the user', async () => {
  await mkdir(join(directory, '.config', 'pg-coordinate'), { recursive: true });
  await writeFile(join(directory, '.config', 'pg-coordinate', 'config.yaml'), 'schema: users');
  await writeFile(join(directory, 'named.yaml'), 'schema: named');
  expect(await valueOf('schema')).toBe('users');
  await write('schema: here');
  expect(await valueOf('schema')).toBe('here');
  expect(await valueOf('schema', {}, { PG_COORDINATE_CONFIG: 'named.yaml' })).toBe('named');
  expect(await valueOf('schema', { config: 'named.yaml' })).toBe('named');
  await rm(join(directory, '.config'), { recursive: true });
});

test('clients are given of the file what is not about this program, and no secrets', async () => {
  await write('database: postgres://a:secret@b/c\ntoken: secret\nserve: {tokens: secret}\nrejester: {app_name: crawl}\nlogging: [1, x]');
  const { file } = await readSettings({}, home, directory);
  expect(file?.forClients).toEqual({ rejester: { app_name: 'crawl' }, logging: [1, 'x'] });
});

test('the off of YAML is the off of a port, quoted or not', async () => {
  await write('serve: {cbor-rpc-port: off}');
  expect(await valueOf('cbor-rpc-port')).toBe('off');
});

describe('token new', () => {
  test('prints a token, and a line that knows it', async () => {
    const { status, output, errors } = await runCli(['token', 'new', '--name', 'farm', '--role', 'work', 'produce', '--namespace', 'a', '--expires', '90d']);
    const [token = '', line = ''] = output.split('\n');
    expect([status, token]).toEqual([0, expect.stringMatching(/^pgc_[\w-]{43}$/)]);
    expect(errors).toMatch(/not shown again/);
    const [entry] = parse(line) as [{ name: string; roles: object; expires: string; sha256: string }];
    expect(entry).toMatchObject({ name: 'farm', roles: { a: ['work', 'produce'] } });
    expect(Math.round((Date.parse(entry.expires) - Date.now()) / 86_400_000)).toBe(90);
    expect(line).not.toContain(token.slice(4));
  });

  test.each([
    [['--role', 'root'], '--role root is none of read, produce, work, admin'],
    [['--role', 'read', '--expires', 'soon'], '--expires must be such as 90d or 2027-11-20, later than now, or never'],
    [['--role', 'read', '--expires', '2001-01-01'], '--expires must be such as 90d or 2027-11-20, later than now, or never'],
  ])('takes no %j', async (args, sentence) => {
    expect(await runCli(['token', 'new', '--name', 'x', ...args])).toEqual({ status: 2, output: '', errors: `pg-coordinate: ${sentence}\n` });
  });
});
