import type { DataDictionary } from '../codec/index.js';
import { InvalidArgumentError, RunTimeExceededError, type CoordinateError } from '../errors/index.js';
import { kindOf } from '../options/index.js';
import { FailVerdict, ReportedVerdict, RetryVerdict } from './verdict.js';

/** What has come of one attempt in a handler's hands. */
export type Outcome =
  | { readonly kind: 'finish'; readonly data: DataDictionary | undefined }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly data: DataDictionary | undefined }
  /** Failed for good, whatever the policy says; `error`, if there is one, is kept as data. */
  | { readonly kind: 'fail'; readonly data: DataDictionary | undefined; readonly error: unknown }
  /** The retry policy decides. */
  | { readonly kind: 'error'; readonly error: unknown }
  /** The unit goes to another worker at once. */
  | { readonly kind: 'give-back' }
  /** Nothing is to be reported: it is not this worker's any more, or the handler has done so. */
  | { readonly kind: 'drop' };

/** Why work was taken from a handler that goes on all the same. */
export type TakenAway = 'run-time-exceeded' | 'given-back';

/** What a handler has answered, or thrown, or that it was not waited for any longer. */
export type Ending =
  | { readonly kind: 'answered'; readonly answer: unknown }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'taken-away'; readonly why: TakenAway };

/** With these the unit is somebody else's, or nobody's: there is nothing to report any more. */
const lost: ReadonlySet<string> = new Set(['LostLease', 'NotPending', 'Gone', 'Cancelled']);

/** Decides what to report. `reason` is why the attempt's signal has fired, if it has. */
export function outcomeOf(ending: Ending, reason: CoordinateError | undefined, maxRunMs: number): Outcome {
  if (reason !== undefined && lost.has(reason.code)) return { kind: 'drop' };
  switch (ending.kind) {
    case 'taken-away':
      return ending.why === 'given-back' ? { kind: 'give-back' } : { kind: 'error', error: new RunTimeExceededError(maxRunMs) };
    case 'threw':
      // What was told to stop and stopped has not failed.
      return reason?.code === 'ShuttingDown' ? { kind: 'give-back' } : { kind: 'error', error: ending.error };
    case 'answered': {
      const outcome = outcomeOfAnswer(ending.answer);
      // An error out of a batch is one that was thrown.
      return outcome.kind === 'error' ? outcomeOf({ kind: 'threw', error: outcome.error }, reason, maxRunMs) : outcome;
    }
  }
}

/** What comes of most handlers; made once. */
const finishWithoutData: Outcome = { kind: 'finish', data: undefined };

function outcomeOfAnswer(answer: unknown): Outcome {
  if (answer === undefined) return finishWithoutData;
  if (answer instanceof RetryVerdict) return { kind: 'retry', delayMs: answer.delayMs ?? 0, data: answer.data };
  if (answer instanceof FailVerdict) return { kind: 'fail', data: answer.data, error: answer.error };
  if (answer instanceof ReportedVerdict) return { kind: 'drop' };
  if (answer instanceof Error) return { kind: 'error', error: answer };
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) {
    return { kind: 'finish', data: answer as DataDictionary };
  }
  const problem = `must be an object, nothing, retry() or fail(), not ${kindOf(answer)}`;
  return { kind: 'error', error: new InvalidArgumentError("the handler's answer", problem) };
}
