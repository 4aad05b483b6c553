import { describe, expect, test } from 'vitest';
import { CancelledError } from '../../../src/errors/index.js';
import { testProcesses } from '../../concurrency/processes.js';
import type { ParentTasks } from './parent.process.js';
import { isRunning, job, kinds, options, runner, Told, untilGone } from './running.js';

const parents = testProcesses<ParentTasks>(new URL('parent.process.ts', import.meta.url));

describe.each(kinds)('in a %s', (kind) => {
  test.each(['computesForEver', 'ignoresSignal'])('a handler that %s is killed when its time is over, and another host works', async (exportName) => {
    const runs = runner({ kind, exportName });
    const told = new Told();
    await expect(runs.run(job(), options({ runMs: 1_000, onLog: told.onLog }))).rejects.toMatchObject({
      code: 'RunTimeExceeded',
      details: { limitMs: 1_000 },
    });
    if (kind === 'process' && told.lines.length > 0) await untilGone(told.lines[0]!.details!.pid as number);
    await expect(runs.run(job(), options({ runMs: 1 }))).rejects.toMatchObject({ code: 'RunTimeExceeded' });
  });

  test.each(['computesForEver', 'ignoresSignal'])('a handler that %s is killed when the time of grace after its signal is over', async (exportName) => {
    const told = new Told();
    const abort = new AbortController();
    const run = runner({ kind, exportName }).run(job(), options({ signal: abort.signal, graceMs: 10, onLog: told.onLog }));
    const settled = run.catch((error: unknown) => error);
    await Promise.race([told.until('computing'), told.until('waiting')]);
    const reason = new CancelledError('not wanted');
    abort.abort(reason);
    expect(await settled).toBe(reason);
  });

  test.each([
    ['exit', /exit code 3/],
    ['uncaught', kind === 'thread' ? /nobody catches this/ : /exit code 1/],
    ...(kind === 'process' ? [['signal', /signal SIGSEGV/] as const] : []),
  ] as const)('a crash (%s) is told, and another host works', async (how, problem) => {
    const runs = runner({ kind, exportName: 'crashes' });
    for (let time = 0; time < 2; time++) {
      const error = await runs.run(job({ how }), options()).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'HandlerCrashed', details: { place: kind } });
      expect((error as Error).message).toMatch(problem);
    }
  });

  test('a handler that needs too much memory harms nobody else', async () => {
    const runs = runner({ kind, exportName: 'crashes', resourceLimits: { maxOldGenerationSizeMb: 40 } });
    await expect(runs.run(job({ how: 'memory' }), options())).rejects.toMatchObject({ code: 'HandlerCrashed' });
  });

  test('stop() ends a handler that computes', async () => {
    const told = new Told();
    const runs = runner({ kind, exportName: 'computesForEver' });
    const run = runs.run(job(), options({ onLog: told.onLog })).catch((error: unknown) => error);
    const { details } = await told.until('computing');
    await runs.stop();
    expect(await run).toMatchObject({ code: 'ShuttingDown' });
    if (kind === 'process') expect(isRunning(details!.pid as number)).toBe(false);
  });
});

test('stop() leaves no process', async () => {
  const runs = runner({ kind: 'process', exportName: 'where' }, { concurrency: 2 });
  const places = (await Promise.all([runs.run(job(), options()), runs.run(job(), options())])) as { pid: number }[];
  expect(places.every(({ pid }) => pid !== process.pid && isRunning(pid))).toBe(true);
  await runs.stop();
  expect(places.some(({ pid }) => isRunning(pid))).toBe(false);
});

test('a process is killed with those that it has started', async () => {
  const told = new Told();
  const abort = new AbortController();
  const run = runner({ kind: 'process', exportName: 'startsProcess' }).run(job(), options({ signal: abort.signal, graceMs: 0, onLog: told.onLog }));
  const settled = run.catch((error: unknown) => error);
  const { details } = await told.until('started');
  abort.abort(new CancelledError('not wanted'));
  await settled;
  await untilGone(details!.child as number);
});

test('a process that sends nonsense is killed', async () => {
  const runs = runner({ kind: 'process', exportName: 'sendsNonsense' });
  await expect(runs.run(job(), options())).rejects.toMatchObject({ code: 'HandlerCrashed', message: /not understood/ });
});

test.each(['where', 'computesForEver', 'startsProcess'])('a process (%s) does not outlive a worker that is killed', async (exportName) => {
  const parent = await parents.start();
  const ended = parent.run('run', { exportName }).catch(() => undefined);
  await parent.untilTold((told) => told.some((line) => typeof line === 'object'));
  const { pid, child } = parent.told.find((line) => typeof line === 'object') as { pid: number; child?: number };
  await parent.kill();
  await ended;
  await untilGone(pid);
  if (child !== undefined) await untilGone(child);
});

test.each(kinds)('a %s that has nothing to do does not keep its worker alive', async (kind) => {
  const parent = await parents.start();
  await expect(parent.run('runAndEnd', { kind })).rejects.toThrow('the process ended (0)');
});
