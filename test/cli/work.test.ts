import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkSpec } from 'pg-coordinate';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { InterruptedError } from '../../src/cli/interrupted-error.js';
import { useQueue } from './queue.js';
import { startCli } from './run-cli.js';

const queue = useQueue();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-work-'));
  await writeFile(
    join(folder, 'handlers.mjs'),
    `export const handlers = {
       squares: ({ name }) => ({ square: Number(name) ** 2 }),
       picky: { run: ({ name }) => { if (name === 'bad') throw new Error('not this one'); }, retry: { limit: 0 } },
       patient: ({ signal }) => new Promise((resolve) => {
         signal.addEventListener('abort', () => resolve());
         process.emit('patient began');
       }),
     };`,
  );
  await writeFile(join(folder, 'batches.mjs'), 'export default { squares: { runBatch: async (batch) => batch.map(() => ({})) } };');
});
afterEach(() => void vi.useRealTimers());
afterAll(() => rm(folder, { recursive: true }));

async function specWith(namespace: string, name: string, units: readonly string[]): Promise<WorkSpec> {
  const spec = await (await queue.coordinate.namespace(namespace)).setWorkSpec({ name });
  await spec.addWorkUnits(units.map((unit) => ({ name: unit, data: {} })));
  return spec;
}

const work = (namespace: string, args: readonly string[], options = {}) =>
  queue.run(namespace, ['work', join(folder, 'handlers.mjs'), ...args], options);

