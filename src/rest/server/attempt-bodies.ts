import type { Attempt, AttemptState } from '../../core/attempt/attempt.js';
import {
  attemptStateToBody,
  isTrue,
  timeToWire,
  unitNameToBody,
  type AttemptBody,
  type AttemptListBody,
  type AttemptShortBody,
  type Format,
} from '../wire/index.js';
import type { Exchange } from './exchange.js';
import { attemptUrl, workerUrl, workSpecUrl, workUnitUrl } from './links.js';

/** An attempt in full. `state` is what is known of it: that of the object, or newer. */
export function attemptBody(attempt: Attempt, state: AttemptState, format: Format): AttemptBody {
  const { workUnit, worker } = attempt;
  const short = shortBody(attempt);
  const { url } = short;
  const { name, key } = unitNameToBody(workUnit.key);
  return {
    ...short,
    ...attemptStateToBody(state, format),
    work_spec_name: workUnit.workSpec.name,
    work_spec_url: workSpecUrl(workUnit.workSpec),
    work_unit_name: name,
    ...(key !== undefined && { work_unit_key: key }),
    worker_name: worker.name,
    renew_url: `${url}/renew`,
    expire_url: `${url}/expire`,
    finish_url: `${url}/finish`,
    fail_url: `${url}/fail`,
    retry_url: `${url}/retry`,
  };
}

/** Whole attempts where the client asks for them with `full`. */
export function attemptListBody(attempts: readonly Attempt[], { query, format }: Pick<Exchange, 'query' | 'format'>): AttemptListBody {
  const isFull = isTrue(query.get('full'));
  return { attempts: attempts.map((attempt) => (isFull ? attemptBody(attempt, attempt, format) : shortBody(attempt))) };
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
