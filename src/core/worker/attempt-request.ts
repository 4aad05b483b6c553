import type { DataDictionary } from '../../codec/index.js';
import type { WorkSpec } from '../work-spec/work-spec.js';

/** How many units are claimed at once; a request for more is served in several passes, and others between. */
export const mostClaimedAtOnce = 1_000;

/** And how many in whole ranges, as each takes less time there; and they are read range by range. */
export const mostClaimedInWholeRanges = 2_000;

/** What a worker asks for. */
export interface AttemptRequest<Data extends DataDictionary = DataDictionary> {
  /** At most so many units, all of one work spec. Less than 1 counts as 1. @default 1 */
  readonly numberOfWorkUnits?: number;
  /** Whether it may be fewer though there are more, where the database has less to do for those that it hands out: less than 200 fewer, or any number from 1,000 on. Makes no difference over HTTP. @default false */
  readonly mayBeFewer?: boolean;
  /** How long the lease holds, in milliseconds. @default 900000 (15 minutes) */
  readonly lifetimeMs?: number;
  /** Only these work specs, by name or as objects: of objects, the attempts' data have their type. Left out: any. */
  readonly workSpecs?: readonly (string | WorkSpec<Data, never>)[];
  /** Only specs of these runtimes, exactly; "" is a value like any other. Left out: any. */
  readonly runtimes?: readonly string[];
  /** Only specs that need no more memory. Left out: any. */
  readonly availableGb?: number;
}
