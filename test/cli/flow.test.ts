import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useQueue } from './queue.js';

const queue = useQueue();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-flow-'));
});
afterAll(() => rm(folder, { recursive: true }));

const first = `
flows:
  fetch:
    module: jobs.fetch
    priority: 2
    then: parse
    id: 9007199254740993
  parse: { min_gb: 0.5 }
`;

describe('flow', () => {
  test('makes work specs, says what would change, changes it, and then nothing', async () => {
    const flow = (text: string, ...options: string[]) => queue.run('shop', ['flow', '-', ...options], { input: text });
    expect(await flow(first, '--dry-run')).toMatchObject({
      status: 3,
      output: '+ fetch\n+ parse\nWould be: 2 created, 0 unchanged.\n',
      errors: '',
    });
    expect((await queue.coordinate.namespaces()).map(({ name }) => name)).not.toContain('shop');

    expect(await flow(first)).toMatchObject({ status: 0, output: '+ fetch\n+ parse\n2 created, 0 unchanged.\n', errors: '' });
    const namespace = await queue.coordinate.namespace('shop');
    expect(await (await namespace.workSpec('fetch')).data()).toEqual({
      name: 'fetch',
      module: 'jobs.fetch',
      priority: 2,
      then: 'parse',
      id: 9007199254740993n,
    });
    expect(await flow(first)).toMatchObject({ status: 0, output: '  fetch\n  parse\n2 unchanged.\n' });
    expect(await flow(first, '--dry-run')).toMatchObject({ status: 0 });

    const second = first.replace('priority: 2', 'weight: 5');
    expect(await flow(second)).toMatchObject({
      output: '~ fetch: priority 2 -> none, weight none -> 5\n  parse\n1 changed, 1 unchanged.\n',
    });
    expect(await (await namespace.workSpec('fetch')).meta()).toMatchObject({ priority: 0, weight: 5 });
  });

  test('reads JSON, and a list; --json prints the steps', async () => {
    const file = join(folder, 'flow.json');
    await writeFile(file, JSON.stringify([{ name: 'a', desc: 'first' }, { name: 'b' }]));
    await queue.run('lists', ['flow', file]);
    await writeFile(file, JSON.stringify([{ name: 'a', desc: 'second' }, { name: 'b' }, { name: 'c' }]));
    const { output } = await queue.run('lists', ['flow', file, '--json']);
    expect(JSON.parse(output)).toEqual([
      { workSpec: 'a', step: 'change', keys: [{ key: 'desc', from: 'first', to: 'second' }] },
      { workSpec: 'b', step: 'keep' },
      { workSpec: 'c', step: 'create' },
    ]);
  });

  test('leaves others alone without --prune; with it asks before removing units', async () => {
    const namespace = await queue.coordinate.namespace('pruned');
    await (await namespace.setWorkSpec({ name: 'old' })).addWorkUnits([{ name: '1', data: {} }, { name: '2', data: {} }]);
    const flow = (...options: string[]) => queue.run('pruned', ['flow', '-', ...options], { input: 'new: {}' });
    expect((await flow()).output).toBe('+ new\n1 created, 0 unchanged.\n');
    expect(await flow('--prune')).toMatchObject({
      status: 2,
      output: '',
      errors:
        'pg-coordinate: removing the work specs that are not in - removes 2 work units; without a terminal to ask on, give --yes\n',
    });
    expect(await flow('--prune', '--dry-run')).toMatchObject({ status: 3, output: '  new\n- old (2 work units)\nWould be: 1 removed, 1 unchanged.\n' });
    expect(await namespace.workSpecNames()).toEqual(['new', 'old']);
    expect((await flow('--prune', '--yes')).output).toBe('  new\n- old (2 work units)\n1 removed, 1 unchanged.\n');
    expect(await namespace.workSpecNames()).toEqual(['new']);
  });

  test('warns of what can hardly be meant', async () => {
    const { status, errors } = await queue.run('warned', ['flow', '-'], { input: 'a: { prioriy: 1, max_running: many, then: nowhere, own: 1 }' });
    expect(status).toBe(0);
    expect(errors.split('\n')).toEqual([
      'warning: a: the key "prioriy" means nothing; did you mean priority?',
      'warning: a: max_running must be a number to count, not "many"',
      'warning: a: there is no work spec nowhere for its output',
      '',
    ]);
  });

  test.each([
    ['no YAML', 'a: [', /^standard input is not YAML: /],
    ['no work specs', '7', /^- must be a list of work specs, or a map from their names to their definitions, not a number$/],
    ['no name', '[{ priority: 1 }]', /^-: work spec 1 must have a name that is text$/],
    ['a definition that is none', 'a: [1]', /^-: the definition of a must be a map, not an array$/],
    ['two of one name', '[{ name: a }, { name: a }]', /^- defines the work spec a twice$/],
    ['another name inside', 'a: { name: b }', /^-: a has another name inside, "b"$/],
  ])('refuses a file with %s, and makes nothing', async (_what, input, problem) => {
    const { status, output, errors } = await queue.run('refused', ['flow', '-'], { input });
    expect([status, output]).toEqual([2, '']);
    expect(errors.replace(/^pg-coordinate: (.*)\n$/, '$1')).toMatch(problem);
    expect((await queue.coordinate.namespaces()).map(({ name }) => name)).not.toContain('refused');
  });

  test('as a process', async () => {
    const file = join(folder, 'flow.yaml');
    await writeFile(file, first);
    expect(await queue.process('process', ['flow', file])).toEqual({ status: 0, output: '+ fetch\n+ parse\n2 created, 0 unchanged.\n', errors: '' });
    const { status, errors } = await queue.process('process', ['flow', join(folder, 'none.yaml')]);
    expect([status, errors]).toEqual([2, expect.stringMatching(/^pg-coordinate: \S+none\.yaml cannot be read: ENOENT[^\n]+\n$/)]);
  });
});
