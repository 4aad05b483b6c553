import type { Namespace } from '../namespace/namespace.js';
import type { NamespaceEvent } from './namespace-event.js';

/** How to follow the events of a namespace. */
export interface EventsOptions {
  /** Ends the iteration when it fires. @default none */
  readonly signal?: AbortSignal;
}

/**
 * What happens in a namespace while somebody listens: `for await (const event of namespace.events())`. Live and not durable: a `missed` event
 * says that something may not have been told. Breaking out of the loop ends it.
 */
export interface EventStream extends AsyncIterableIterator<NamespaceEvent, undefined>, AsyncDisposable {
  /** Begins to listen, if the iteration has not yet; what happens from when it resolves on is told. Raises Closed. */
  readonly ready: Promise<void>;
  /** The next event. Raises Closed once the coordinate was closed. */
  next(): Promise<IteratorResult<NamespaceEvent, undefined>>;
  /** Stops listening. Idempotent. */
  return(): Promise<IteratorResult<NamespaceEvent, undefined>>;
}

/** A namespace that tells what happens in it. */
export interface EventfulNamespace extends Namespace {
  events(options?: EventsOptions): EventStream;
}

export function tellsEvents(namespace: Namespace): namespace is EventfulNamespace {
  return 'events' in namespace;
}
