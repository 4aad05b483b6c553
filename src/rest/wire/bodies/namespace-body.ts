import type { ShortBody } from './short-body.js';

export interface NamespaceListBody {
  readonly namespaces: readonly ShortBody[];
}

export interface NamespaceBody extends ShortBody {
  readonly summary_url: string;
  /** GET says how long units have waited, see `oldest-waiting-body.ts`: an addition. */
  readonly oldest_waiting_url: string;
  readonly work_specs_url: string;
  /** `{spec}` */
  readonly work_spec_url: string;
  /** GET lists the first 1,000 workers: an addition. */
  readonly workers_url: string;
  /** A page of them, `{?start,limit,active}`: an addition. */
  readonly workers_query_url: string;
  /** `{worker}` */
  readonly worker_url: string;
  /** POST takes reports on many attempts, see `reports-body.ts`: an addition. */
  readonly attempt_reports_url: string;
  /** GET tells what happens, as server-sent events, see `event-body.ts`: an addition. */
  readonly events_url: string;
}
