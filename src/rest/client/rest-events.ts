import { setTimeout as pause } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { checkEventsOptions } from '../../core/notify/check-events-options.js';
import type { EventsOptions, EventStream } from '../../core/notify/event-stream.js';
import type { NamespaceEvent } from '../../core/notify/namespace-event.js';
import { ClosedError, CoordinateError, NotOfferedError } from '../../errors/index.js';
import { decodeBody, eventFromBody } from '../wire/index.js';
import type { RestNamespace } from './rest-namespace.js';

const shortestPauseMs = 50;
const longestPauseMs = 5_000;

/** An answer that goes on, and text as it comes. */
type Opened = AsyncIterable<string>;

/**
 * What happens in a namespace, over HTTP. When the stream ends it is opened again, and only then is `missed` told: what
 * is read upon it, and what is told from then on, leaves nothing out.
 */
export class RestEvents implements EventStream {
  readonly #namespace: RestNamespace;
  readonly #ending = new AbortController();
  /** Fires when it is to end, for whatever reason. */
  readonly #signal: AbortSignal;
  readonly #events: AsyncGenerator<NamespaceEvent, undefined>;
  #first: Promise<Opened> | undefined;

  /** Raises InvalidArgument. */
  constructor(namespace: RestNamespace, options: EventsOptions | undefined) {
    const { signal } = checkEventsOptions(options);
    this.#namespace = namespace;
    this.#signal = AbortSignal.any([this.#ending.signal, namespace.connection.closing, ...(signal ? [signal] : [])]);
    this.#events = this.#follow();
  }

  /** Begins to listen, if the iteration has not yet. Raises Closed, NotOffered, and what requests raise. */
  get ready(): Promise<void> {
    return this.#begin().then(
      () => undefined,
      (error: unknown) => this.#throwUnlessEnded(error),
    );
  }

  next(): Promise<IteratorResult<NamespaceEvent, undefined>> {
    return this.#events.next();
  }

  return(): Promise<IteratorResult<NamespaceEvent, undefined>> {
    this.#ending.abort();
    return this.#events.return(undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async *#follow(): AsyncGenerator<NamespaceEvent, undefined> {
    try {
      let opened = await this.#begin();
      for (;;) {
        yield* this.#read(opened);
        opened = await this.#openAgain();
        yield { kind: 'missed' };
      }
    } catch (error) {
      this.#throwUnlessEnded(error);
      return undefined;
    }
  }

  #begin(): Promise<Opened> {
    this.#first ??= this.#open();
    this.#first.catch(() => undefined);
    return this.#first;
  }

  async #open(): Promise<Opened> {
    const { connection } = this.#namespace;
    this.#signal.throwIfAborted();
    const links = await this.#namespace.links();
    if (!links.has('events_url')) throw new NotOfferedError('streams of events');
    return connection.follow(links.url('events_url'), this.#signal);
  }

  /** Until it ends, or breaks. What is said to be JSON and is not, is as good as broken. */
  async *#read(opened: Opened): AsyncGenerator<NamespaceEvent> {
    const events: NamespaceEvent[] = [];
    const parser = createParser({
      onEvent: ({ data }) => {
        const event = eventFromBody(decodeBody(Buffer.from(data), 'json'));
        if (event !== undefined) events.push(event);
      },
    });
    try {
      for await (const text of opened) {
        parser.feed(text);
        yield* events.splice(0);
      }
    } catch {
      this.#signal.throwIfAborted();
    }
  }

  /** As long as it takes, unless the server refuses it. */
  async #openAgain(): Promise<Opened> {
    for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      await pause(pauseMs * (0.5 + Math.random()), undefined, { signal: this.#signal });
      try {
        return await this.#open();
      } catch (error) {
        if (this.#signal.aborted || !mayPass(error)) throw error;
      }
    }
  }

  /** Who has ended it himself meets no error. */
  #throwUnlessEnded(error: unknown): void {
    if (this.#namespace.connection.closing.aborted) throw new ClosedError();
    if (!this.#signal.aborted) throw error;
  }
}

/** What a server that stops, or one that has too much to do, answers, and what is raised while there is none. */
function mayPass(error: unknown): boolean {
  return error instanceof CoordinateError && [429, 502, 503, 504].includes(error.status) && error.code !== 'Closed';
}
