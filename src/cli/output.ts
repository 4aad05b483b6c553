import { styleText } from 'node:util';
import type { Writable } from 'node:stream';

type Style = Parameters<typeof styleText>[0];

/** Whoever reads our output has had enough of it, as in `pg-coordinate units spec | head -1`. */
export class OutputClosedError extends Error {}

/** Where a command writes: waits for a slow reader, and raises OutputClosedError once there is none any more. */
export class Output {
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly #colours: boolean;
  #failure: Error | undefined;

  constructor(stream: Output['stream'], environment: Readonly<Record<string, string | undefined>> = {}) {
    this.stream = stream;
    this.#colours = stream.isTTY === true && (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb';
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure = error.code === 'EPIPE' ? new OutputClosedError('the output was closed') : error;
    });
  }

  /** Whether somebody looks at it: only then there are colours, bars and lines that are drawn again. */
  get isTerminal(): boolean {
    return this.stream.isTTY === true;
  }

  get columns(): number {
    return this.stream.columns ?? 80;
  }

  get rows(): number {
    return this.stream.rows ?? 24;
  }

  async write(text: string | Uint8Array): Promise<void> {
    this.#check();
    if (!this.stream.write(text)) await this.#drained();
    this.#check();
  }

  async line(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** The text in a style, if it is seen by somebody who can see it. */
  styled(style: Style, text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #drained(): Promise<void> {
    const { stream } = this;
    return new Promise((resolve) => {
      const done = (): void => {
        for (const event of ['drain', 'close', 'error']) stream.off(event, done);
        resolve();
      };
      for (const event of ['drain', 'close', 'error']) stream.once(event, done);
    });
  }
}
