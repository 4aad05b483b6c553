import { CoordinateError, GoneError, type ErrorCode } from '../../errors/index.js';

/**
 * What a server says when an object, found before, is not there any more. It knows nothing of objects found before; the interfaces do,
 * and raise Gone.
 */
const goneFor = {
  workSpec: ['NoSuchWorkSpec'],
  workUnit: ['NoSuchWorkSpec', 'NoSuchWorkUnit'],
  attempt: ['NoSuchWorkSpec', 'NoSuchWorkUnit', 'NoSuchAttempt'],
} as const satisfies Readonly<Record<string, readonly ErrorCode[]>>;

/** The error to raise for an object of this kind. */
export function orGone<T>(kind: keyof typeof goneFor, error: T): T | GoneError {
  const codes: readonly ErrorCode[] = goneFor[kind];
  return error instanceof CoordinateError && codes.includes(error.code) ? new GoneError() : error;
}
