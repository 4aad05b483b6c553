import type { Namespace } from '../../core/namespace/namespace.js';
import { tellsEvents, type EventfulNamespace } from '../../core/notify/event-stream.js';
import { NotOfferedError, TooManyStreamsError } from '../../errors/index.js';
import { EventFeed } from './event-feed.js';
import type { EventReader } from './event-reader.js';
import { keyOf } from './namespace-key.js';

export interface EventStreamsOptions {
  /** Most streams at a time. */
  readonly most: number;
  /** How often a stream on which nothing happens says that it is still there, in milliseconds. */
  readonly heartbeatMs: number;
}

/** Who reads a stream. */
export interface StreamClient {
  /** Fires when the client has gone, or the server stops. */
  readonly signal: AbortSignal;
  /** Whether he has read before, and comes again: what happened in between he was not told. */
  readonly comesAgain: boolean;
  /** Whether he may still read it: a token may have expired since. */
  readonly isStillAllowed: () => boolean;
}

/** How soon a browser is to come again when its stream has ended, in milliseconds. */
const retryMs = 2_000;

/** Begins each stream, so that the client knows that he is told everything from now on; he shows the id when he comes again. */
const opening = `retry: ${retryMs}\nid: 1\n: listening\n\n`;
const heartbeat = ': still here\n\n';

/** The streams of events of one server: those of a namespace are one feed. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #feeds = new Map<string, EventFeed>();
  readonly #running = new Set<Promise<void>>();
  #count = 0;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /** A stream, as server-sent events, that is live when this resolves. Raises NotOffered, TooManyStreams, and what following events raises. */
  async open(namespace: Namespace, client: StreamClient): Promise<AsyncIterable<string>> {
    if (!tellsEvents(namespace)) throw new NotOfferedError('streams of events');
    const { most } = this.#options;
    if (this.#count >= most) throw new TooManyStreamsError(most);
    this.#count++;
    const reader = await this.#feedOf(namespace).join(() => this.#count--);
    const { signal, comesAgain } = client;
    // Also where the messages are never asked for.
    signal.addEventListener('abort', () => reader.leave(), { once: true });
    if (signal.aborted) reader.leave();
    if (comesAgain) reader.tellMissed();
    return this.#read(reader, client);
  }

  /** Resolves when nobody reads any more. */
  async closed(): Promise<void> {
    await Promise.all(this.#running);
  }

  #feedOf(namespace: EventfulNamespace): EventFeed {
    const key = keyOf(namespace);
    const open = this.#feeds.get(key);
    if (open !== undefined) return open;
    const feed = new EventFeed(namespace.events(), () => {
      if (this.#feeds.get(key) === feed) this.#feeds.delete(key);
    });
    this.#feeds.set(key, feed);
    const running = feed.run().finally(() => this.#running.delete(running));
    this.#running.add(running);
    return feed;
  }

  async *#read(reader: EventReader, { isStillAllowed }: StreamClient): AsyncGenerator<string> {
    const { heartbeatMs } = this.#options;
    yield opening;
    for (let checkAt = performance.now() + heartbeatMs; !reader.hasLeft; ) {
      const text = await reader.take(heartbeatMs);
      if (performance.now() >= checkAt) {
        if (!isStillAllowed()) break;
        checkAt = performance.now() + heartbeatMs;
      }
      if (!reader.hasLeft) yield text === '' ? heartbeat : text;
    }
    reader.leave();
  }
}
