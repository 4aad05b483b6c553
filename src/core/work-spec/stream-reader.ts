import { setImmediate } from 'node:timers/promises';

/** How long a source may give nothing before what it has given is written. */
const lingerMs = 100;

type Came = IteratorResult<unknown> | 'nothing yet';

/** Reads an iterable of either kind, as `for await` does; but who waits for it can be told that something else has happened. */
export class StreamReader {
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>;
  /** What the source has been asked for and has not given. */
  #pending: Promise<IteratorResult<unknown>> | undefined;
  #hasEnded = false;
  #waiting: { readonly resolve: (came: Came) => void; readonly reject: (error: unknown) => void; readonly lingers: boolean } | undefined;
  #waitingSince = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Iterable<unknown> | AsyncIterable<unknown>) {
    this.#iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** What comes next; if `lingers`, 'nothing yet' after some time: then ask again. Raises what the source throws, and interruptions. */
  next(lingers: boolean): Promise<Came> {
    const pending = (this.#pending ??= this.#ask());
    this.#waitingSince = performance.now();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, lingers };
      if (lingers && this.#timer === undefined) this.#lingerFor(lingerMs);
      pending.then(resolve, reject);
    });
  }

  /** Makes who waits for the source raise this instead. */
  interrupt(error: unknown): void {
    this.#waiting?.reject(error);
  }

  /**
   * Closes the iterator, unless it has ended. One that has yet to answer is closed once it does: it may never. It is given a turn of the event
   * loop, so that one which only had to be asked is closed when the error is raised.
   */
  async close(): Promise<void> {
    const isPending = this.#pending !== undefined;
    if (this.#hasEnded && !isPending) return;
    // What went wrong before is what the caller must learn.
    const closed = (async () => this.#iterator.return?.())().catch(() => undefined);
    await (isPending ? Promise.race([closed, setImmediate()]) : closed);
  }

  /** Leaves no timer behind. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #ask(): Promise<IteratorResult<unknown>> {
    try {
      // One that throws has ended.
      this.#hasEnded = true;
      const result = await this.#iterator.next();
      this.#hasEnded = result.done === true;
      // A synchronous iterable may give promises.
      return result.done === true ? result : { done: false, value: await result.value };
    } finally {
      this.#pending = undefined;
    }
  }

  /** One timer for many units: setting one for each would take longer than reading it. */
  #lingerFor(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const left = lingerMs - (performance.now() - this.#waitingSince);
      if (left >= 1) this.#lingerFor(left);
      else if (this.#waiting?.lingers === true) this.#waiting.resolve('nothing yet');
    }, ms);
  }
}
