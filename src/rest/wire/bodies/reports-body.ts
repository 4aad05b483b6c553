import type { DataDictionary } from '../../../codec/index.js';
import { MalformedRequestError } from '../../../errors/index.js';
import { optionalDataFromWire } from '../data.js';
import { asBody, durationMember, listMember, member, textMember, wordMember, type Body } from '../members.js';
import { ValueBudget } from '../value-budget.js';
import type { AttemptCompletionBody } from './attempt-body.js';
import type { ErrorBody } from './error-body.js';

/** What can be reported on an attempt. */
export const attemptActions = ['renew', 'expire', 'finish', 'fail', 'retry'] as const;

/** See `attemptActions`. */
export type AttemptAction = (typeof attemptActions)[number];

/** One report of many: what would be sent to the attempt's own URL for the action. */
export interface ReportBody extends AttemptCompletionBody {
  readonly action: AttemptAction;
  /** The attempt's `url`, of the same namespace. */
  readonly url: string;
}

/** What `attempt_reports_url` takes. */
export interface ReportsBody {
  readonly reports: readonly ReportBody[];
  /** All or none, and an error in answer for none: for reports that are all `finish`, or all `fail`. */
  readonly all_or_none?: boolean;
}

/** What it answers, in the order of the reports: null for one that was accepted. */
export interface VerdictsBody {
  readonly verdicts: readonly (ErrorBody | null)[];
}

/** What the actions take, as it was read. */
export interface Completion {
  readonly data: DataDictionary | undefined;
  /** Undefined when left out. */
  readonly extendMs: number | undefined;
  readonly delayMs: number;
}

export interface ReadReport extends Completion {
  readonly action: AttemptAction;
  readonly url: string;
}

/** Raises MalformedRequest; BadCbor. */
export function completionFromBody(body: Body, budget = new ValueBudget()): Completion {
  return {
    data: optionalDataFromWire(member(body, 'data'), 'data', budget),
    extendMs: member(body, 'extend_duration') === undefined ? undefined : Math.max(0, durationMember(body, 'extend_duration')),
    delayMs: Math.max(0, durationMember(body, 'delay')),
  };
}

/** Raises MalformedRequest, BadCbor. */
export function reportsFromBody(body: Body): readonly ReadReport[] {
  const budget = new ValueBudget();
  return listMember(body, 'reports').map((item, index) => {
    const report = asBody(item, `reports[${index}]`);
    const action = wordMember(report, 'action', attemptActions);
    if (action === undefined) throw new MalformedRequestError(`reports[${index}] must have an "action"`);
    return { action, url: textMember(report, 'url'), ...completionFromBody(report, budget) };
  });
}
