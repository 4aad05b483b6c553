import type { FastifyReply, FastifyRequest } from 'fastify';
import { whenOver } from './when-over.js';

/** Tells whoever waits for something that a request is over. Most requests wait for nothing: it listens only once it is asked. */
export class Ending {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #stopping: AbortSignal;
  #controller: AbortController | undefined;
  #callOff: (() => void) | undefined;

  constructor(request: FastifyRequest, reply: FastifyReply, stopping: AbortSignal) {
    this.#request = request;
    this.#reply = reply;
    this.#stopping = stopping;
  }

  /** Fires when the client has gone, or the server is stopping; at once, if it already has. */
  get signal(): AbortSignal {
    return (this.#controller ?? this.#listen()).signal;
  }

  /** The request has been answered: nobody is told any more. */
  callOff(): void {
    this.#callOff?.();
  }

  #listen(): AbortController {
    const controller = new AbortController();
    this.#controller = controller;
    const end = (): void => controller.abort();
    const callOff = whenOver(this.#request, this.#reply, end);
    this.#stopping.addEventListener('abort', end, { once: true });
    this.#callOff = () => {
      callOff();
      this.#stopping.removeEventListener('abort', end);
    };
    if (this.#stopping.aborted) end();
    return controller;
  }
}
