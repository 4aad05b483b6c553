import type { DataDictionary } from '../codec/index.js';

/** What a handler returns to have its unit run again later: see `retry()`. */
export class RetryVerdict {
  readonly delayMs: number | undefined;
  readonly data: DataDictionary | undefined;

  constructor(delayMs: number | undefined, data: DataDictionary | undefined) {
    this.delayMs = delayMs;
    this.data = data;
  }
}

/** What a handler returns to end its unit badly, for good: see `fail()`. */
export class FailVerdict {
  readonly data: DataDictionary | undefined;
  readonly error?: unknown;

  constructor(data: DataDictionary | undefined, error?: unknown) {
    this.data = data;
    this.error = error;
  }
}

/** What a handler returns that has reported on its attempt itself: see `reported()`. */
export class ReportedVerdict {
  readonly kind = 'reported';
}

/**
 * Returned by a handler: run the unit again, no sooner than in `delayMs` milliseconds. It is no failure, and does not count against
 * the retry policy's limit.
 */
export function retry({ delayMs, data }: { readonly delayMs?: number; readonly data?: DataDictionary } = {}): RetryVerdict {
  return new RetryVerdict(delayMs, data);
}

/** Returned by a handler: the unit has failed and is not to be tried again, whatever the retry policy says. */
export function fail({ data, error }: { readonly data?: DataDictionary; readonly error?: unknown } = {}): FailVerdict {
  return new FailVerdict(data, error);
}

/** Returned by a handler that has reported itself, such as by `attempt.finish(data, { client })` in a transaction of its own. */
export function reported(): ReportedVerdict {
  return new ReportedVerdict();
}

/** What is not data. */
export type Verdict = RetryVerdict | FailVerdict | ReportedVerdict;
