import type { ClientBase } from 'pg';

/** What a check looks at. */
export interface Patient {
  readonly client: ClientBase;
  /** The schema of the catalog. */
  readonly catalog: string;
  /** The schemas of the buckets. */
  readonly buckets: readonly string[];
  /** The time of this machine. */
  readonly now: () => Date;
  readonly limits: Limits;
}

/** From when on something counts. */
export interface Limits {
  /** A transaction of this age, in milliseconds, holds vacuum up. @default 300000 (5 minutes) */
  readonly transactionAgeMs: number;
  /** A clock may be so far off, in milliseconds. @default 2000 */
  readonly clockSkewMs: number;
  /** An index may hold so many bytes that it does not need. @default 67108864 (64 MiB) */
  readonly bloatBytes: number;
  /** So many dead rows in a table, and more than there are living ones, are no passing state. @default 500000 */
  readonly deadRows: number;
}

export const defaultLimits: Limits = Object.freeze({ transactionAgeMs: 300_000, clockSkewMs: 2_000, bloatBytes: 64 * 1024 * 1024, deadRows: 500_000 });

/** One thing that is wrong. */
export interface Finding {
  /** A `problem` loses work, or stops it, sooner or later; a `warning` makes it slow, or may become a problem. */
  readonly severity: 'problem' | 'warning';
  /** What is wrong, in a sentence. */
  readonly text: string;
  /** What to do about it. @default the advice of its check */
  readonly advice?: string;
}

/** Looks for one kind of trouble. */
export interface Check {
  readonly name: string;
  /** What to do about what it finds. */
  readonly advice: string;
  /** Resolves to what is wrong; to nothing if all is well. */
  check(patient: Patient): Promise<readonly Finding[]>;
}
