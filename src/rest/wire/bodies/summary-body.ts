import type { Summary } from '../../../core/summary/summary.js';
import { workUnitStatuses } from '../../../core/work-unit/work-unit-status.js';
import { MalformedRequestError } from '../../../errors/index.js';
import { asBody, integerMember, textMember, wordMember } from '../members.js';

/** A row of a summary. The capitals are the protocol's. */
export interface SummaryRowBody {
  readonly Namespace: string;
  readonly WorkSpec: string;
  readonly Status: string;
  readonly Count: number;
}

export function summaryToBody(summary: Summary): readonly SummaryRowBody[] {
  return summary.map(({ namespace, workSpec, status, count }) => ({
    Namespace: namespace,
    WorkSpec: workSpec,
    Status: status,
    Count: count,
  }));
}

/** Reads an answer; null stands for the empty list. Raises MalformedRequest. */
export function summaryFromBody(value: unknown): Summary {
  if (value === null) return [];
  if (!Array.isArray(value)) throw new MalformedRequestError('a summary must be a list');
  return value.map((item: unknown) => {
    const row = asBody(item, 'a row of a summary');
    return {
      namespace: textMember(row, 'Namespace'),
      workSpec: textMember(row, 'WorkSpec'),
      status: wordMember(row, 'Status', workUnitStatuses) ?? 'available',
      count: Number(integerMember(row, 'Count')),
    };
  });
}
