import type { Attempt } from '../../core/attempt/attempt.js';
import { workSignal } from '../../core/notify/work-signal.js';
import type { AttemptRequest } from '../../core/worker/attempt-request.js';
import type { Worker } from '../../core/worker/worker.js';
import type { WaitingRequest } from '../wire/index.js';
import type { Exchange } from './exchange.js';
import { keyOf } from './namespace-key.js';
import { WaitingRoom } from './waiting-room.js';

/** Who waits no longer than this, in milliseconds, might not have his turn among many others. */
const shortWaitMs = 2_000;

/** How many who could wait ask by themselves at the same time: those who come when a server has just started are a crowd. */
const mostAsking = 16;

/** The requests of one server that wait for work: those of a namespace wait together. */
export class WaitingRequests {
  readonly #rooms = new Map<string, WaitingRoom>();
  readonly #running = new Set<Promise<void>>();
  /** How many of a namespace ask by themselves. */
  readonly #asking = new Map<string, number>();

  /**
   * Asks for work; when there is none, and the client wants to wait, again whenever there may be some, until the time is over, the
   * client has gone, or the server stops. What was claimed for a client that has gone meanwhile is the caller's to give back.
   */
  async requestOrWait(
    worker: Worker,
    { request, waitMs }: WaitingRequest,
    exchange: Pick<Exchange, 'signal' | 'longestWaitMs'>,
  ): Promise<Attempt[]> {
    const { namespace } = worker;
    const key = keyOf(namespace);
    const waiting = this.#rooms.get(key);
    // Who would ask in vain waits at once with the others; and where others are being served, after them, unless he has no time for it.
    const isCrowded = waiting !== undefined || (this.#asking.get(key) ?? 0) >= mostAsking;
    const joins = (isCrowded && waitMs >= shortWaitMs) || waiting?.isQuietFor(request) === true;
    if (waitMs <= 0 || !joins) {
      const attempts = await this.#ask(key, worker, request);
      if (attempts.length > 0 || waitMs <= 0 || exchange.signal.aborted) return attempts;
    }
    const open = this.#rooms.get(key);
    const room = open ?? new WaitingRoom(workSignal(namespace));
    const answer = room.wait(worker, request, { waitMs: Math.min(waitMs, exchange.longestWaitMs), signal: exchange.signal });
    if (open === undefined) this.#run(key, room);
    return answer;
  }

  /** Resolves when nobody waits any more, and nothing of it is left in the database. */
  async closed(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #ask(key: string, worker: Worker, request: AttemptRequest): Promise<Attempt[]> {
    this.#asking.set(key, (this.#asking.get(key) ?? 0) + 1);
    try {
      return await worker.requestAttempts(request);
    } finally {
      const left = (this.#asking.get(key) ?? 0) - 1;
      if (left > 0) this.#asking.set(key, left);
      else this.#asking.delete(key);
    }
  }

  #run(key: string, room: WaitingRoom): void {
    this.#rooms.set(key, room);
    const running = room.run(() => this.#rooms.delete(key)).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}
