import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../../access/index.js';
import type { ByteBudget } from '../../access/byte-budget.js';
import { formatOfType, type Body, type Format, type MediaType } from '../wire/index.js';
import { Ending } from './ending.js';
import type { Exchange } from './exchange.js';

/** What all requests have in common. */
export interface Surroundings extends Pick<Exchange, 'coordinate' | 'longestWaitMs' | 'waiting' | 'streams' | 'known'> {
  /** Fires when the server is stopping. */
  readonly stopping: AbortSignal;
  /** What large answers may have together until they are taken. */
  readonly answers: ByteBudget;
  /** Told why an answer that had begun was broken off. */
  readonly onBroken: (request: FastifyRequest, error: unknown) => void;
}

const noBody: Body = Object.freeze({});

/** A request to a route, as resources see it. Made for each, so it makes nothing that few of them ask for. */
export class RequestExchange implements Exchange {
  body = noBody;
  readonly segments: Exchange['segments'];
  readonly format: Format;
  readonly #request: FastifyRequest;
  readonly #surroundings: Surroundings;
  readonly #ending: Ending;

  constructor(request: FastifyRequest, reply: FastifyReply, type: MediaType, surroundings: Surroundings) {
    this.segments = request.params as Exchange['segments'];
    this.format = formatOfType(type);
    this.#request = request;
    this.#surroundings = surroundings;
    this.#ending = new Ending(request, reply, surroundings.stopping);
  }

  get coordinate(): Exchange['coordinate'] {
    return this.#surroundings.coordinate;
  }

  get known(): Exchange['known'] {
    return this.#surroundings.known;
  }

  get waiting(): Exchange['waiting'] {
    return this.#surroundings.waiting;
  }

  get streams(): Exchange['streams'] {
    return this.#surroundings.streams;
  }

  get longestWaitMs(): number {
    return this.#surroundings.longestWaitMs;
  }

  get access(): Access {
    return this.#request.access;
  }

  get query(): URLSearchParams {
    return this.#request.query as URLSearchParams;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get lastEventId(): string | undefined {
    return this.#request.headers['last-event-id']?.toString();
  }

  /** Tokens expire, and are taken back. Needs no receiver: it is handed on. */
  readonly isStillAllowed = (): boolean => {
    try {
      this.#request.letIn();
      return true;
    } catch {
      return false;
    }
  };

  /** The request has been answered: nobody is told any more that it is over. */
  end(): void {
    this.#ending.callOff();
  }
}
