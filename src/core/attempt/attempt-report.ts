import type { DataDictionary } from '../../codec/index.js';
import type { CoordinateError } from '../../errors/index.js';
import type { TransactionOptions } from '../coordinate.js';
import type { Attempt } from './attempt.js';

/** One attempt of a `finishAll` or `failAll`. */
export interface AttemptReport {
  readonly attempt: Attempt;
  /** Replaces the attempt's data; left out or undefined: they stay. */
  readonly data?: DataDictionary | undefined;
}

/** One attempt of a `renewAll`. */
export type RenewReport = AttemptReport;

/** What became of one attempt of a batch: `error` is null when the report was accepted. */
export interface AttemptVerdict {
  readonly attempt: Attempt;
  readonly error: CoordinateError | null;
}

/** How the reports of a `finishAll` or `failAll` are made. */
export interface EndAllOptions extends TransactionOptions {
  /**
   * All or none: if one report is refused nothing is changed, and its error is raised. Many units can so be made into one, also where
   * there are no transactions of the caller's. Not beside `client`, whose transaction decides. @default false
   */
  readonly allOrNone?: boolean;
}
