import type { Attempt } from '../../core/attempt/attempt.js';
import { workSignal } from '../../core/notify/work-signal.js';
import type { Worker } from '../../core/worker/worker.js';
import type { WaitingRequest } from '../wire/index.js';
import type { Exchange } from './exchange.js';

/** What is due may be another namespace's, or held by somebody who takes his time: no reason to ask all the time, in milliseconds. */
const leastPauseMs = 20;

/** How often to look for work that nobody has told of, in milliseconds. */
const pollMs = 5_000;

/**
 * Asks for work; when there is none, and the client wants to wait, again whenever there may be some, until the time is over, the
 * client has gone, or the server stops. What is claimed for a client that goes at that very moment is given back by its lease.
 */
export async function requestOrWait(
  worker: Worker,
  { request, waitMs }: WaitingRequest,
  { signal, longestWaitMs }: Pick<Exchange, 'signal' | 'longestWaitMs'>,
): Promise<Attempt[]> {
  const attempts = await worker.requestAttempts(request);
  if (attempts.length > 0 || waitMs <= 0) return attempts;
  const end = performance.now() + Math.min(waitMs, longestWaitMs);
  const wakeUp = workSignal(worker.namespace);
  try {
    while (!signal.aborted) {
      // Registered first, looked again then: what is added in between cannot be missed.
      const dueMs = await wakeUp.arm();
      const found = await worker.requestAttempts(request);
      const left = end - performance.now();
      if (found.length > 0 || left <= 0) return found;
      await wakeUp.wait(Math.min(left, pollMs, Math.max(dueMs ?? pollMs, leastPauseMs)), signal);
    }
    return [];
  } finally {
    await wakeUp.close();
  }
}
