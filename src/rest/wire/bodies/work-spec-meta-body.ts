import type { WorkSpecMeta } from '../../../core/work-spec/work-spec-meta.js';
import { durationToWire } from '../duration.js';
import { durationMember, flagMember, integerMember, member, numberMember, textMember, timeMember, type Body } from '../members.js';
import { timeToWire } from '../time.js';

export interface WorkSpecMetaBody {
  readonly priority: number;
  readonly weight: number;
  readonly paused: boolean;
  readonly continuous: boolean;
  readonly can_be_continuous: boolean;
  /** Left out when 0. */
  readonly min_memory_gb?: number;
  /** Nanoseconds. */
  readonly interval: number | bigint;
  /** The zero time when there is none. */
  readonly next_continuous: string;
  readonly max_running: number;
  readonly max_attempts_returned: number;
  readonly max_retries: number;
  readonly next_work_spec_name: string;
  readonly available_count: number;
  readonly pending_count: number;
  readonly runtime: string;
}

export function metaToBody(meta: WorkSpecMeta): WorkSpecMetaBody {
  return {
    priority: meta.priority,
    weight: meta.weight,
    paused: meta.paused,
    continuous: meta.continuous,
    can_be_continuous: meta.canBeContinuous,
    ...(meta.minMemoryGb !== 0 && { min_memory_gb: meta.minMemoryGb }),
    interval: durationToWire(meta.intervalMs),
    next_continuous: timeToWire(meta.nextContinuous),
    max_running: meta.maxRunning,
    max_attempts_returned: meta.maxAttemptsReturned,
    max_retries: meta.maxRetries,
    next_work_spec_name: meta.nextWorkSpecName,
    available_count: meta.availableCount,
    pending_count: meta.pendingCount,
    runtime: meta.runtime,
  };
}

/** How each field of the meta record is read; limits below zero limit nothing. */
const readers: { readonly [Field in keyof WorkSpecMeta]: readonly [name: string, read: (body: Body, name: string) => WorkSpecMeta[Field]] } = {
  priority: ['priority', numberMember],
  weight: ['weight', numberMember],
  paused: ['paused', flagMember],
  continuous: ['continuous', flagMember],
  canBeContinuous: ['can_be_continuous', flagMember],
  intervalMs: ['interval', (body, name) => Math.max(0, durationMember(body, name))],
  nextContinuous: ['next_continuous', timeMember],
  maxRunning: ['max_running', limitMember],
  maxAttemptsReturned: ['max_attempts_returned', limitMember],
  maxRetries: ['max_retries', limitMember],
  minMemoryGb: ['min_memory_gb', numberMember],
  nextWorkSpecName: ['next_work_spec_name', textMember],
  runtime: ['runtime', textMember],
  availableCount: ['available_count', limitMember],
  pendingCount: ['pending_count', limitMember],
};

/** The whole record: what is left out is 0, false or none. Raises MalformedRequest. */
export function metaFromBody(body: Body): WorkSpecMeta {
  return Object.fromEntries(Object.entries(readers).map(([field, [name, read]]) => [field, read(body, name)])) as unknown as WorkSpecMeta;
}

/** Only what is given: a member that is absent or null stays as it is. Raises MalformedRequest. */
export function metaChangeFromBody(body: Body): Partial<WorkSpecMeta> {
  const given = Object.entries(readers).filter(([, [name]]) => member(body, name) !== undefined);
  return Object.fromEntries(given.map(([field, [name, read]]) => [field, read(body, name)]));
}

/** How each field of a change is written; only these can be changed. */
const writers: { readonly [Field in keyof WorkSpecMeta]?: (value: WorkSpecMeta[Field]) => unknown } = {
  priority: same,
  weight: same,
  paused: same,
  continuous: same,
  minMemoryGb: same,
  intervalMs: durationToWire,
  nextContinuous: timeToWire,
  maxRunning: same,
  maxAttemptsReturned: same,
  maxRetries: same,
};

/** The body that changes these fields and no others. */
export function metaChangeToBody(change: Partial<WorkSpecMeta>): Body {
  const written = Object.entries(writers).flatMap(([field, write]) => {
    const value = change[field as keyof WorkSpecMeta];
    if (value === undefined) return [];
    return [[readers[field as keyof WorkSpecMeta][0], (write as (value: unknown) => unknown)(value)]];
  });
  return Object.fromEntries(written) as Body;
}

function same<T>(value: T): T {
  return value;
}

function limitMember(body: Body, name: string): number {
  return Math.max(0, Number(integerMember(body, name)));
}
