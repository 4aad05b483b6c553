import { setTimeout as wait } from 'node:timers/promises';
import { CoordinateError } from '../errors/index.js';

const shortestPauseMs = 50;
const longestPauseMs = 5_000;

/** Errors that pass: the database restarts, or is overloaded. */
const passing: ReadonlySet<string> = new Set(['ConnectionLost', 'CannotConnect', 'RetriesExhausted']);

export interface PatienceOptions {
  /** When it fires, the next error is the last. */
  readonly signal: AbortSignal;
  readonly random: () => number;
  readonly onRetry: (error: Error) => void;
}

/** Does something, and again after growing pauses while the database cannot be reached. Rejects with any other error. */
export async function patiently<T>(work: () => Promise<T>, { signal, random, onRetry }: PatienceOptions): Promise<T> {
  for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !(error instanceof CoordinateError && passing.has(error.code))) throw error;
      onRetry(error);
      await wait(pauseMs * (0.5 + random()), undefined, { signal }).catch(() => undefined);
    }
  }
}
