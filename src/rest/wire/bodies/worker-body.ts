import type { WorkerState } from '../../../core/worker/worker.js';
import { MalformedRequestError } from '../../../errors/index.js';
import { dataToWire, optionalDataFromWire } from '../data.js';
import type { Format } from '../format.js';
import { flagMember, member, textMember, timeMember, type Body } from '../members.js';
import { timeToWire } from '../time.js';
import type { ShortBody } from './short-body.js';

/** A page of workers: an addition. */
export interface WorkerListBody {
  readonly workers: readonly ShortBody[];
}

export interface WorkerBody extends ShortBody {
  /** Both left out when there is none. */
  readonly parent?: string;
  readonly parent_url?: string;
  /** Left out when empty. */
  readonly child_urls?: readonly string[];
  /** In the order of `child_urls`: an addition. */
  readonly child_names?: readonly string[];
  readonly active: boolean;
  readonly mode: string;
  /** See `dataToWire`; null until some were reported. */
  readonly data: unknown;
  readonly expiration: string;
  readonly last_update: string;
  readonly request_attempts_url: string;
  readonly make_attempt_url: string;
  /** POST takes many units, see `attempt-request-body.ts`: an addition. */
  readonly make_attempts_url: string;
  readonly active_attempts_url: string;
  /** All there are, or the first 100,000. */
  readonly all_attempts_url: string;
  /** A page of them, `{?after,limit,full}`: an addition. */
  readonly all_attempts_query_url: string;
  readonly child_attempts_url: string;
  /** These two take `{?full}`, for whole attempts: additions. */
  readonly active_attempts_query_url: string;
  readonly child_attempts_query_url: string;
}

/** The members of a worker that are no URLs and no names. */
export type WorkerStateBody = Pick<WorkerBody, 'parent' | 'active' | 'mode' | 'data' | 'expiration' | 'last_update'>;

export function workerStateToBody(state: WorkerState, format: Format): WorkerStateBody {
  return {
    ...(state.parent !== null && { parent: state.parent }),
    active: state.active,
    mode: state.mode,
    data: state.data === null ? null : dataToWire(state.data, format),
    expiration: timeToWire(state.expiration),
    last_update: timeToWire(state.lastUpdate),
  };
}

/** Reads an answer. Raises MalformedRequest; BadCbor. */
export function workerStateFromBody(body: Body): WorkerState {
  const [expiration, lastUpdate] = [timeMember(body, 'expiration'), timeMember(body, 'last_update')];
  if (expiration === null || lastUpdate === null) {
    throw new MalformedRequestError('a worker must have an expiration and a last_update');
  }
  return {
    parent: member(body, 'parent') === undefined ? null : textMember(body, 'parent'),
    active: flagMember(body, 'active'),
    mode: textMember(body, 'mode'),
    data: optionalDataFromWire(member(body, 'data'), 'data') ?? null,
    expiration,
    lastUpdate,
  };
}
