import type { NamespaceEvent } from '../../../core/notify/namespace-event.js';
import { integerMember, textMember, timeMember, type Body } from '../members.js';
import { timeToWire } from '../time.js';

/** What follows `data:` in a stream of events. A kind that is not known is to be passed over. */
export interface EventBody {
  readonly kind: string;
  /** The name of the work spec; left out of `missed`. */
  readonly work_spec?: string;
  /** How many units were added; only in `added`. */
  readonly count?: number;
  /** The name of the work unit, as those that follow in what tells of an attempt. */
  readonly work_unit?: string;
  readonly attempt?: number;
  readonly worker?: string;
  readonly time?: string;
}

/** The kinds of events that tell of an attempt. */
const attemptKinds = ['started', 'finished', 'failed', 'retried', 'expired', 'cancelled'] as const;

/** All kinds of events. */
export const eventKinds = ['added', ...attemptKinds, 'missed'] as const;

export function eventToBody(event: NamespaceEvent): EventBody {
  if (event.kind === 'missed') return { kind: event.kind };
  if (event.kind === 'added') return { kind: event.kind, work_spec: event.workSpec, count: event.count };
  const { kind, workSpec, workUnit, attempt, worker, time } = event;
  return { kind, work_spec: workSpec, work_unit: workUnit, attempt, worker, time: timeToWire(time) };
}

/** Undefined for a kind that a later server knows. Raises MalformedRequest. */
export function eventFromBody(body: Body): NamespaceEvent | undefined {
  const kind = eventKinds.find((known) => known === textMember(body, 'kind'));
  if (kind === undefined) return undefined;
  if (kind === 'missed') return { kind };
  const workSpec = textMember(body, 'work_spec');
  if (kind === 'added') return { kind, workSpec, count: Number(integerMember(body, 'count')) };
  return {
    kind,
    workSpec,
    workUnit: textMember(body, 'work_unit'),
    attempt: Number(integerMember(body, 'attempt')),
    worker: textMember(body, 'worker'),
    time: timeMember(body, 'time') ?? new Date(0),
  };
}
