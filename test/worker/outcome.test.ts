import { expect, test } from 'vitest';
import { CancelledError, GoneError, LostLeaseError, NotPendingError, RunTimeExceededError, ShuttingDownError } from 'pg-coordinate';
import { outcomeOf } from '../../src/worker/outcome.js';
import { fail, reported, retry } from '../../src/worker/verdict.js';

const answered = (answer: unknown) => outcomeOf({ kind: 'answered', answer }, undefined, 1_000);

test('nothing, data and verdicts are what a handler may answer', () => {
  expect(answered(undefined)).toEqual({ kind: 'finish', data: undefined });
  expect(answered({ output: ['a'] })).toEqual({ kind: 'finish', data: { output: ['a'] } });
  expect(answered(retry())).toEqual({ kind: 'retry', delayMs: 0, data: undefined });
  expect(answered(retry({ delayMs: 5, data: { page: 2 } }))).toEqual({ kind: 'retry', delayMs: 5, data: { page: 2 } });
  expect(answered(fail({ data: { a: 1 } }))).toEqual({ kind: 'fail', data: { a: 1 }, error: undefined });
  expect(answered(reported())).toEqual({ kind: 'drop' });
});

test.each([null, 5, 'text', [1], true, 7n])('anything else is an error that says so: %s', (answer) => {
  expect(answered(answer)).toMatchObject({ kind: 'error', error: { code: 'InvalidArgument' } });
});

test('an error in a batch is the error of its unit', () => {
  const error = new Error('no');
  expect(answered(error)).toEqual({ kind: 'error', error });
});

test.each([new LostLeaseError(), new NotPendingError(), new GoneError(), new CancelledError('x')])(
  'nothing is reported on a unit that is not ours any more: $code',
  (reason) => {
    expect(outcomeOf({ kind: 'answered', answer: {} }, reason, 1_000)).toEqual({ kind: 'drop' });
    expect(outcomeOf({ kind: 'threw', error: new Error('no') }, reason, 1_000)).toEqual({ kind: 'drop' });
    expect(outcomeOf({ kind: 'taken-away', why: 'run-time-exceeded' }, reason, 1_000)).toEqual({ kind: 'drop' });
  },
);

test('a handler that ends because it was told to has not failed', () => {
  const threw = { kind: 'threw', error: new Error('aborted') } as const;
  expect(outcomeOf(threw, new ShuttingDownError(), 1_000)).toEqual({ kind: 'give-back' });
  expect(outcomeOf(threw, new RunTimeExceededError(1_000), 1_000)).toEqual({ kind: 'error', error: threw.error });
  expect(outcomeOf({ kind: 'answered', answer: {} }, new ShuttingDownError(), 1_000)).toEqual({ kind: 'finish', data: {} });
  expect(outcomeOf({ kind: 'answered', answer: new Error('no') }, new ShuttingDownError(), 1_000)).toEqual({ kind: 'give-back' });
});

test('what was taken from a handler goes back at once, or has failed by its run time', () => {
  expect(outcomeOf({ kind: 'taken-away', why: 'given-back' }, undefined, 1_000)).toEqual({ kind: 'give-back' });
  expect(outcomeOf({ kind: 'taken-away', why: 'run-time-exceeded' }, undefined, 1_000)).toMatchObject({
    kind: 'error',
    error: { code: 'RunTimeExceeded', details: { limitMs: 1_000 } },
  });
});
