import { setTimeout as wait } from 'node:timers/promises';
import { sqlState } from '../database/index.js';
import { CoordinateError } from '../errors/index.js';

const shortestPauseMs = 50;
const longestPauseMs = 5_000;

/** Errors that pass: the database restarts, is overloaded, */
const passingCodes: ReadonlySet<string> = new Set(['ConnectionLost', 'CannotConnect', 'RetriesExhausted']);
/** has no room or connection left, is being operated upon, or is a standby for the moment. */
const passingStates = /^(08|53|57|58)|^(25006|55P03)$/;

/** Whether an error is one of the database's that time alone may mend. */
export function passes(error: unknown): boolean {
  if (error instanceof CoordinateError && passingCodes.has(error.code)) return true;
  return passingStates.test(sqlState(error) ?? sqlState((error as Error | undefined)?.cause) ?? '');
}

export interface PatienceOptions {
  /** When it fires, the next error is the last. */
  readonly signal: AbortSignal;
  readonly random: () => number;
  readonly onRetry: (error: Error) => void;
  /** Which errors are waited out. @default those that pass */
  readonly isPassing?: (error: unknown) => boolean;
}

/** Does something, and again after growing pauses while the database cannot do it. Rejects with any other error. */
export async function patiently<T>(
  work: () => Promise<T>,
  { signal, random, onRetry, isPassing = passes }: PatienceOptions,
): Promise<T> {
  for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      onRetry(error as Error);
      await wait(pauseMs * (0.5 + random()), undefined, { signal }).catch(() => undefined);
    }
  }
}
