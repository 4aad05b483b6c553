import type { DataDictionary } from '../../codec/index.js';
import type { CoordinateError } from '../../errors/index.js';
import type { Attempt } from './attempt.js';

/** One attempt of a `finishAll` or `failAll`. */
export interface AttemptReport {
  readonly attempt: Attempt;
  /** Replaces the attempt's data; left out: they stay. */
  readonly data?: DataDictionary;
}

/** One attempt of a `renewAll`. */
export type RenewReport = AttemptReport;

/** What became of one attempt of a batch: `error` is null when the report was accepted. */
export interface AttemptVerdict {
  readonly attempt: Attempt;
  readonly error: CoordinateError | null;
}
