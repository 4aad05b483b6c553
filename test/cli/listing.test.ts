import { once } from 'node:events';
import { PythonTuple, Uuid, type Namespace } from 'pg-coordinate';
import { beforeAll, describe, expect, test } from 'vitest';
import { useQueue } from './queue.js';
import { startCli } from './run-cli.js';

const queue = useQueue();
let namespace: Namespace;
beforeAll(async () => {
  namespace = await queue.coordinate.namespace('shop');
  const letters = await namespace.setWorkSpec({ name: 'letters', priority: 3, max_running: 2, then: 'parcels' });
  await namespace.setWorkSpec({ name: 'parcels', disabled: true });
  await namespace.setWorkSpec({ name: 'two words' });
  await letters.addWorkUnits([
    { name: 'a', data: { to: 'Ann' } },
    { name: 'b', data: { tuple: new PythonTuple([1, 2n ** 60n]), id: new Uuid(new Uint8Array(16)), bytes: Buffer.from([255]) } },
    { name: Buffer.from([0xff]), data: {}, meta: { priority: -1 } },
    { name: 'later', data: {}, meta: { notBefore: new Date('2999-01-01T00:00:00Z') } },
  ]);
  const worker = await namespace.worker('w1');
  await worker.update({ data: { load: 1 }, mode: 'testing' });
  await worker.setParent(await namespace.worker('parent'));
  const [attempt] = await worker.requestAttempts();
  await attempt?.fail({ error: { name: 'Error', message: 'broken, "really"' } });
  const idle = await namespace.worker('idle');
  await idle.deactivate();
});

const run = async (...args: string[]): Promise<string> => {
  const { status, output, errors } = await queue.run('shop', args);
  expect([status, errors]).toEqual([0, '']);
  return output;
};

describe('specs', () => {
  test('lists work specs with what they are set to and their counts', async () => {
    expect((await run('specs')).split('\n')).toEqual([
      'name         paused  priority  weight  max running  then     available  delayed  pending  finished  failed',
      'letters      no             3      20            2  parcels          2        1        0         0       1',
      'parcels      yes            0      20            -  -                0        0        0         0       0',
      '"two words"  no             0      20            -  -                0        0        0         0       0',
      '',
    ]);
    expect(JSON.parse(await run('specs', '--paused', '--json'))).toEqual([
      { name: 'parcels', paused: true, priority: 0, weight: 20, maxRunning: null, then: null, available: 0, delayed: 0, pending: 0, finished: 0, failed: 0 },
    ]);
  });

  test('goes by pages', async () => {
    const first = await queue.run('shop', ['specs', '--limit', '2', '--csv']);
    expect(first.output.split('\n').map((line) => line.split(',')[0])).toEqual(['name', 'letters', 'parcels', '']);
    expect(first.errors).toBe('There may be more: go on with --after parcels, or give --all.\n');
    expect((await run('specs', '--after', 'parcels', '--csv')).split('\n')[1]).toMatch(/^two words,/);
  });
});

