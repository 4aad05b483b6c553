/** How much waits for a client that does not take it, in UTF-16 code units; then it is dropped, and the client told so. */
const mostWaiting = 2 * 1024 * 1024;

const missed = 'data: {"kind":"missed"}\n\n';

/** One who reads a feed: what he has been told and has not taken yet. */
export class EventReader {
  readonly #onLeave: () => void;
  #waiting: string[] = [];
  #size = 0;
  #hasLeft = false;
  #wake: (() => void) | undefined;

  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  /** Whether nothing more is to come. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** A message as it is written. The same text is kept for all readers once. */
  tell(message: string): void {
    if (this.#hasLeft) return;
    if (this.#size + message.length > mostWaiting) {
      this.#waiting = [missed];
      this.#size = missed.length;
    }
    this.#waiting.push(message);
    this.#size += message.length;
    this.#wake?.();
  }

  /** Says that he may have missed something, as one who comes again. */
  tellMissed(): void {
    this.tell(missed);
  }

  /** What has been told since the last time, after at most so long; empty then, and when he has left. */
  async take(mostMs: number): Promise<string> {
    if (this.#waiting.length === 0 && !this.#hasLeft) await this.#told(mostMs);
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#size = 0;
    return text;
  }

  /** Idempotent. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#wake?.();
    this.#onLeave();
  }

  #told(mostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, mostMs);
      this.#wake = end;
    });
  }
}
