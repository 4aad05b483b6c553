import { setTimeout as wait } from 'node:timers/promises';
import { mayPass } from '../database/index.js';

const shortestPauseMs = 50;
const longestPauseMs = 5_000;

export interface PatienceOptions {
  /** When it fires, the next error is the last. */
  readonly signal: AbortSignal;
  readonly random: () => number;
  readonly onRetry: (error: Error) => void;
  /** Which errors are waited out. @default those that time alone may mend */
  readonly isPassing?: (error: unknown) => boolean;
}

/** Does something, and again after growing pauses while the database cannot do it. Rejects with any other error. */
export async function patiently<T>(
  work: () => Promise<T>,
  { signal, random, onRetry, isPassing = mayPass }: PatienceOptions,
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
