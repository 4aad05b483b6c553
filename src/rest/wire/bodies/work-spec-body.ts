import type { ShortBody } from './short-body.js';

export interface WorkSpecListBody {
  readonly work_specs: readonly ShortBody[];
}

export interface WorkSpecBody extends ShortBody {
  /** See `dataToWire`. */
  readonly data: unknown;
  readonly summary_url: string;
  /** `{?counts}`; PUT replaces the meta. */
  readonly meta: string;
  /** PATCH changes only what is given of the meta: an addition. */
  readonly meta_change_url: string;
  readonly work_units_url: string;
  /** These three take the variables of `unitQueryTemplate`. */
  readonly work_unit_query_url: string;
  readonly work_unit_change_url: string;
  readonly work_unit_adjust_url: string;
  /** `{unit}` */
  readonly work_unit_url: string;
  readonly work_unit_counts_url: string;
  /** POST adds many units at once, see `work-unit-body.ts`: an addition. */
  readonly work_unit_batch_url: string;
  /** A page of units with what is in them, the variables of `unitReadTemplate`: an addition. */
  readonly work_unit_read_url: string;
}

/** How many units a DELETE has deleted. The capital is the protocol's. */
export interface DeletedBody {
  readonly Deleted: number;
}
