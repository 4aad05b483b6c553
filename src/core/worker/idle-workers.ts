import type { Row } from '../../database/index.js';
import type { PostgresAttempt } from '../attempt/postgres-attempt.js';
import type { NamingRequest } from './check-attempt-request.js';
import type { Taker } from './waiting-worker.js';

/** A worker that sleeps because it was told that there is nothing to do, and takes what this process adds meanwhile. */
export interface SleepingWorker extends Taker {
  readonly workerId: number;
  /** What it would ask for. */
  readonly request: NamingRequest;
  /** The attempts that addAndStartUnits has answered, which was sent at `beganAt`, by performance.now(). Never rejects. */
  readonly attemptsOf: (specId: number, row: Row, beganAt: number) => Promise<PostgresAttempt[]>;
}

/** The workers of one bucket that sleep in this process. */
export class IdleWorkers {
  /** By namespace id; each with the specs whose units were not for it while it has slept. */
  readonly #idle = new Map<number, Map<SleepingWorker, Set<number>>>();

  /** Says that a worker sleeps, until what is returned is called. */
  add(namespaceId: number, worker: SleepingWorker): () => void {
    const others = this.#idle.get(namespaceId);
    if (others === undefined) this.#idle.set(namespaceId, new Map([[worker, new Set()]]));
    else others.set(worker, new Set());
    return () => {
      const left = this.#idle.get(namespaceId);
      left?.delete(worker);
      if (left?.size === 0) this.#idle.delete(namespaceId);
    };
  }

  /** One that may be given so many units of a spec. They take turns. */
  find(namespaceId: number, specId: number, count: number): SleepingWorker | undefined {
    const workers = this.#idle.get(namespaceId);
    if (workers === undefined) return undefined;
    for (const [worker, declined] of workers) {
      if (declined.has(specId) || worker.room() < count) continue;
      workers.delete(worker);
      workers.set(worker, declined);
      return worker;
    }
    return undefined;
  }

  /** Says that units of a spec were not for a worker: it is not asked again before it has slept anew. */
  declined(namespaceId: number, specId: number, worker: SleepingWorker): void {
    this.#idle.get(namespaceId)?.get(worker)?.add(specId);
  }
}
