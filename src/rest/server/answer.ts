/** What a resource has to say. */
export interface Answer {
  readonly status: 200 | 201 | 204;
  readonly body?: unknown;
  /** Instead of a body: begins a stream of server-sent events, which goes on until the exchange is over. */
  readonly stream?: () => Promise<AsyncIterable<string>>;
  /** Where to find what was made. */
  readonly location?: string;
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: { readonly url: string }): Answer {
  return { status: 201, body, location: body.url };
}

/** Done, and nothing to say about it. */
export const done: Answer = { status: 204 };
