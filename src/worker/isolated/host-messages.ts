/** How loud a line of a handler's log is. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;

/** See `logLevels`. */
export type LogLevel = (typeof logLevels)[number];

/** What the worker tells a host. Bytes are CBOR. */
export type ToHost =
  /** The first message: which function to run. */
  | { readonly type: 'load'; readonly module: string; readonly exportName: string }
  | {
      readonly type: 'run';
      readonly run: number;
      readonly workSpec: string;
      readonly name: string;
      readonly key: Uint8Array;
      readonly number: number;
      readonly data: Uint8Array;
    }
  | { readonly type: 'abort'; readonly run: number; readonly reason: Uint8Array }
  /** The answer to 'progress'; the error is null if all went well. */
  | { readonly type: 'progressed'; readonly run: number; readonly call: number; readonly error: Uint8Array | null };

/** What a host tells the worker. `run` is the one it is about. */
export type FromHost =
  | { readonly type: 'answered'; readonly run: number; readonly answer: Uint8Array }
  | { readonly type: 'threw'; readonly run: number; readonly error: Uint8Array }
  /** The function to run is not there. */
  | { readonly type: 'unloadable'; readonly run: number; readonly problem: string }
  | { readonly type: 'progress'; readonly run: number; readonly call: number; readonly data: Uint8Array }
  | {
      readonly type: 'log';
      readonly run: number;
      readonly level: LogLevel;
      readonly message: string;
      readonly details: Uint8Array | null;
    };

/**
 * A message for another thread, with bytes of its own that need not be copied again. What is sent as it is, is copied with all of the
 * memory that it is a part of: other units' data, too.
 */
export function transferable<Message extends ToHost | FromHost>(message: Message): readonly [Message, ArrayBuffer[]] {
  const own: ArrayBuffer[] = [];
  const members = Object.entries(message).map(([name, value]: [string, unknown]) => {
    if (!(value instanceof Uint8Array)) return [name, value] as const;
    const copy = new Uint8Array(value);
    own.push(copy.buffer);
    return [name, copy] as const;
  });
  return [Object.fromEntries(members) as Message, own];
}
