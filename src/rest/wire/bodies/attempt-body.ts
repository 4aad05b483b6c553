import type { AttemptState } from '../../../core/attempt/attempt.js';
import { attemptStatuses, type AttemptStatus } from '../../../core/attempt/attempt-status.js';
import { MalformedRequestError } from '../../../errors/index.js';
import { dataToWire, optionalDataFromWire } from '../data.js';
import type { Format } from '../format.js';
import { integerMember, member, timeMember, wordMember, type Body } from '../members.js';
import { timeToWire } from '../time.js';

export interface AttemptShortBody {
  readonly url: string;
  readonly work_unit_url: string;
  readonly worker_url: string;
  readonly start_time: string;
  /** Serves as a fencing token: an addition. */
  readonly number: number;
}

/** In full where the URL has the addition `full`. */
export interface AttemptListBody {
  readonly attempts: readonly (AttemptShortBody | AttemptBody)[];
}

/** What the unit, its spec and the worker of an attempt are called, so that nobody has to ask for them: an addition. */
export interface AttemptNamesBody {
  readonly work_spec_name: string;
  readonly work_spec_url: string;
  readonly work_unit_name: string;
  /** See `WorkUnitShortBody`. */
  readonly work_unit_key?: string;
  readonly worker_name: string;
}

export interface AttemptBody extends AttemptShortBody, AttemptNamesBody {
  readonly status: AttemptStatus;
  /** See `dataToWire`; left out when empty. */
  readonly data?: unknown;
  /** The zero time while pending. */
  readonly end_time: string;
  readonly expiration_time: string;
  readonly renew_url: string;
  readonly expire_url: string;
  readonly finish_url: string;
  readonly fail_url: string;
  readonly retry_url: string;
}

/** What the actions take. */
export interface AttemptCompletionBody {
  /** Left out: the attempt's stay. */
  readonly data?: unknown;
  /** How long a renewed lease is to hold, in nanoseconds. */
  readonly extend_duration?: number | bigint;
  /** When to retry, in nanoseconds from now. */
  readonly delay?: number | bigint;
}

/** The members of an attempt that are no URLs. */
export type AttemptStateBody = Pick<AttemptBody, 'status' | 'data' | 'start_time' | 'end_time' | 'expiration_time'>;

export function attemptStateToBody(state: AttemptState, format: Format): AttemptStateBody {
  return {
    status: state.status,
    ...(Object.keys(state.data).length > 0 && { data: dataToWire(state.data, format) }),
    start_time: timeToWire(state.startTime),
    end_time: timeToWire(state.endTime),
    expiration_time: timeToWire(state.expirationTime),
  };
}

/** Raises MalformedRequest; BadCbor. */
export function attemptStateFromBody(body: Body): AttemptState {
  const status = wordMember(body, 'status', attemptStatuses);
  const [startTime, expirationTime] = [timeMember(body, 'start_time'), timeMember(body, 'expiration_time')];
  if (status === undefined || startTime === null || expirationTime === null) {
    throw new MalformedRequestError('an attempt must have a status, a start_time and an expiration_time');
  }
  return {
    status,
    data: optionalDataFromWire(member(body, 'data'), 'data') ?? {},
    startTime,
    endTime: timeMember(body, 'end_time'),
    expirationTime,
  };
}

/** The number of an attempt. Raises MalformedRequest. */
export function attemptNumberFromBody(body: Body): number {
  return Number(integerMember(body, 'number'));
}
