import { inspect } from 'node:util';
import { decodeData, encodeData, type DataDictionary } from '../../codec/index.js';
import { decodeThrown } from './carried-error.js';
import { logLevels, type LogLevel, type ToHost } from './host-messages.js';
import type { HostPort } from './host-port.js';

type Run = Extract<ToHost, { type: 'run' }>;
type Log = Readonly<Record<LogLevel, (message: string, details?: object) => void>>;

/** What a handler in a thread or process is called with: what any handler is, but for the attempt. */
export interface IsolatedContext {
  readonly data: DataDictionary;
  readonly name: string;
  readonly key: Uint8Array;
  readonly number: number;
  readonly workSpec: string;
  readonly signal: AbortSignal;
  progress(data: DataDictionary): Promise<void>;
  readonly log: Log;
}

const longestMessage = 10_000;

/** One run of the handler, as the host sees it. */
export class HostRun {
  readonly run: number;
  readonly context: IsolatedContext;
  readonly #port: HostPort;
  readonly #abort = new AbortController();
  readonly #progressing = new Map<number, { readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  #calls = 0;

  constructor({ run, data, name, key, number, workSpec }: Run, port: HostPort) {
    this.run = run;
    this.#port = port;
    this.context = Object.freeze({
      data: decodeData(data),
      name,
      key,
      number,
      workSpec,
      signal: this.#abort.signal,
      progress: (progress: DataDictionary) => this.#progress(progress),
      log: logTo((level, message, details) => this.#log(level, message, details)),
    });
  }

  take(message: Extract<ToHost, { type: 'abort' | 'progressed' }>): void {
    if (message.type === 'abort') {
      this.#abort.abort(decodeThrown(message.reason));
      return;
    }
    const call = this.#progressing.get(message.call);
    this.#progressing.delete(message.call);
    if (message.error === null) call?.resolve();
    else call?.reject(decodeThrown(message.error));
  }

  async #progress(progress: DataDictionary): Promise<void> {
    const data = encodeData(progress, 'data');
    const call = this.#calls++;
    await new Promise<void>((resolve, reject) => {
      this.#progressing.set(call, { resolve, reject });
      this.#port.send({ type: 'progress', run: this.run, call, data });
    });
  }

  #log(level: LogLevel, message: unknown, details: unknown): void {
    const text = typeof message === 'string' ? message : inspect(message);
    const carried = details === undefined ? null : encodeDetails(details);
    this.#port.send({ type: 'log', run: this.run, level, message: text.slice(0, longestMessage), details: carried });
  }
}

function logTo(log: (level: LogLevel, message: unknown, details: unknown) => void): Log {
  const entries = logLevels.map((level) => [level, (message: unknown, details?: unknown) => log(level, message, details)] as const);
  return Object.freeze(Object.fromEntries(entries)) as Log;
}

/** A line of the log must not fail because of what it is about. */
function encodeDetails(details: unknown): Uint8Array {
  try {
    return encodeData(details as DataDictionary);
  } catch {
    return encodeData({ details: inspect(details).slice(0, longestMessage).toWellFormed() });
  }
}
