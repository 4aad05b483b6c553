import pRetry from 'p-retry';
import { Pool, type Dispatcher } from 'undici';
import { ServerUnreachableError } from '../../errors/index.js';
import { decodeBody, errorFromBody, formatOfContentType } from '../wire/index.js';
import type { CheckedRestClientOptions } from './rest-client-options.js';
import { codeOf, wasNeverSent } from './was-never-sent.js';

/** A request as it goes over the wire. */
export interface Sending {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** How long the server may take its time before it answers on purpose, in milliseconds. @default 0 */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** Whether it can be sent twice without harm. @default whether its method says so */
  readonly isRepeatable?: boolean;
}

/** An answer as it came. */
export interface Received {
  readonly status: number;
  readonly contentType: string | undefined;
  /** When, by the server's clock. */
  readonly date: string | undefined;
  readonly bytes: Buffer;
  /** Whether it was sent before, and may have been done then. */
  readonly isRepeated: boolean;
}

/** A request whose answer goes on. */
export interface Opening {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

/** An answer that goes on. */
export interface Opened {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Dispatcher.ResponseData['body'];
}

const shortestPauseMs = 50;
const longestPauseMs = 2_000;

/** Longer than the longest path and query that this client makes, which names 64 KiB of units. */
const mostHeaderBytes = 256 * 1024;

/** Methods whose requests can be sent twice: the second time changes nothing more. */
const repeatable: readonly string[] = ['GET', 'PUT', 'PATCH', 'DELETE'];

/** Something between us and the server answers that it cannot be reached. */
const gateways: readonly number[] = [502, 503, 504];

/**
 * Sends requests over connections that are kept alive. Those that wait for work have connections of their own: however many wait, they
 * keep no other request from being sent.
 *
 * undici's Pool, not the global fetch: the same client, but with connections and time limits of its own, so that closing it ends its
 * connections and no one else's, and without what fetch spends on web streams and headers for each small body.
 */
export class Transport {
  readonly #settings: CheckedRestClientOptions;
  readonly #pool: Pool;
  readonly #waiting: Pool;

  constructor(settings: CheckedRestClientOptions) {
    const { root, connections, connectTimeoutMs, ca } = settings;
    this.#settings = settings;
    const options: Pool.Options = {
      connect: { timeout: connectTimeoutMs, ...(ca !== undefined && { ca }) },
      maxHeaderSize: mostHeaderBytes,
    };
    this.#pool = new Pool(root.origin, { ...options, connections });
    this.#waiting = new Pool(root.origin, options);
  }

  /** Raises ServerUnreachable; the reason of the signal. */
  async send(sending: Sending): Promise<Received> {
    let tries = 0;
    let isRepeated = false;
    const { isRepeatable = repeatable.includes(sending.method) } = sending;
    const tryOnce = async (): Promise<Received> => {
      tries++;
      sending.signal?.throwIfAborted();
      const received = await this.#sendOnce(sending).catch((error: unknown) => {
        sending.signal?.throwIfAborted();
        isRepeated ||= !wasNeverSent(error);
        throw this.#unreachable(error);
      });
      if (tries <= this.#settings.retries) {
        if (isRepeatable && gateways.includes(received.status) && isForeign(received)) {
          isRepeated = true;
          throw this.#unreachable(new Error(`something in between answers ${received.status}`));
        }
        if (wasRefusedUnread(received)) throw new RefusedUnreadError();
      }
      return { ...received, isRepeated };
    };
    return pRetry(tryOnce, {
      retries: this.#settings.retries,
      minTimeout: shortestPauseMs,
      maxTimeout: longestPauseMs,
      randomize: true,
      ...(sending.signal && { signal: sending.signal }),
      shouldRetry: ({ error }) => isRepeatable || error instanceof RefusedUnreadError || wasNeverSent(error.cause),
    });
  }

  /**
   * Sends a request whose answer may go on for ever, on a connection of its own; it counts as broken when nothing comes for `silenceMs`.
   * Raises ServerUnreachable; the reason of the signal.
   */
  async open({ url, headers, silenceMs, signal }: Opening): Promise<Opened> {
    try {
      const { requestTimeoutMs: headersTimeout } = this.#settings;
      const path = url.pathname + url.search;
      const options: Dispatcher.RequestOptions = { method: 'GET', path, headers, headersTimeout, bodyTimeout: silenceMs, signal };
      const { statusCode: status, headers: received, body } = await this.#waiting.request(options);
      // Given up before anybody has begun to read it, it would tell of that to nobody.
      body.on('error', () => undefined);
      return { status, contentType: contentTypeOf(received), body };
    } catch (error) {
      signal.throwIfAborted();
      throw this.#unreachable(error);
    }
  }

  /** Closes the connections once what is under way has ended. */
  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), this.#waiting.close()]);
  }

  async #sendOnce({ method, url, headers, body, waitMs = 0, signal }: Sending): Promise<Omit<Received, 'isRepeated'>> {
    const { requestTimeoutMs } = this.#settings;
    const options: Dispatcher.RequestOptions = {
      method,
      path: url.pathname + url.search,
      headers,
      headersTimeout: waitMs + requestTimeoutMs,
      bodyTimeout: requestTimeoutMs,
      ...(body && { body }),
      ...(signal && { signal }),
    };
    const answer = await (waitMs > 0 ? this.#waiting : this.#pool).request(options);
    const { date } = answer.headers;
    return {
      status: answer.statusCode,
      contentType: contentTypeOf(answer.headers),
      date: typeof date === 'string' ? date : undefined,
      bytes: Buffer.from(await answer.body.arrayBuffer()),
    };
  }

  #unreachable(error: unknown): ServerUnreachableError {
    return new ServerUnreachableError(this.#settings.root.href, problemOf(error), { cause: error });
  }
}

function contentTypeOf({ 'content-type': contentType }: Dispatcher.ResponseData['headers']): string | undefined {
  return typeof contentType === 'string' ? contentType : undefined;
}

/** Whether it is no answer of a Coordinate server, whose errors are JSON or CBOR. */
function isForeign({ contentType = '' }: Pick<Received, 'contentType'>): boolean {
  return !/json|cbor/.test(contentType);
}

/** Never leaves this file: after the last try the answer itself is told. */
class RefusedUnreadError extends Error {}

/** Whether the server has too much to do, and has not even read what it was sent: then it can be sent again, whatever it does. */
function wasRefusedUnread({ status, contentType, bytes }: Pick<Received, 'status' | 'contentType' | 'bytes'>): boolean {
  if (status !== 429 && status !== 503) return false;
  try {
    const { code } = errorFromBody(decodeBody(bytes, formatOfContentType(contentType)));
    return code === 'TooManyRequests' || code === 'ServerBusy';
  } catch {
    return false;
  }
}

function problemOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
      return 'nobody listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name is not known';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'it does not take the connection';
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'it does not answer in time';
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection broke';
  }
  return error instanceof Error && error.message !== '' ? error.message : codeOf(error) || String(error);
}
