import type { DataDictionary } from '../codec/index.js';
import { checkDuration, checkInteger, checkList, checkName, checkNumber, checkOptions } from '../options/index.js';
import { errorData } from './error-data.js';

/** What becomes of a unit whose handler throws. */
export interface RetryPolicy {
  /** How often a unit is tried again after an error; 0: never. @default 5 */
  readonly limit?: number;
  /** The pause before the first time, in milliseconds. @default 1000 */
  readonly delayMs?: number;
  /** Each further pause is so many times as long. @default 3 */
  readonly factor?: number;
  /** But none is longer than this, in milliseconds. @default 3600000 (an hour) */
  readonly maxDelayMs?: number;
  /** Pauses vary at random by this share, up and down, so that what failed together does not come back together. @default 0.25 */
  readonly jitter?: number;
  /** Errors that are not tried again, by `name` or `code`. @default [] */
  readonly final?: readonly string[];
  /** The work spec that gets a unit which has failed for good, with its error and history; see `redrive()`. @default none */
  readonly deadLetter?: string;
}

/** A policy with its defaults. */
export type FullRetryPolicy = Required<Omit<RetryPolicy, 'deadLetter'>> & { readonly deadLetter: string | null };

export const defaultRetryPolicy: FullRetryPolicy = Object.freeze({
  limit: 5,
  delayMs: 1_000,
  factor: 3,
  maxDelayMs: 3_600_000,
  jitter: 0.25,
  final: [],
  deadLetter: null,
});

/** Raises InvalidArgument, naming the field. */
export function checkRetryPolicy(policy: RetryPolicy | undefined, field: string): RetryPolicy {
  const given = checkOptions(policy, field, ['limit', 'delayMs', 'factor', 'maxDelayMs', 'jitter', 'final', 'deadLetter']);
  if (given.limit !== undefined) checkInteger(given.limit, `${field}.limit`, { least: 0 });
  if (given.delayMs !== undefined) checkDuration(given.delayMs, `${field}.delayMs`);
  if (given.factor !== undefined) checkNumber(given.factor, `${field}.factor`, { least: 1 });
  if (given.maxDelayMs !== undefined) checkDuration(given.maxDelayMs, `${field}.maxDelayMs`);
  if (given.jitter !== undefined) checkNumber(given.jitter, `${field}.jitter`, { least: 0, most: 1 });
  if (given.final !== undefined) checkList(given.final, `${field}.final`, checkName);
  if (given.deadLetter !== undefined) checkName(given.deadLetter, `${field}.deadLetter`, { mayBeEmpty: false });
  return given;
}

/** The policy of a work spec: its definition's key `retry`, else the handler's, else the default, field by field. */
export function retryPolicyOf(definition: DataDictionary, handler: RetryPolicy): FullRetryPolicy {
  return { ...defaultRetryPolicy, ...handler, ...readable(definition.retry) };
}

/** A definition is data of anybody's: what cannot be read counts as absent, like any other key of it. */
function readable(retry: unknown): RetryPolicy {
  if (typeof retry !== 'object' || retry === null || Array.isArray(retry)) return {};
  const fields = Object.entries(retry).filter(([name, value]) => {
    try {
      checkRetryPolicy({ [name]: value as never }, 'retry');
      return true;
    } catch {
      return false;
    }
  });
  return Object.fromEntries(fields);
}

/** What to do after an error. */
export type AfterError = { readonly kind: 'fail' } | { readonly kind: 'retry'; readonly delayMs: number };

/**
 * Decides whether and when a unit runs again, of which `errorsBefore` attempts since it last ended have been retried because of an
 * error.
 */
export function afterError(policy: FullRetryPolicy, error: unknown, errorsBefore: number, random: () => number): AfterError {
  if (isFinal(policy, error) || errorsBefore >= policy.limit) return { kind: 'fail' };
  const { delayMs, factor, maxDelayMs, jitter } = policy;
  // 0 times a factor beyond all numbers would be no number.
  const pause = delayMs === 0 ? 0 : Math.min(delayMs * factor ** errorsBefore, maxDelayMs);
  const varied = pause * (1 + jitter * (2 * random() - 1));
  return { kind: 'retry', delayMs: Math.round(Math.min(varied, maxDelayMs)) };
}

function isFinal({ final }: FullRetryPolicy, error: unknown): boolean {
  // Whatever was thrown: as it will be kept, it can be read without harm.
  const { name, code } = errorData(error);
  return final.some((known) => known === name || known === String(code));
}
