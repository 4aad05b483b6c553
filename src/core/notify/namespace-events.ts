import { setTimeout as pause } from 'node:timers/promises';
import type { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { mayPass } from '../../database/index.js';
import { checkEventsOptions } from './check-events-options.js';
import type { EventsOptions, EventStream } from './event-stream.js';
import type { NamespaceEvent } from './namespace-event.js';
import type { Message } from './payload.js';
import { readEvents, type EventReference } from './read-events.js';

/** How many events wait for a slow consumer; then the oldest are dropped. */
const mostBuffered = 10_000;

/** How long to leave a database alone that cannot be reached, in milliseconds. */
const pauseMs = 500;

/** For how many events names are read at once. */
const mostAtOnce = 200;

/**
 * What happens in a namespace while somebody listens: `for await (const event of namespace.events())`. Live and not durable: what happened
 * before, while the connection was lost, or after 10,000 events that nobody has taken is not told; a `missed` event says so.
 * Breaking out of the loop ends it.
 */
export class NamespaceEvents implements EventStream {
  readonly #namespace: PostgresNamespace;
  readonly #signal: AbortSignal | undefined;
  #told: EventReference[] = [];
  #events: NamespaceEvent[] = [];
  #hasDropped = false;
  #ready: Promise<void> | undefined;
  #isLive = false;
  #stopWatching: (() => void) | undefined;
  #ended: { readonly error?: unknown } | undefined;
  /** Something has changed that next() or ready may be waiting for. */
  #changed: (() => void) | undefined;
  /** One next() after another. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(namespace: PostgresNamespace, options: EventsOptions | undefined) {
    this.#namespace = namespace;
    this.#signal = checkEventsOptions(options).signal;
  }

  /** Begins to listen, if the iteration has not yet; what happens from when it resolves on is told. Raises Gone, Closed. */
  get ready(): Promise<void> {
    this.#ready ??= this.#start();
    this.#ready.catch(() => undefined);
    return this.#ready;
  }

  /** The next event. Raises Closed once the coordinate was closed, Gone if the namespace was when it began. */
  next(): Promise<IteratorResult<NamespaceEvent, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Stops listening. Idempotent. */
  return(): Promise<IteratorResult<NamespaceEvent, undefined>> {
    this.#end({});
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #start(): Promise<void> {
    if (this.#hasEnded()) return;
    const { bucket, id } = this.#namespace;
    const { closing } = bucket.backend;
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    closing.addEventListener('abort', this.#onClose, { once: true });
    if (this.#signal?.aborted === true) this.#onAbort();
    else if (closing.aborted) this.#onClose();
    if (this.#hasEnded()) {
      this.#throwError();
      return;
    }
    try {
      await this.#namespace.checkExists();
      const stop = await bucket.watching.add(id, { onMessage: this.#onMessage, onMissed: this.#onMissed });
      this.#stopWatching = stop;
      while (!bucket.watching.connected && !this.#hasEnded()) await this.#change();
      this.#isLive = true;
      if (this.#hasEnded()) stop();
    } catch (error) {
      this.#end({ error });
      throw error;
    }
  }

  async #next(): Promise<IteratorResult<NamespaceEvent, undefined>> {
    await this.ready;
    for (;;) {
      if (this.#hasEnded()) {
        this.#throwError();
        return { done: true, value: undefined };
      }
      const event = this.#events.shift();
      if (event !== undefined) return { done: false, value: event };
      if (this.#hasDropped) {
        this.#hasDropped = false;
        return { done: false, value: { kind: 'missed' } };
      }
      if (this.#told.length === 0) await this.#change();
      else await this.#readSome();
    }
  }

  async #readSome(): Promise<void> {
    const some = this.#told.splice(0, mostAtOnce);
    try {
      this.#events = await readEvents(this.#namespace.bucket, some);
    } catch (error) {
      if (!mayPass(error)) {
        this.#end({ error });
        return;
      }
      this.#hasDropped = true;
      await pause(pauseMs);
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#changed = resolve));
  }

  /** A call, because it may become so during any await. */
  #hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  #throwError(): void {
    if (this.#ended !== undefined && 'error' in this.#ended) throw this.#ended.error;
  }

  #end(how: { readonly error?: unknown }): void {
    if (this.#ended !== undefined) return;
    this.#ended = how;
    this.#told = [];
    this.#events = [];
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#namespace.bucket.backend.closing.removeEventListener('abort', this.#onClose);
    this.#stopWatching?.();
    this.#changed?.();
  }

  #tell(references: readonly EventReference[]): void {
    if (this.#ended !== undefined || !this.#isLive) return;
    this.#told.push(...references);
    const tooMany = this.#told.length - mostBuffered;
    if (tooMany > 0) {
      this.#told.splice(0, tooMany);
      this.#hasDropped = true;
    }
    this.#changed?.();
  }

  readonly #onAbort = (): void => this.#end({});
  readonly #onClose = (): void => this.#end({ error: this.#namespace.bucket.backend.closing.reason });

  readonly #onMessage = (message: Message): void => {
    if (message.kind === 'work' || message.kind === 'cancel') return;
    const { kind } = message;
    if (kind === 'added') this.#tell([message]);
    else this.#tell(message.attempts.map((attempt) => ({ kind, ...attempt })));
  };

  readonly #onMissed = (): void => {
    if (this.#isLive) this.#tell([{ kind: 'missed' }]);
    else this.#changed?.();
  };
}