describe('work', () => {
  test('--once works off all there is, says what has come of it, and ends', async () => {
    const squares = await specWith('once', 'squares', ['1', '2', '3']);
    await specWith('once', 'picky', ['good', 'bad']);
    await specWith('once', 'nobodys', ['unit']);
    const paused = await specWith('once', 'patient', ['waits']);
    await paused.setMeta({ paused: true });
    const { status, output, errors } = await work('once', ['--once']);
    expect([status, output]).toEqual([
      0,
      'patient: 0 finished, 0 failed, 1 available\npicky: 1 finished, 1 failed, 0 available\nsquares: 3 finished, 0 failed, 0 available\n',
    ]);
    expect(errors).toMatch(/^picky bad: Error: not this one; failed for good\n$/);
    expect(await (await squares.workUnit('3')).data()).toEqual({ square: 9 });
  });

  test('--once goes by the time of the queue, whatever the clock of this machine says', async () => {
    const namespace = await queue.coordinate.namespace('clock');
    const squares = await namespace.setWorkSpec({ name: 'squares', continuous: true, interval: 3600 });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5 * 3_600_000 });
    // The next one is due in an hour, which has not passed.
    expect(await work('clock', ['--once'])).toMatchObject({ status: 0, output: 'squares: 1 finished, 0 failed, 0 available\n' });
    vi.setSystemTime(Date.now() - 10 * 3_600_000);
    await squares.setMeta({ nextContinuous: await queue.coordinate.now() });
    // It is due, although it is not by the clock here.
    expect(await work('clock', ['--once'])).toMatchObject({ status: 0, output: 'squares: 2 finished, 0 failed, 0 available\n' });
  });

  test('--units ends after so many', async () => {
    const squares = await specWith('units', 'squares', ['1', '2', '3']);
    expect(await work('units', ['--units', '1'])).toMatchObject({ status: 0, output: 'squares: 1 finished, 0 failed, 2 available\n' });
    expect(await (await squares.workUnit('2')).numAttempts()).toBe(0);
    expect(await work('units', ['--units', '5'])).toMatchObject({ status: 0, output: 'squares: 3 finished, 0 failed, 0 available\n' });
  });

  test('ends tidily on Ctrl-C: what runs is told, nothing is left to expire', async () => {
    const spec = await specWith('interrupted', 'patient', ['unit']);
    const interruption = new AbortController();
    // Not the event of the queue: it can come before the worker has heard that it has the unit, and gives it back then.
    const began = once(process, 'patient began');
    const working = work('interrupted', ['--grace', '10ms'], { signal: interruption.signal });
    await began;
    interruption.abort(new InterruptedError('SIGINT'));
    expect(await working).toMatchObject({ status: 0, errors: '' });
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 1 });
    const namespace = await queue.coordinate.namespace('interrupted');
    expect(await namespace.workers({ activeOnly: true })).toEqual([]);
  });

  test('shows a line for each work spec on a terminal', async () => {
    await specWith('live', 'patient', ['unit']);
    const interruption = new AbortController();
    // Only what is drawn once the handler has begun is sure to show the unit as pending.
    let [drawn, drawnBefore] = ['', Infinity];
    process.once('patient began', () => (drawnBefore = drawn.length));
    const { errors } = await work('live', ['--grace', '10ms'], {
      signal: interruption.signal,
      terminal: true,
      onOutput: (_output: string, shown: string) => {
        drawn = shown;
        if (/^patient +0 +0 +1 /m.test(drawn.slice(drawnBefore))) interruption.abort();
      },
    });
    // The first picture may come before the unit is claimed.
    expect(errors).toMatch(/work spec +available +delayed +pending +finished +failed +per second\npatient( +\d+){5} +-\n/);
    expect(errors).toMatch(/^patient +0 +0 +1 +0 +0 +(-|0)\n/m);
  });

  test('says what is wrong with the module', async () => {
    const errorOf = async (text: string): Promise<string> => {
      const file = join(folder, `module-${Buffer.from(text).toString('hex').slice(-40)}.mjs`);
      await writeFile(file, text);
      const { status, errors } = await queue.run('modules', ['work', file]);
      expect(status).not.toBe(0);
      return errors.replace('pg-coordinate: ', '').replace(file, 'MODULE').trimEnd();
    };
    expect(await errorOf('export const handler = 1;')).toBe(
      'MODULE must export handlers by work spec, such as export const handlers = { thumbnails: async ({ data }) => {} }, not undefined',
    );
    expect(await errorOf('export default {};')).toBe('handlers must have at least one handler');
    expect(await errorOf('export default { fetch: 7 };')).toMatch(/^handlers\.fetch must be a function, or an object with run, runBatch/);
    expect(await errorOf('throw new Error("broken");')).toBe('broken');
    const { status, errors } = await queue.run('modules', ['work', '/no/where.js']);
    expect([status, errors]).toEqual([2, 'pg-coordinate: there is no module /no/where.js\n']);
    expect(await work('modules', ['--units', '1', '--processes', '2'])).toMatchObject({ status: 2 });
    expect((await queue.run('modules', ['work', join(folder, 'batches.mjs'), '--units', '1'])).errors).toBe(
      'pg-coordinate: --units counts what functions do; the handler squares is none, so end it with --once\n',
    );
  });

  test('as two processes, with handlers in TypeScript', async () => {
    const module = join(folder, 'handlers.ts');
    await writeFile(
      module,
      `enum Kind { Square }
       export const handlers = { squares: ({ name }: { readonly name: string }) => ({ kind: Kind[Kind.Square], pid: process.pid, of: name }) };`,
    );
    const names = Array.from({ length: 200 }, (_, index) => String(index));
    const spec = await specWith('processes', 'squares', names);
    expect(await queue.process('processes', ['work', module, '--processes', '2', '--once', '--concurrency', '1'])).toEqual({
      status: 0,
      output: 'squares: 200 finished, 0 failed, 0 available\n',
      errors: '',
    });
    const data = await Promise.all((await spec.workUnits()).map((unit) => unit.data()));
    expect(data.map(({ kind }) => kind)).toEqual(names.map(() => 'Square'));
  });

  test('as two processes, that end when the first one is told to, or killed', async () => {
    await specWith('signals', 'patient', ['1', '2']);
    const namespace = await queue.coordinate.namespace('signals');
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const events = namespace.events();
      await events.ready;
      const child = startCli(['work', join(folder, 'handlers.mjs'), '--processes', '2', '--concurrency', '1', '--grace', '10ms'], {
        PG_COORDINATE_DATABASE: queue.database.url,
        PG_COORDINATE_SCHEMA: queue.database.schema,
        PG_COORDINATE_NAMESPACE: 'signals',
      });
      child.stdout.resume();
      child.stderr.resume();
      let started = 0;
      for await (const event of events) if (event.kind === 'started' && ++started === 2) break;
      child.kill(signal);
      // Those that it has started hold its standard output open until they have ended.
      const [status] = (await once(child, 'close')) as [number | null];
      expect(status).toBe(signal === 'SIGINT' ? 0 : null);
      expect(await namespace.workers({ activeOnly: true })).toEqual([]);
      const spec = await namespace.workSpec('patient');
      // What was claimed but not begun is given back.
      expect(await spec.countWorkUnitStatus()).not.toHaveProperty('pending');
      for (const unit of await spec.workUnits()) await unit.clearActiveAttempt();
    }
  });
});
