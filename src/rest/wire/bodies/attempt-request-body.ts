import type { AttemptRequest } from '../../../core/worker/attempt-request.js';
import { durationToWire } from '../duration.js';
import { asBody, durationMember, integerMember, listMember, member, numberMember, textListMember, textMember, type Body } from '../members.js';
import type { AttemptBody } from './attempt-body.js';

/** What `request_attempts_url` takes. Everything may be left out. */
export interface AttemptRequestBody {
  /** 0 counts as left out: clients that never heard of it send it. */
  readonly available_gb?: number;
  /** Nanoseconds; 0: 15 minutes. */
  readonly lifetime?: number | bigint;
  /** At most 10,000 are answered with, however many are asked for. */
  readonly number_of_work_units?: number;
  /** Null or left out: any. */
  readonly work_specs?: readonly string[] | null;
  readonly runtimes?: readonly string[] | null;
  /** How long to wait for work when there is none, in nanoseconds: an addition. Servers answer sooner than their longest time for it. */
  readonly wait?: number | bigint;
}

/** What it answers; no work: `{"attempts": null}`. */
export interface AttemptResponseBody {
  readonly work_spec_url?: string;
  readonly attempts: readonly AttemptBody[] | null;
}

/** What `make_attempt_url` takes. */
export interface AttemptSpecificBody {
  readonly work_spec: string;
  readonly work_unit: string | Uint8Array;
  /** Nanoseconds; 0 or left out: 15 minutes. */
  readonly lifetime?: number | bigint;
}

/** A request, and how long to wait for work, in milliseconds. */
export interface WaitingRequest {
  readonly request: AttemptRequest;
  readonly waitMs: number;
}

/** A client that asks for everything there is could not be told of it in one answer. */
const mostUnits = 10_000;

/** An empty list of work specs or runtimes means any, as in Go. Raises MalformedRequest. */
export function attemptRequestFromBody(body: Body): WaitingRequest {
  const asked = Number(integerMember(body, 'number_of_work_units'));
  const lifetimeMs = lifetimeMember(body);
  const availableGb = numberMember(body, 'available_gb');
  const workSpecs = textListMember(body, 'work_specs') ?? [];
  const runtimes = textListMember(body, 'runtimes') ?? [];
  return {
    request: {
      numberOfWorkUnits: Math.min(Math.max(1, asked), mostUnits),
      ...(lifetimeMs !== undefined && { lifetimeMs }),
      ...(availableGb > 0 && { availableGb }),
      ...(workSpecs.length > 0 && { workSpecs }),
      ...(runtimes.length > 0 && { runtimes }),
    },
    waitMs: Math.max(0, durationMember(body, 'wait')),
  };
}

export function attemptRequestToBody({ numberOfWorkUnits, lifetimeMs, availableGb, workSpecs, runtimes }: AttemptRequest, waitMs = 0): AttemptRequestBody {
  return {
    ...(numberOfWorkUnits !== undefined && { number_of_work_units: numberOfWorkUnits }),
    // Zeroes would be taken for "left out": the least that is none says the same as zero.
    ...(lifetimeMs !== undefined && { lifetime: durationToWire(lifetimeMs) || 1 }),
    ...(availableGb !== undefined && { available_gb: availableGb || Number.EPSILON }),
    ...(workSpecs !== undefined && { work_specs: workSpecs.map((spec) => (typeof spec === 'string' ? spec : spec.name)) }),
    ...(runtimes !== undefined && { runtimes }),
    ...(waitMs > 0 && { wait: durationToWire(waitMs) }),
  };
}

/** What `make_attempts_url` takes: an addition. It answers the attempts in full, in that order. */
export interface AttemptsSpecificBody {
  readonly work_units: readonly Omit<AttemptSpecificBody, 'lifetime'>[];
  /** As in `AttemptSpecificBody`. */
  readonly lifetime?: number | bigint;
}

/** Raises MalformedRequest. */
export function attemptsSpecificFromBody(body: Body): { units: { workSpec: string; workUnit: Uint8Array }[]; lifetimeMs: number | undefined } {
  const units = listMember(body, 'work_units').map((item) => {
    const { workSpec, workUnit } = attemptSpecificFromBody(asBody(item, 'a work unit'));
    return { workSpec, workUnit: typeof workUnit === 'string' ? Buffer.from(workUnit) : workUnit };
  });
  return { units, lifetimeMs: lifetimeMember(body) };
}

/** Raises MalformedRequest. */
export function attemptSpecificFromBody(body: Body): { workSpec: string; workUnit: string | Uint8Array; lifetimeMs: number | undefined } {
  const unit = member(body, 'work_unit');
  return {
    workSpec: textMember(body, 'work_spec'),
    workUnit: unit instanceof Uint8Array ? unit : textMember(body, 'work_unit'),
    lifetimeMs: lifetimeMember(body),
  };
}

/** In milliseconds; undefined where the default is meant: nobody wants a lease that has run out before it is heard of. */
function lifetimeMember(body: Body): number | undefined {
  const lifetimeMs = durationMember(body, 'lifetime');
  return lifetimeMs > 0 ? lifetimeMs : undefined;
}
