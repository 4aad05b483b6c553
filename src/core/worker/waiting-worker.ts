import type { DataDictionary } from '../../codec/index.js';
import type { Attempt } from '../attempt/attempt.js';
import type { WorkSignal } from '../notify/work-signal.js';
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

/** Who has a worker's units worked on. */
export interface Taker {
  /** How many units can be begun now. */
  readonly room: () => number;
  /** Told that so many units may be for it: it keeps room for them until that is known. The promise never rejects. */
  readonly expect: (count: number, attempts: Promise<readonly Attempt[]>) => void;
}

/** What a worker that is about to sleep has seen. */
export interface LastLook {
  /** As `WorkSignal.arm()` resolves to. */
  readonly dueMs: number | null;
  /** Whether a request would certainly have been answered with nothing; false: only a request can tell. */
  readonly hasNothing: boolean;
}

/** A worker of an implementation that can look right behind the word that it sleeps, and give it, while it does, what its own process adds. */
export interface IdleWorker extends Worker {
  /** Whether the last claim of each of these work specs has left nothing that can be had, as far as is known, and nobody has said since that there may be something. */
  isDry(workSpecs: readonly string[]): boolean;
  /** Arms the signal, and once that is done looks whether there is anything for a request that names its work specs. */
  armAndLook(signal: WorkSignal, request: AttemptRequest): Promise<LastLook>;
  /** Says that there was nothing to do for a request that names its work specs; from now on, until what is returned is called, `taker` is given what is added for it. */
  takeWhileIdle(request: AttemptRequest, taker: Taker): () => void;
}

export function canSleep(worker: Worker): worker is IdleWorker {
  return 'takeWhileIdle' in worker;
}

export function canWait(worker: Worker): worker is WaitingWorker {
  return 'requestAttemptsOrWait' in worker;
}
