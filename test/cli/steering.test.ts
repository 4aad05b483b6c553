import { randomUUID } from 'node:crypto';
import type { Namespace, WorkSpec } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import { InterruptedError } from '../../src/cli/interrupted-error.js';
import { useQueue } from './queue.js';

const queue = useQueue();

interface Place {
  readonly namespace: Namespace;
  readonly spec: WorkSpec;
  readonly run: (...args: string[]) => Promise<{ status: number | null; output: string; errors: string }>;
}

/** A namespace of the test's own, with a work spec of some units. */
async function place(...units: string[]): Promise<Place> {
  const name = randomUUID();
  const namespace = await queue.coordinate.namespace(name);
  const spec = await namespace.setWorkSpec({ name: 'jobs' });
  await spec.addWorkUnits(units.map((unit) => ({ name: unit, data: { of: unit } })));
  return { namespace, spec, run: (...args) => queue.run(name, args) };
}

const done = (output: string) => ({ status: 0, output, errors: '' });

/** Fails so many units, each with an error of its own. */
async function failSome({ namespace }: Place, messages: readonly string[]): Promise<void> {
  const worker = await namespace.worker('worker');
  for (const message of messages) {
    const [attempt] = await worker.requestAttempts();
    await attempt?.fail({ ...attempt.data, error: { name: 'Error', message, stack: `Error: ${message}\n    at work (jobs.js:1:1)` } });
  }
}

describe('pause, resume, weight, priority', () => {
  test('set what the scheduler reads, and say what it was', async () => {
    const here = await place('a');
    await here.namespace.setWorkSpec({ name: 'other' });
    expect(await here.run('pause', 'jobs')).toEqual(expect.objectContaining(done('jobs is paused.\n')));
    expect(await here.run('pause', '--all')).toMatchObject(done('jobs is paused already.\nother is paused.\n'));
    expect(await here.run('resume', 'jobs', 'other')).toMatchObject(done('jobs is running.\nother is running.\n'));
    expect(await here.run('weight', 'jobs', '5')).toMatchObject(done('The weight of jobs is 5; it was 20.\n'));
    expect(await here.run('priority', 'jobs', '-2')).toMatchObject(done('The priority of jobs is -2; it was 0.\n'));
    expect(await here.run('priority', 'jobs', '5', '--by')).toMatchObject(done('The priority of jobs is 3; it was -2.\n'));
    expect(await here.spec.meta()).toMatchObject({ paused: false, weight: 5, priority: 3 });
  });

  test('a typo among work specs changes none of them', async () => {
    const here = await place('a');
    expect(await here.run('pause', 'jobs', 'job')).toMatchObject({ status: 1, output: '' });
    expect((await here.spec.meta()).paused).toBe(false);
    expect(await here.run('pause')).toMatchObject({ status: 2, errors: 'pg-coordinate: name the work specs, or give --all\n' });
    expect(await here.run('weight', 'jobs', '1.5')).toMatchObject({ status: 2 });
    expect(await here.run('priority', 'jobs', 'high')).toMatchObject({ status: 2 });
  });

  test('set the priority of units', async () => {
    const here = await place('a', 'b', 'c');
    expect(await here.run('priority', 'jobs', '7', 'a', 'b', 'none')).toMatchObject(done('The priority of 2 work units of jobs is 7.\n'));
    expect(await here.run('priority', 'jobs', '-1', '--status', 'available', '--by')).toMatchObject(
      done('The priority of 3 available work units of jobs is changed by -1.\n'),
    );
    expect(await Promise.all((await here.spec.workUnits()).map((unit) => unit.priority()))).toEqual([6, 6, -1]);
  });
});

