import { emitKeypressEvents } from 'node:readline';
import type { CommandIo } from './command-io.js';
import { InterruptedError } from './interrupted-error.js';

/** What readline says of a key. */
interface Key {
  readonly name?: string;
  readonly sequence?: string;
  readonly ctrl?: boolean;
}

const others: Readonly<Record<string, string>> = { k: 'up', j: 'down', escape: 'q' };

/** The keys that are pressed at a terminal, one by one; without a terminal there are none. */
export class Keys {
  readonly #io: CommandIo;
  readonly #pressed: string[] = [];
  #wake: (() => void) | undefined;
  #interrupted: InterruptedError | undefined;

  constructor(io: CommandIo) {
    this.#io = io;
    if (io.stdin.isTTY !== true) return;
    emitKeypressEvents(io.stdin);
    io.stdin.setRawMode?.(true);
    io.stdin.on('keypress', this.#onKey);
    io.stdin.resume();
  }

  /** The next key, waiting for so long; null if there was none. Raises what the command is told to end with. */
  async next(ms: number): Promise<string | null> {
    const { signal } = this.#io;
    if (this.#pressed.length === 0 && !signal.aborted && this.#interrupted === undefined) await this.#wait(ms);
    signal.throwIfAborted();
    if (this.#interrupted !== undefined) return 'q';
    return this.#pressed.shift() ?? null;
  }

  close(): void {
    const { stdin } = this.#io;
    if (stdin.isTTY !== true) return;
    stdin.off('keypress', this.#onKey);
    stdin.setRawMode?.(false);
    stdin.pause();
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#io;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }

  readonly #onKey = (_text: string | undefined, { name, sequence, ctrl }: Key): void => {
    // In raw mode the terminal makes no signal of it.
    if (ctrl === true && (name === 'c' || name === 'd')) this.#interrupted = new InterruptedError('SIGINT');
    else this.#pressed.push(others[name ?? ''] ?? name ?? sequence ?? '');
    this.#wake?.();
  };
}
