import { expect, test, describe } from 'vitest';
import { CborFloat, PythonTuple, Uuid } from '../../../src/codec/index.js';
import { CancelledError, LostLeaseError, ShuttingDownError } from '../../../src/errors/index.js';
import { IsolatedRunner } from '../../../src/worker/isolated/index.js';
import { FailVerdict, ReportedVerdict, RetryVerdict } from '../../../src/worker/verdict.js';
import { handlers, job, kinds, options, runner, Told } from './running.js';
import { silentLogger } from '../../../src/database/index.js';

describe.each(kinds)('in a %s', (kind) => {
  test('the handler gets the job and its answer comes back', async () => {
    const key = Uint8Array.of(0xff, 1);
    const answer = await runner({ kind }).run({ ...job({ width: 3 }), key }, options());
    expect(answer).toEqual({ data: { width: 3 }, name: 'unit', key: Uint8Array.of(0xff, 1), number: 12, workSpec: 'spec' });
    expect(key).toHaveLength(2);
  });

  test('data and answers are what they were', async () => {
    const data = {
      uuid: Uuid.fromString('6b0c1c5c-1df3-4d3a-9a66-0b8a4f3f7a11'),
      tuple: new PythonTuple([1, 'two', null]),
      date: new Date(1_500_000_000_123),
      bytes: Uint8Array.of(1, 2, 3),
      large: 2n ** 60n,
      ['__proto__']: 'a key like any other',
      nested: { list: [[], {}] },
      text: 'x'.repeat(100_000),
    };
    const answer = await runner({ kind, exportName: 'special' }).run(job(data), options());
    expect(answer).toEqual({ ...data, float: new CborFloat(2) });
  });

  test('verdicts keep their classes', async () => {
    const host = runner({ kind, exportName: 'answers' });
    const answerTo = (answer: string): Promise<unknown> => host.run(job({ answer }), options());
    expect(await answerTo('nothing')).toBeUndefined();
    expect(await answerTo('null')).toBeNull();
    expect(await answerTo('number')).toBe(5);
    expect(await answerTo('retry')).toEqual(new RetryVerdict(70, { half: true }));
    expect(await answerTo('plain retry')).toEqual(new RetryVerdict(undefined, undefined));
    expect(await answerTo('reported')).toBeInstanceOf(ReportedVerdict);
    const failed = await answerTo('fail');
    expect(failed).toBeInstanceOf(FailVerdict);
    expect(failed).toMatchObject({ data: { bad: 1 }, error: { name: 'RangeError', message: 'too far' } });
    await expect(answerTo('function')).rejects.toMatchObject({ code: 'InvalidArgument', message: /answer\.data/ });
  });

  test('what the handler throws comes back', async () => {
    const host = runner({ kind, exportName: 'throws' });
    const thrownBy = (what: unknown): Promise<Error & { code?: unknown }> =>
      host.run(job({ what }), options()).then(
        () => expect.unreachable(),
        (error: unknown) => error as Error,
      );

    const error = await thrownBy('error');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'RangeError', message: 'too far', code: 'E_FAR', cause: { name: 'TypeError', message: 'beneath' } });
    expect(error.stack).toContain('handlers.ts');
    expect(Object.keys(error)).toEqual(['code']);

    expect(await thrownBy('coordinate error')).toBeInstanceOf(LostLeaseError);
    expect((await thrownBy('long')).message).toHaveLength(10_000);
    expect((await thrownBy('circular cause')).message).toBe('round and round');
    expect(await thrownBy('getter')).toBeInstanceOf(Error);
    expect(await thrownBy('undefined')).toBeInstanceOf(Error);
    expect((await thrownBy('a string')).message).toBe('a string');
  });

  test('progress and log go to the worker, and what progress rejects with is thrown in the handler', async () => {
    const told = new Told();
    const progress: unknown[] = [];
    const answer = await runner({ kind, exportName: 'reports' }).run(
      job(),
      options({
        onLog: told.onLog,
        onProgress: async (data) => {
          progress.push(data);
          if (data.done === 2) throw new LostLeaseError();
        },
      }),
    );
    expect(answer).toEqual({ isLostLease: true, name: 'LostLeaseError' });
    expect(progress).toEqual([{ done: 1 }, { done: 2 }]);
    expect(told.lines).toEqual([
      { level: 'info', message: 'begins' },
      { level: 'warn', message: 'goes on', details: { at: new Date(0), what: [1, 2] } },
      { level: 'error', message: 'cannot be data', details: { details: expect.stringContaining('Function') } },
    ]);
  });

  test('a logger that throws does not harm the handler', async () => {
    const errors: string[] = [];
    const logger = { ...silentLogger, error: (message: string) => void errors.push(message) };
    const onLog = (): never => {
      throw new Error('the disk is full');
    };
    await runner({ kind, exportName: 'reports' }, { logger }).run(job(), options({ onLog }));
    expect(errors).toContain('onLog() threw: the disk is full');
  });

  test('a host is used again, and no more are started than there may be', async () => {
    const runs = runner({ kind, exportName: 'where' }, { concurrency: 2 });
    const first = await runs.run(job(), options());
    expect(await runs.run(job(), options())).toEqual(first);
    const many = await Promise.all(Array.from({ length: 8 }, () => runs.run(job(), options())));
    expect(new Set(many.map((where) => JSON.stringify(where))).size).toBeLessThanOrEqual(2);
  });

  test('the signal fires in the handler, with the reason', async () => {
    const runs = runner({ kind, exportName: 'untilAborted' });
    const told = new Told();
    const abort = new AbortController();
    const answer = runs.run(job(), options({ signal: abort.signal, onLog: told.onLog }));
    await told.until('waiting');
    abort.abort(new CancelledError('no longer wanted'));
    expect(await answer).toEqual({ code: 'Cancelled', isError: true });
  });

  test('a handler that throws the reason of the signal rejects with an error of the same class, and its host is used again', async () => {
    const runs = runner({ kind, exportName: 'rethrowsReason' });
    for (const reason of [new CancelledError('not wanted'), new LostLeaseError()]) {
      const told = new Told();
      const abort = new AbortController();
      const answer = runs.run(job(), options({ signal: abort.signal, onLog: told.onLog }));
      await told.until('waiting');
      abort.abort(reason);
      const thrown = await answer.then(
        () => expect.unreachable(),
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(reason.constructor);
      expect(thrown).toMatchObject({ message: reason.message, details: reason.details });
    }
  });

  test('nothing runs if the signal has fired before', async () => {
    const reason = new ShuttingDownError();
    await expect(runner({ kind }).run(job(), options({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
  });

  test('a job that waits for a host gives up when its signal fires or its time is over, and leaves its turn to the next', async () => {
    const runs = runner({ kind, exportName: 'untilAborted' });
    const told = new Told();
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
    const running = runs.run(job(), options({ signal: first.signal, onLog: told.onLog }));
    await told.until('waiting');
    const codeOf = (run: Promise<unknown>): Promise<unknown> => run.catch((error: unknown) => (error as { code: string }).code);
    const waiting = codeOf(runs.run(job(), options({ signal: second.signal })));
    const late = codeOf(runs.run(job(), options({ runMs: 1 })));
    const next = runs.run(job(), options({ signal: third.signal }));
    second.abort(new CancelledError('not wanted'));
    expect(await waiting).toBe('Cancelled');
    expect(await late).toBe('RunTimeExceeded');
    first.abort(new ShuttingDownError());
    expect(await running).toMatchObject({ code: 'ShuttingDown' });
    third.abort(new LostLeaseError());
    expect(await codeOf(next)).toMatch(/LostLease/);
  });

  test('a module that cannot be loaded, or has no such function, is named', async () => {
    const problemOf = (handler: object): Promise<unknown> =>
      runner({ kind, ...handler })
        .run(job(), options())
        .catch((error: unknown) => error);
    expect(await problemOf({ module: new URL('missing.ts', handlers) })).toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringMatching(/handler\.module: the module file:.*missing\.ts cannot be loaded/),
    });
    expect(await problemOf({ module: new URL('broken-module.ts', handlers) })).toMatchObject({
      message: expect.stringContaining('broken at the top'),
    });
    expect(await problemOf({ exportName: 'missing' })).toMatchObject({
      message: expect.stringMatching(/exports no function "missing"; its functions are .*default/),
    });
    expect(await problemOf({ exportName: 'notAFunction' })).toMatchObject({ code: 'InvalidArgument' });
  });

  test('the environment is without what leads to the database', async () => {
    process.env.DATABASE_URL ??= '';
    process.env.PGPASSWORD = 'secret';
    process.env.HANDLER_SETTING = 'kept';
    try {
      const env = await runner({ kind, exportName: 'environment' }).run(job(), options());
      expect(env).toMatchObject({ HANDLER_SETTING: 'kept' });
      expect(env).not.toHaveProperty('PGPASSWORD');
      expect(env).not.toHaveProperty('DATABASE_URL');
      const given = await runner({ kind, exportName: 'environment', env: { ONLY: 'this' } }).run(job(), options());
      expect(given).toMatchObject({ ONLY: 'this' });
      expect(given).not.toHaveProperty('HANDLER_SETTING');
    } finally {
      delete process.env.PGPASSWORD;
      delete process.env.HANDLER_SETTING;
    }
  });

  test('after stop() nothing runs', async () => {
    const runs = runner({ kind });
    await runs.stop();
    await runs.stop();
    await expect(runs.run(job(), options())).rejects.toMatchObject({ code: 'ShuttingDown' });
  });
});

test.each([
  ['module', { module: './relative.js', kind: 'thread' }, /absolute path/],
  ['module', { module: 5, kind: 'thread' }, /must be a URL/],
  ['kind', { module: handlers, kind: 'fibre' }, /'thread' or 'process'/],
  ['execArgv', { module: handlers, kind: 'thread', execArgv: '--inspect' }, /must be an array/],
  ['exportName', { module: handlers, kind: 'thread', exportName: 1 }, /must be a string/],
  ['env', { module: handlers, kind: 'thread', env: [] }, /must be an object/],
  ['modul', { modul: handlers, kind: 'thread' }, /did you mean "module"/],
] as const)('a handler with a bad %s is refused', (field, handler, problem) => {
  const make = (): unknown => new IsolatedRunner(handler as never, { concurrency: 1, logger: silentLogger });
  expect(make).toThrow(expect.objectContaining({ code: 'InvalidArgument', details: expect.objectContaining({ field: `handler.${field}` }) }));
  expect(make).toThrow(problem);
});
