import type { WorkUnitPart } from '../../../core/work-unit/work-unit-page.js';
import type { WorkUnitStatus } from '../../../core/work-unit/work-unit-status.js';
import { MalformedRequestError } from '../../../errors/index.js';
import { unitQueryTemplate } from '../unit-query.js';
import type { AttemptBody } from './attempt-body.js';
import type { WorkUnitMetaBody, WorkUnitShortBody } from './work-unit-body.js';

/** What `work_unit_read_url` answers: an addition, as is all that belongs to it. */
export interface WorkUnitPageBody {
  readonly work_units: readonly WorkUnitReadingBody[];
  /** What to give as `previous` for the next page; left out: there are no more. */
  readonly next?: string;
}

/** A unit as it was at one moment, with what was asked for. */
export interface WorkUnitReadingBody extends WorkUnitShortBody {
  readonly status: WorkUnitStatus;
  readonly meta: WorkUnitMetaBody;
  /** See `dataToWire`. */
  readonly data?: unknown;
  readonly own_data?: unknown;
  readonly attempts?: readonly AttemptBody[];
}

/** The end of the URL: that of a query, and what else to tell of each unit. */
export const unitReadTemplate = unitQueryTemplate.replace('}', ',with*}');

/** What `with` may be, and what it stands for. */
export const unitPartWords = { data: 'data', own_data: 'ownData', attempts: 'attempts' } as const satisfies Readonly<Record<string, WorkUnitPart>>;

export function unitPartsToParameters(parts: readonly WorkUnitPart[]): string[] {
  return Object.entries(unitPartWords).flatMap(([word, part]) => (parts.includes(part) ? [word] : []));
}

/** Raises MalformedRequest. */
export function unitPartsFromParameters(parameters: URLSearchParams): WorkUnitPart[] {
  return parameters.getAll('with').map((word) => {
    if (Object.hasOwn(unitPartWords, word)) return unitPartWords[word as keyof typeof unitPartWords];
    throw new MalformedRequestError(`with=${JSON.stringify(word.slice(0, 60))} is none of ${Object.keys(unitPartWords).join(', ')}`);
  });
}
