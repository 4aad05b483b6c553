import type { Access } from '../../access/index.js';
import type { Coordinate } from '../../core/coordinate.js';
import type { Body, Format } from '../wire/index.js';
import type { EventStreams } from './event-streams.js';
import type { KnownObjects } from './known-objects.js';
import type { WaitingRequests } from './request-or-wait.js';

/** What a resource is given of a request. */
export interface Exchange {
  readonly coordinate: Coordinate;
  /** What the client may do. That it may do this to the namespace of the path is certain. */
  readonly access: Access;
  /** The segments of the path that the route names, percent-decoded. */
  readonly segments: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** An object without members where the method has no body, and while the objects of the path are being found. */
  readonly body: Body;
  /** How the answer will be written. */
  readonly format: Format;
  /**
   * Fires when the client has gone, or the server is stopping: whoever waits for something gives up then. To be asked for only by who does: it is made
   * when it is.
   */
  readonly signal: AbortSignal;
  /** What requests have named before. */
  readonly known: KnownObjects;
  /** Everybody who waits for work at this server. */
  readonly waiting: WaitingRequests;
  /** Everybody who follows what happens. */
  readonly streams: EventStreams;
  /** Whether the client may still do what it asked for: of what goes on for long. */
  readonly isStillAllowed: () => boolean;
  /** `Last-Event-ID`: sent by who has read a stream before, and comes again. */
  readonly lastEventId: string | undefined;
  /** Longest time that a client may wait for work, in milliseconds. */
  readonly longestWaitMs: number;
}
