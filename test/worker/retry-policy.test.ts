import { describe, expect, test } from 'vitest';
import { afterError, checkRetryPolicy, defaultRetryPolicy, retryPolicyOf } from '../../src/worker/retry-policy.js';

const middle = (): number => 0.5;
const policy = { ...defaultRetryPolicy, limit: 4, delayMs: 100, factor: 2, maxDelayMs: 500, jitter: 0.2 };

describe('after an error', () => {
  test('pauses grow by the factor, up to the longest', () => {
    const pauses = [0, 1, 2, 3].map((before) => afterError(policy, new Error('no'), before, middle));
    expect(pauses).toEqual([100, 200, 400, 500].map((delayMs) => ({ kind: 'retry', delayMs })));
  });

  test('pauses vary by the jitter, but are never longer than the longest', () => {
    expect(afterError(policy, null, 0, () => 0)).toEqual({ kind: 'retry', delayMs: 80 });
    expect(afterError(policy, null, 0, () => 0.999_999)).toEqual({ kind: 'retry', delayMs: 120 });
    expect(afterError(policy, null, 3, () => 0.999_999)).toEqual({ kind: 'retry', delayMs: 500 });
  });

  test('the limit is how often a unit is tried again', () => {
    expect(afterError(policy, new Error('no'), 3, middle).kind).toBe('retry');
    expect(afterError(policy, new Error('no'), 4, middle)).toEqual({ kind: 'fail' });
    expect(afterError({ ...policy, limit: 0 }, new Error('no'), 0, middle)).toEqual({ kind: 'fail' });
  });

  test('an error may be final by its name or its code', () => {
    const final = { ...policy, final: ['TypeError', 'ENOENT', '404'] };
    expect(afterError(final, new TypeError('no'), 0, middle).kind).toBe('fail');
    expect(afterError(final, Object.assign(new Error('no'), { code: 'ENOENT' }), 0, middle).kind).toBe('fail');
    expect(afterError(final, Object.assign(new Error('no'), { code: 404 }), 0, middle).kind).toBe('fail');
    expect(afterError(final, new RangeError('no'), 0, middle).kind).toBe('retry');
    expect(afterError(final, 'just text', 0, middle).kind).toBe('retry');
    expect(afterError(final, null, 0, middle).kind).toBe('retry');
  });

  test('a hundred doublings are no number that cannot be stored', () => {
    expect(afterError({ ...policy, limit: 10_000 }, null, 9_999, middle)).toEqual({ kind: 'retry', delayMs: 500 });
    expect(afterError({ ...policy, limit: 10_000, delayMs: 0 }, null, 9_999, middle)).toEqual({ kind: 'retry', delayMs: 0 });
  });
});

describe('the policy of a work spec', () => {
  test('is the definition before the handler before the default, field by field', () => {
    const merged = retryPolicyOf({ retry: { limit: 1, deadLetter: 'dead' } }, { limit: 2, delayMs: 7 });
    expect(merged).toEqual({ ...defaultRetryPolicy, limit: 1, delayMs: 7, deadLetter: 'dead' });
  });

  test.each([null, 'often', [1], { limit: -1 }, { limit: 'many' }, { unknown: 1 }, { deadLetter: '' }, { jitter: 2 }])(
    'passes over what cannot be read in a definition: %j',
    (retry) => {
      expect(retryPolicyOf({ retry }, {})).toEqual(defaultRetryPolicy);
    },
  );

  test.each([
    [{ limit: 1.5 }, 'retry.limit'],
    [{ factor: 0.5 }, 'retry.factor'],
    [{ delay: 5 }, 'retry.delay'],
    [{ final: 'Error' }, 'retry.final'],
  ])('of a handler is checked: %j', (given, field) => {
    expect(() => checkRetryPolicy(given as never, 'retry')).toThrow(
      expect.objectContaining({ code: 'InvalidArgument', details: expect.objectContaining({ field }) as unknown }),
    );
  });
});
