import { onTestFinished } from 'vitest';

/** A stream of server-sent events, as a stranger reads it: blocks of lines. */
export interface ReadStream {
  readonly status: number;
  readonly headers: Headers;
  /** The next block; undefined when the stream has ended. */
  block(): Promise<string | undefined>;
  /** What the next event says; comments are passed over. */
  event(): Promise<any>;
  leave(): Promise<void>;
}

/** Follows events; left when the test has ended. */
export async function readStream(url: URL, headers: Readonly<Record<string, string>> = {}): Promise<ReadStream> {
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers } });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const block = async (): Promise<string | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end !== -1) {
        const found = text.slice(0, end);
        text = text.slice(end + 2);
        return found;
      }
      const { value, done } = await reader.read();
      if (done) return undefined;
      text += value;
    }
  };
  const leave = (): Promise<void> => reader.cancel().catch(() => undefined);
  onTestFinished(leave);
  return {
    status: response.status,
    headers: response.headers,
    block,
    event: async () => {
      for (;;) {
        const found = await block();
        const data = found === undefined ? '{"kind":"the stream has ended"}' : /^data: (.*)$/m.exec(found)?.[1];
        if (data !== undefined) return JSON.parse(data);
      }
    },
    leave,
  };
}
