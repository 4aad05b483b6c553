import type { Attempt } from '../../core/attempt/attempt.js';
import type { WorkSignal } from '../../core/notify/work-signal.js';
import type { AttemptRequest } from '../../core/worker/attempt-request.js';
import type { Worker } from '../../core/worker/worker.js';

/** What is due may be another namespace's, or held by somebody who takes his time: no reason to ask all the time, in milliseconds. */
const leastPauseMs = 20;

/** How often to look for work that nobody has told of, in milliseconds. */
const pollMs = 5_000;

/** How many waiters ask at the same time at most, when there is work for many. */
const mostAtOnce = 8;

/** Somebody who waits for work. */
interface Waiter {
  readonly worker: Worker;
  readonly request: AttemptRequest;
  readonly signal: AbortSignal;
  /** Answers; only the first answer counts. */
  readonly answer: (attempts: Attempt[]) => void;
  readonly fail: (error: Error) => void;
  isOver: boolean;
}

/**
 * Everybody who waits for work of one namespace. They share one registration and one wake-up; when there may be work the first of those
 * who ask for the same asks for it, and only if there was some do more of them. So a thousand who wait cost one claim when there is
 * nothing for them, and about two for each unit when there is.
 */
export class WaitingRoom {
  readonly #wakeUp: WorkSignal;
  /** By what they ask for, in the order in which they came. */
  readonly #groups = new Map<string, Set<Waiter>>();
  /** Groups for which there was nothing since the room was last told that there may be something. */
  readonly #quiet = new Set<string>();
  #interrupt: AbortController | undefined;
  #isArmed = false;

  constructor(wakeUp: WorkSignal) {
    this.#wakeUp = wakeUp;
  }

  /** Whether it is known that there is nothing for such a request: whoever would make it only needs to wait. */
  isQuietFor(request: AttemptRequest): boolean {
    return this.#isArmed && this.#wakeUp.connected && this.#quiet.has(groupOf(request));
  }

  /** Resolves as soon as there is work; to none after so long, or when the signal fires. What is then claimed too late is given back. */
  wait(worker: Worker, request: AttemptRequest, { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal }): Promise<Attempt[]> {
    const key = groupOf(request);
    return new Promise((resolve, reject) => {
      const end = (): void => waiter.answer([]);
      const timer = setTimeout(end, waitMs);
      const leave = (): void => {
        waiter.isOver = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        const group = this.#groups.get(key);
        group?.delete(waiter);
        if (group?.size === 0) this.#groups.delete(key);
        if (this.#groups.size === 0) this.#interrupt?.abort();
      };
      const waiter: Waiter = {
        worker,
        request,
        signal,
        isOver: false,
        answer: (attempts) => {
          leave();
          resolve(attempts);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const group = this.#groups.get(key) ?? new Set();
      this.#groups.set(key, group.add(waiter));
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
      else if (!this.#quiet.has(key)) this.#interrupt?.abort();
    });
  }

  /** Serves until nobody waits any more: then nobody may come any more. Never rejects: what goes wrong is told to those who wait. */
  async run(onEmpty: () => unknown): Promise<void> {
    while (this.#groups.size > 0) {
      try {
        // Registered first, looked again then: what is added in between cannot be missed.
        const dueMs = await this.#wakeUp.arm();
        this.#quiet.clear();
        this.#isArmed = true;
        await this.#untilWoken(Math.min(pollMs, Math.max(dueMs ?? pollMs, leastPauseMs)));
      } catch (error) {
        for (const waiter of [...this.#groups.values()].flatMap((group) => [...group])) waiter.fail(error as Error);
      }
      this.#isArmed = false;
    }
    onEmpty();
    await this.#wakeUp.close();
  }

  /** Serves those there are, and whoever comes and asks for something else, until there may be new work. */
  async #untilWoken(ms: number): Promise<void> {
    const until = performance.now() + ms;
    for (;;) {
      await this.#serve();
      const left = until - performance.now();
      if (this.#groups.size === 0 || left <= 0) return;
      // Somebody may have come since the last look.
      if (this.#nextGroup() !== undefined) continue;
      this.#interrupt = new AbortController();
      const result = await this.#wakeUp.wait(left, this.#interrupt.signal);
      this.#interrupt = undefined;
      if (result !== 'aborted') return;
    }
  }

  async #serve(): Promise<void> {
    for (let key = this.#nextGroup(); key !== undefined; key = this.#nextGroup()) {
      for (let atOnce = 1; !this.#quiet.has(key); atOnce = Math.min(2 * atOnce, mostAtOnce)) {
        const first = firstOf(this.#groups.get(key) ?? [], atOnce);
        if (first.length === 0) break;
        const found = await Promise.all(first.map(askFor));
        if (found.includes(false)) this.#quiet.add(key);
      }
    }
  }

  #nextGroup(): string | undefined {
    return [...this.#groups.keys()].find((key) => !this.#quiet.has(key));
  }
}

function firstOf<T>(items: Iterable<T>, count: number): T[] {
  const first: T[] = [];
  for (const item of items) {
    if (first.length === count) break;
    first.push(item);
  }
  return first;
}

/** Asks for work for somebody; whether there may be more for others who ask for the same. */
async function askFor(waiter: Waiter): Promise<boolean> {
  try {
    const attempts = await waiter.worker.requestAttempts(waiter.request);
    if (attempts.length === 0) return false;
    if (waiter.isOver) await giveBack(attempts);
    else waiter.answer(attempts);
  } catch (error) {
    waiter.fail(error as Error);
  }
  return true;
}

/** What cannot be given back is, by its lease. */
export async function giveBack(attempts: readonly Attempt[]): Promise<void> {
  await Promise.all(attempts.map((attempt) => attempt.expire().catch(() => undefined)));
}

/** Those who ask for the same find, or do not find, the same; how much they want does not matter. */
function groupOf({ workSpecs, runtimes, availableGb }: AttemptRequest): string {
  const names = workSpecs?.map((spec) => (typeof spec === 'string' ? spec : spec.name));
  return JSON.stringify([names?.toSorted() ?? null, runtimes?.toSorted() ?? null, availableGb ?? null]);
}
