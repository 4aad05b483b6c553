import type { WorkUnitStatus } from '../work-unit/work-unit-status.js';

/** How many work units of one work spec have one status. */
export interface SummaryRow {
  readonly namespace: string;
  readonly workSpec: string;
  readonly status: WorkUnitStatus;
  readonly count: number;
}

/** Rows of count zero are left out; ordered by namespace, work spec and status. */
export type Summary = readonly SummaryRow[];
