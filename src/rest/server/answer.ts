import type { LongList } from '../wire/index.js';

/** What a resource has to say. */
export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly body?: unknown;
  /** Instead of a body: one that is written while it is read. */
  readonly list?: LongList;
  /** Instead of a body: begins a stream of server-sent events, which goes on until the exchange is over. */
  readonly stream?: () => Promise<AsyncIterable<string>>;
  /** Where to find what was made. */
  readonly location?: string;
  /** Called when the answer was made in vain: it could not be sent, or nobody is there any more to take it. Never rejects. */
  readonly takeBack?: () => Promise<void>;
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: { readonly url: string }): Answer {
  return { status: 201, body, location: body.url };
}

/** Done, and nothing to say about it. */
export const done: Answer = { status: 204 };