describe('retry', () => {
  test('makes failed units available again, all or those named, and no others', async () => {
    const here = await place('a', 'b', 'c');
    await failSome(here, ['1', '2']);
    expect(await here.run('retry', 'jobs', 'a', 'c', '--yes')).toMatchObject(done('1 unit made available again.\n'));
    expect(await here.spec.countWorkUnitStatus()).toEqual({ available: 2, failed: 1 });
    expect(await here.run('retry', 'jobs', '--all')).toMatchObject({
      status: 2,
      errors: 'pg-coordinate: retry makes 1 failed work unit of jobs available again; without a terminal to ask on, give --yes\n',
    });
    expect(await here.run('retry', 'jobs', '--all', '--yes')).toMatchObject(done('1 unit made available again.\n'));
    expect(await here.run('retry', 'jobs', '--all', '--yes')).toMatchObject(done('There are no such work units: 0 failed work units of jobs.\n'));
    expect(await here.spec.countWorkUnitStatus()).toEqual({ available: 3 });
  });

  test('is asked about on a terminal: only yes is yes', async () => {
    const here = await place('a');
    await failSome(here, ['1']);
    const answer = (text: string) => queue.run(here.namespace.name, ['retry', 'jobs', '--all'], { input: text, terminal: true });
    const no = await answer('n\n');
    expect(no).toMatchObject({ status: 1, output: '' });
    expect(no.errors).toContain('retry makes 1 failed work unit of jobs available again. Go on? [y/N] ');
    expect(no.errors).toMatch(/pg-coordinate: nothing was changed\n$/);
    expect((await answer('')).status).toBe(1);
    expect(await here.spec.countWorkUnitStatus()).toEqual({ failed: 1 });
    expect((await answer('yes\n')).output).toBe('1 unit made available again.\n');
    expect(await here.spec.countWorkUnitStatus()).toEqual({ available: 1 });
  });

  test('ends on Ctrl-C', async () => {
    const here = await place('a');
    await failSome(here, ['1']);
    const signal = AbortSignal.abort(new InterruptedError('SIGINT'));
    expect(await queue.run(here.namespace.name, ['retry', 'jobs', '--all', '--yes'], { signal })).toMatchObject({
      status: 130,
      errors: 'pg-coordinate: ended by SIGINT\n',
    });
    expect(await here.spec.countWorkUnitStatus()).toEqual({ failed: 1 });
  });
});

describe('cancel and fail', () => {
  test('cancel stops what runs, and leaves alone what waits', async () => {
    const here = await place('a', 'b');
    await (await here.namespace.worker('worker')).requestAttempts();
    expect(await here.run('cancel', 'jobs', '--all', '--yes', '--reason', 'too slow')).toMatchObject(done('1 unit stopped.\n'));
    expect(await here.spec.countWorkUnitStatus()).toEqual({ available: 1, failed: 1 });
    const unit = await here.spec.workUnit('a');
    expect(await unit.data()).toMatchObject({ of: 'a', error: { code: 'Cancelled', message: 'too slow' } });
  });

  test('fail declares units failed, whether they wait or run; those that have ended stay as they are', async () => {
    const here = await place('a', 'b', 'c', 'd');
    const worker = await here.namespace.worker('worker');
    const [finished] = await worker.requestAttempts();
    await finished?.finish();
    await worker.requestAttempts();
    expect(await here.run('fail', 'jobs', 'a', 'b', 'c', '--yes', '--reason', 'no longer wanted')).toMatchObject(done('2 units declared failed.\n'));
    expect(await here.spec.countWorkUnitStatus()).toEqual({ available: 1, finished: 1, failed: 2 });
    expect(await (await here.spec.workUnit('c')).data()).toEqual({ of: 'c', error: { name: 'DeclaredFailed', message: 'no longer wanted' } });
    expect((await here.namespace.workers({ activeOnly: true })).map(({ name }) => name)).toEqual(['worker']);
    expect(await here.run('fail', 'jobs')).toMatchObject({
      status: 2,
      errors: 'pg-coordinate: name the units, or say which with --status, or --all\n',
    });
  });
});

