import type { AttemptPlace } from './attempt-place.js';
import type { EndStatus } from './attempt-status.js';

/** A report as the statements take it. */
export interface Report {
  readonly unitId: number;
  readonly number: number;
  readonly specId: number;
  readonly data: Buffer | null;
  /** Whether the data have output to pass on; null: no data were given, those of the attempt may have. */
  readonly hasOutput: boolean | null;
  /** Where its rows lie, if that is known. */
  readonly place?: AttemptPlace | undefined;
}

/** What is the same for all reports of a statement. */
export interface EndSettings {
  readonly status: EndStatus;
  readonly namespaceId: number;
  readonly takesOutput: boolean;
  readonly lockTimeout: string | undefined;
}

/** Whether its attempt was claimed with so many others that they share a row of leases. */
export function isInRange({ place }: Report): boolean {
  return place?.leasePlace === 0;
}

export function mayHaveOutput(status: EndStatus, { hasOutput }: Report): boolean {
  return status === 'finished' && hasOutput !== false;
}

/** The different ids of their specs, and for each report which of these is its own, from 1. */
export function specsOf(reports: readonly Report[]): [specIds: number[], specs: number[]] {
  const positionOf = new Map<number, number>();
  const specs = reports.map(({ specId }) => {
    const position = positionOf.get(specId) ?? positionOf.size + 1;
    if (position > positionOf.size) positionOf.set(specId, position);
    return position;
  });
  return [[...positionOf.keys()], specs];
}

/** Sorted, which nearly all lists of reports are already. */
export function inOrder<R extends Report>(reports: readonly R[], by: (report: R) => number): readonly R[] {
  return isAscending(reports, by) ? reports : reports.toSorted((a, b) => by(a) - by(b));
}

/** Whether each has a greater one than the one before. */
export function isAscending<T>(items: readonly T[], of: (item: T) => number): boolean {
  let last = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    const next = of(item);
    if (next <= last) return false;
    last = next;
  }
  return true;
}
