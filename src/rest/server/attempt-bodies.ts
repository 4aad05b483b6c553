import type { Attempt, AttemptState } from '../../core/attempt/attempt.js';
import { attemptStateToBody, timeToWire, type AttemptBody, type AttemptListBody, type AttemptShortBody, type Format } from '../wire/index.js';
import { attemptUrl, workerUrl, workUnitUrl } from './links.js';

/** An attempt in full. `state` is what is known of it: that of the object, or newer. */
export function attemptBody(attempt: Attempt, state: AttemptState, format: Format): AttemptBody {
  const url = attemptUrl(attempt);
  return {
    ...shortBody(attempt),
    ...attemptStateToBody(state, format),
    renew_url: `${url}/renew`,
    expire_url: `${url}/expire`,
    finish_url: `${url}/finish`,
    fail_url: `${url}/fail`,
    retry_url: `${url}/retry`,
  };
}

export function attemptListBody(attempts: readonly Attempt[]): AttemptListBody {
  return { attempts: attempts.map(shortBody) };
}

function shortBody(attempt: Attempt): AttemptShortBody {
  return {
    url: attemptUrl(attempt),
    work_unit_url: workUnitUrl(attempt.workUnit),
    worker_url: workerUrl(attempt.worker),
    start_time: timeToWire(attempt.startTime),
    number: attempt.number,
  };
}
