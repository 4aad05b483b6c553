import type { DataDictionary } from 'pg-coordinate';
import type { TallyData } from './tally.js';

/** What the job is about. It is kept in the work specs' definitions, where every worker finds it. */
export interface Job extends DataDictionary {
  readonly folder: string;
  readonly files: number;
}

/** The work specs that the worker processes work on: the types of their units' data. */
export interface Stages {
  readonly count: { readonly path: string };
  readonly merge: TallyData;
  readonly report: TallyData;
}

/** In the order in which they are to be done. */
export const stages = ['count', 'merge', 'report'] as const satisfies readonly (keyof Stages)[];

/**
 * The flow: four work specs, each naming with `then` the one in which the output of its units makes units.
 *
 *   count   a unit for each file: counts its words and links
 *   merge   a unit for each counted file: many at a time are added up into one
 *   report  a unit for each sum: all at once become the result
 *   result  the one unit that is left, which the driver takes
 *
 * All but the first are paused (`disabled`) until the one before is done (see job.ts): so whoever merges finds as many units as he can
 * take, and whoever reports finds all of them. A file that cannot be counted is not tried again.
 */
export function flowOf(job: Job): DataDictionary[] {
  return [
    { name: 'count', then: 'merge', retry: { limit: 0 }, job },
    { name: 'merge', then: 'report', disabled: true, job },
    { name: 'report', then: 'result', disabled: true, job },
    { name: 'result', disabled: true, job },
  ];
}
