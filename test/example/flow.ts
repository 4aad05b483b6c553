import type { DataDictionary } from 'pg-coordinate';

/** What the job is about. It is kept in the work specs' definitions, where every worker finds it. */
export interface Job extends DataDictionary {
  readonly folder: string;
  readonly files: number;
}

/**
 * The flow: four work specs, each naming with `then` the one in which the output of its units makes units.
 *
 *   count   a unit for each file: counts its words and links
 *   merge   a unit for each counted file: many at a time are added up into one
 *   report  a unit for each sum: all at once become the result
 *   result  the one unit that is left, which the driver takes
 *
 * All but the first are paused (`disabled`) until the one before is done (see job.ts): so whoever merges finds as many units as he can
 * take, and whoever reports finds all of them. `max_getwork` is how many units a worker gets at once, and a unit that was handed out
 * `max_retries` times in vain has failed.
 */
export function flowOf(job: Job): DataDictionary[] {
  return [
    { name: 'count', then: 'merge', max_getwork: 10, max_retries: 5, job },
    { name: 'merge', then: 'report', max_getwork: 25, max_retries: 5, disabled: true, job },
    { name: 'report', then: 'result', max_retries: 20, disabled: true, job },
    { name: 'result', disabled: true, job },
  ];
}

/** What the worker processes work on, in the order in which it is to be done. */
export const stages = ['count', 'merge', 'report'] as const;

/**
 * How long a worker may be silent before its units are given to others. Short, as a worker that lives renews its leases well before
 * (see keep-leases.ts), and nobody has to wait long for one that was killed.
 */
export const leaseMs = 5_000;
