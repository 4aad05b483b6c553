import type { DataDictionary } from '../../codec/index.js';
import type { Attempt } from '../attempt/attempt.js';
import type { AttemptRequest } from './attempt-request.js';
import type { Worker } from './worker.js';

/** How long to wait for work. */
export interface WaitOptions {
  /** After so long without work the answer is none, in milliseconds; the implementation may answer sooner. */
  readonly waitMs: number;
  /** Gives up waiting when it fires; the answer is none. */
  readonly signal: AbortSignal;
}

/** A worker of an implementation that waits for work on its own, such as a client whose server answers once there is some. */
export interface WaitingWorker extends Worker {
  /** As `requestAttempts`; when there is nothing to do, answers once there is. */
  requestAttemptsOrWait<Data extends DataDictionary = DataDictionary>(
    request: AttemptRequest<Data>,
    options: WaitOptions,
  ): Promise<Attempt<Data>[]>;
}

export function canWait(worker: Worker): worker is WaitingWorker {
  return 'requestAttemptsOrWait' in worker;
}
