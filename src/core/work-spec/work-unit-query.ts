import type { WorkUnitName } from '../work-unit/work-unit-name.js';
import type { WorkUnitStatus } from '../work-unit/work-unit-status.js';

/** Which units of a work spec are meant: all conditions given must hold. An empty query means all of them. */
export interface WorkUnitQuery {
  /** Only these names; unknown ones are simply absent. */
  readonly names?: readonly WorkUnitName[];
  /** Only units that have one of these statuses. */
  readonly statuses?: readonly WorkUnitStatus[];
  /** Only names greater than this one, bytewise. */
  readonly previousName?: WorkUnitName;
  /** Only the first so many, in order of name. */
  readonly limit?: number;
}
