import type { Explanation, Reason } from '../../../core/work-unit/explanation.js';
import { workUnitStatuses } from '../../../core/work-unit/work-unit-status.js';
import { asBody, listMember, textMember, timeMember, wordMember, type Body } from '../members.js';
import { timeToWire } from '../time.js';

/** Why a unit is, or is not, running. A reason has the members of the library's, with times as text. */
export interface ExplanationBody {
  readonly status: string;
  readonly text: string;
  readonly reasons: readonly Body[];
}

export function explanationToBody({ status, text, reasons }: Explanation): ExplanationBody {
  return { status, text, reasons: reasons.map(reasonToBody) };
}

/** Raises MalformedRequest. */
export function explanationFromBody(body: Body): Explanation {
  return {
    status: wordMember(body, 'status', workUnitStatuses) ?? 'available',
    text: textMember(body, 'text'),
    reasons: listMember(body, 'reasons').map(reasonFromBody),
  };
}

/** The members of reasons that are times. */
const times = ['endTime', 'until'];

function reasonToBody(reason: Reason): Body {
  return Object.fromEntries(Object.entries(reason).map(([name, value]) => [name, value instanceof Date ? timeToWire(value) : (value as unknown)]));
}

function reasonFromBody(value: unknown): Reason {
  const body = asBody(value, 'a reason');
  const members = Object.keys(body).map((name) => [name, times.includes(name) ? timeMember(body, name) : body[name]]);
  return Object.fromEntries(members) as Reason;
}