describe('units', () => {
  test('lists units by name, binary ones too, of some statuses, with their data', async () => {
    expect((await run('units', 'letters')).split('\n')).toEqual([
      'name    status     priority  not before',
      'a       failed            0  -',
      'b       available         0  -',
      'later   delayed           0  2999-01-01T00:00:00.000Z',
      'hex:ff  available        -1  -',
      '',
    ]);
    expect(JSON.parse(await run('units', 'letters', 'hex:ff', 'b', 'none', '--data', '--json'))).toEqual([
      {
        name: 'b',
        status: 'available',
        priority: 0,
        notBefore: null,
        data: { tuple: { $tuple: [1, { $bigint: String(2n ** 60n) }] }, id: { $uuid: '00000000-0000-0000-0000-000000000000' }, bytes: { $bytes: 'ff' } },
      },
      { name: 'hex:ff', status: 'available', priority: -1, notBefore: null, data: {} },
    ]);
    expect(await run('units', 'letters', '--status', 'failed,delayed', '--data', '--csv')).toBe(
      'name,status,priority,not before,data\n' +
        'a,failed,0,,"{""error"":{""name"":""Error"",""message"":""broken, \\""really\\""""}}"\n' +
        'later,delayed,0,2999-01-01T00:00:00.000Z,{}\n',
    );
  });

  test('says so when there are none, in each form', async () => {
    expect(await run('units', 'parcels')).toBe('There are no such work units.\n');
    expect(await run('units', 'parcels', '--json')).toBe('[]\n');
    expect(await run('units', 'parcels', '--csv')).toBe('name,status,priority,not before\n');
  });

  test('a pipe that is closed early ends it quietly', async () => {
    const many = await namespace.setWorkSpec({ name: 'many' });
    await many.addWorkUnits(Array.from({ length: 20_000 }, (_, index) => ({ name: `unit ${index}`, data: {} })));
    const child = startCli(['units', 'many', '--all'], {
      PG_COORDINATE_DATABASE: queue.database.url,
      PG_COORDINATE_SCHEMA: queue.database.schema,
      PG_COORDINATE_NAMESPACE: 'shop',
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.stdout.once('data', () => child.stdout.destroy());
    const [status] = (await once(child, 'close')) as [number | null];
    expect([status, errors]).toEqual([0, '']);
    await namespace.destroyWorkSpec('many');
  });
});

describe('attempts and workers', () => {
  test('lists the attempts at a unit, and those of a worker', async () => {
    const [attempt] = JSON.parse(await run('attempts', 'letters', 'a', '--json', '--data')) as Record<string, unknown>[];
    expect(attempt).toMatchObject({ status: 'failed', worker: 'w1', data: { error: { message: 'broken, "really"' } } });
    const ofWorker = JSON.parse(await run('attempts', '--worker', 'w1', '--json')) as Record<string, unknown>[];
    expect(ofWorker).toMatchObject([{ workSpec: 'letters', unit: 'a', number: attempt?.number }]);
    expect(await run('attempts', '--worker', 'w1', '--status', 'finished')).toBe('There are no such attempts.\n');
    expect(await run('attempts', '--worker', 'w1', '--after', String(attempt?.number))).toBe('There are no such attempts.\n');
  });

  test('lists workers', async () => {
    expect((await run('workers', '--csv')).split('\n').map((line) => line.split(',').slice(0, 4).join())).toEqual([
      'name,active,mode,parent',
      'idle,false,,',
      'parent,true,,',
      'w1,true,testing,parent',
      '',
    ]);
    expect(JSON.parse(await run('workers', '--active', '--data', '--json'))).toMatchObject([{ name: 'parent' }, { name: 'w1', data: { load: 1 } }]);
    const page = await queue.run('shop', ['workers', '--limit', '1', '--after', 'idle']);
    expect(page.output).toMatch(/\nparent /);
    expect(page.errors).toBe('There may be more: go on with --after parent, or give --all.\n');
  });
});

describe('show', () => {
  test('tells of a unit its data, its history, and why it is not running', async () => {
    const lines = (await run('show', 'letters', 'a')).split('\n');
    expect(lines[0]).toBe('letters a: failed');
    expect(lines.join('\n')).toMatch(/priority: 0\ndata: \{\n {2}"error": \{[^]*attempts:\nnumber +status +worker +start time +end time +data\n +\d+ +failed +w1 /);
    expect(await run('show', 'letters', 'later')).toMatch(/^letters later: delayed\n[^\n]*2999[^\n]*\npriority: 0\nnot before: 2999-01-01T00:00:00.000Z\ndata: \{\}\nattempts: none\n$/);
    expect(JSON.parse(await run('show', 'letters', 'hex:ff', '--json'))).toMatchObject({
      workSpec: 'letters',
      name: 'hex:ff',
      status: 'available',
      reasons: [{ kind: 'outranked-by-units', ahead: 1 }],
      attempts: [],
    });
  });

  test('tells of a work spec its definition, and what it is set to', async () => {
    expect(await run('show', 'letters')).toMatch(/^letters: not paused, priority 3, weight 20\nunits: 2 available, 1 delayed, 1 failed\ndefinition: \{\n {2}"name": "letters",/);
    expect(JSON.parse(await run('show', 'parcels', '--json'))).toMatchObject({ name: 'parcels', data: { disabled: true }, meta: { paused: true }, units: {} });
  });
});

describe('what cannot be listed', () => {
  test.each([
    ['an unknown status', ['units', 'letters', '--status', 'faild'], 2, "option '--status <statuses>' argument 'faild' is invalid. Did you mean failed?"],
    ['two forms at once', ['units', 'letters', '--json', '--csv'], 2, 'give --json or --csv, not both'],
    ['a work spec that is not there', ['units', 'leters'], 1, 'There is no work spec leters in the namespace shop (did you mean letters?)'],
    ['a unit that is not there', ['show', 'letters', 'z'], 1, 'There is no work unit z in the work spec letters; pg-coordinate units lists those there are'],
    ['neither unit nor worker', ['attempts', 'letters'], 2, 'name a work spec and a unit of it, or a worker with --worker'],
    ['a worker that is not there', ['attempts', '--worker', 'w2'], 1, 'There is no worker w2 in the namespace shop; `pg-coordinate workers` lists them'],
    ['a number that is none', ['attempts', 'letters', 'a', '--after', 'x'], 2, '--after must be the number of an attempt, not x'],
  ])('%s', async (_what, args, status, problem) => {
    expect(await queue.run('shop', args)).toMatchObject({ status, output: '', errors: `pg-coordinate: ${problem}\n` });
    expect((await namespace.workers()).map(({ name }) => name)).toEqual(['idle', 'parent', 'w1']);
  });

  test('each of the commands as a process', async () => {
    const outputs = await Promise.all(
      [['specs', '--json'], ['units', 'letters'], ['attempts', 'letters', 'a', '--csv'], ['workers', '--json'], ['show', 'letters']].map(async (args) => {
        const [here, there] = [await queue.run('shop', args), await queue.process('shop', args)];
        expect(there).toEqual({ status: here.status, output: here.output, errors: here.errors });
        return there.output;
      }),
    );
    expect(outputs.every((output) => output.length > 0)).toBe(true);
  });
});
