import type { WorkSpecMeta } from '../work-spec/work-spec-meta.js';

/** What the scheduler knows of one work spec: its meta, whether it has work, how much is running. */
export interface Candidate
  extends Pick<
    WorkSpecMeta,
    'priority' | 'weight' | 'paused' | 'continuous' | 'nextContinuous' | 'maxRunning' | 'minMemoryGb' | 'runtime'
  > {
  readonly name: string;
  /** Whether at least one unit is available. */
  readonly available: boolean;
  /** How many units are pending. */
  readonly pending: number;
}