describe('delete and clear', () => {
  test('delete removes units of a status, those named, or all', async () => {
    const here = await place('a', 'b', 'c', 'd');
    await failSome(here, ['1']);
    expect(await here.run('delete', 'jobs', '--status', 'failed')).toMatchObject({
      status: 2,
      errors: 'pg-coordinate: delete removes 1 failed work unit of jobs and their history; without a terminal to ask on, give --yes\n',
    });
    expect(await here.run('delete', 'jobs', '--status', 'failed', '--yes')).toMatchObject(done('1 unit deleted.\n'));
    expect(await here.run('delete', 'jobs', 'b', 'a', '--yes')).toMatchObject(done('1 unit deleted.\n'));
    expect(await here.run('delete', 'jobs', 'c', '--all', '--yes')).toMatchObject({ status: 2 });
    expect(await here.run('delete', 'jobs', '--all', '--yes')).toMatchObject(done('2 units deleted.\n'));
  });

  test('clear removes a work spec, or the namespace', async () => {
    const here = await place('a', 'b');
    await here.namespace.setWorkSpec({ name: 'other' });
    const { name } = here.namespace;
    expect(await here.run('clear', 'jobs')).toMatchObject({
      status: 2,
      errors: 'pg-coordinate: clear removes the work spec jobs and its 2 work units; without a terminal to ask on, give --yes\n',
    });
    expect(await here.run('clear', 'jobs', '--yes')).toMatchObject(done('The work spec jobs and its 2 work units are removed.\n'));
    expect(await here.run('clear', '--yes')).toMatchObject(done(`Removed the namespace ${name}: 1 work spec, 0 work units, its workers.\n`));
    expect((await queue.coordinate.namespaces()).map((one) => one.name)).not.toContain(name);
  });
});

describe('failed', () => {
  test('groups failed units by error, with a full example of each', async () => {
    const here = await place('a', 'b', 'c', 'd');
    await failSome(here, ['timeout after 31 ms', 'timeout after 7 ms', 'no\u009bsuch thing']);
    const worker = await here.namespace.worker('python');
    const [attempt] = await worker.requestAttempts();
    await attempt?.fail({ traceback: 'Traceback:\n  File "x.py"\nValueError: bad\n' });
    const { status, output } = await here.run('failed');
    expect(status).toBe(0);
    expect(output.split('\n').filter((line) => /^\d+ unit/.test(line))).toEqual([
      '2 units: Error: timeout after # ms',
      '1 unit: Error: no such thing',
      '1 unit: ValueError: bad',
    ]);
    expect(output).toContain('such as jobs a, with the data {\n  "of": "a",\n  "error": {\n    "name": "Error",\n    "message": "timeout after 31 ms",');
    expect(output).toContain('Error: timeout after 31 ms\n    at work (jobs.js:1:1)\n');
    expect(output).not.toContain('\u009b');
    const groups = JSON.parse((await here.run('failed', 'jobs', '--json')).output) as unknown[];
    expect(groups).toMatchObject([{ error: 'Error: timeout after # ms', count: 2, example: { workSpec: 'jobs', unit: 'a' } }, {}, {}]);
    expect(await here.run('failed', '--limit', '1')).toMatchObject({
      errors: 'jobs: only the first 1 failed unit are looked at; --limit says how many.\n',
    });
    await here.run('retry', 'jobs', '--all', '--yes');
    expect((await here.run('failed')).output).toBe('No work units have failed.\n');
  });
});

test('each of the commands as a process', async () => {
  const here = await place('a', 'b', 'c');
  const run = (...args: string[]) => queue.process(here.namespace.name, args);
  expect(await run('pause', 'jobs')).toEqual(done('jobs is paused.\n'));
  expect(await run('resume', '--all')).toEqual(done('jobs is running.\n'));
  expect(await run('weight', 'jobs', '7')).toEqual(done('The weight of jobs is 7; it was 20.\n'));
  expect(await run('priority', 'jobs', '-7')).toEqual(done('The priority of jobs is -7; it was 0.\n'));
  expect(await run('fail', 'jobs', 'a', '--yes')).toEqual(done('1 unit declared failed.\n'));
  expect((await run('failed')).output).toMatch(/^1 unit: DeclaredFailed: declared failed from the command line\n/);
  expect(await run('retry', 'jobs', '--all', '--yes')).toEqual(done('1 unit made available again.\n'));
  expect(await run('cancel', 'jobs', '--all', '--yes')).toEqual(done('There are no such work units: 0 pending work units of jobs.\n'));
  expect(await run('delete', 'jobs', 'a', '--yes')).toEqual(done('1 unit deleted.\n'));
  expect(await run('clear', '--yes')).toMatchObject({ status: 0, errors: '' });
});
