import { SingleBar } from 'cli-progress';
import { countText, timeText } from './count-text.js';
import type { Output } from './output.js';

/** How many times a second the bar is drawn again. */
const framesPerSecond = 5;

/**
 * A line that shows how far something is, at what rate, and if it is known how much there is, a bar and the time left. Nothing at all where
 * nobody looks. `close()` removes it.
 */
export class Progress {
  readonly #bar: SingleBar | undefined;
  readonly #startedAt = performance.now();
  readonly #total: number | undefined;
  /** How many things have been done; `done` is how much of the total they are, if that counts something else, such as bytes. */
  #count = 0;
  #done = 0;

  constructor(what: string, { total, output }: { readonly total: number | undefined; readonly output: Output }) {
    this.#total = total;
    if (!output.isTerminal) return;
    const bar = total === undefined ? '' : '{bar} {percentage}% ';
    this.#bar = new SingleBar({
      format: `${bar}{counted} ${what}  {rate}/s{left}`,
      stream: output.stream,
      fps: framesPerSecond,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 30,
    });
    this.#bar.start(total ?? 1, 0, this.#payload());
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** `done`: how much of the total has been done in all. @default the count */
  advance(count = 1, done?: number): void {
    this.#count += count;
    this.#done = done ?? this.#count;
    // Drawn by a timer of the bar's own; telling it of each of a million would take longer than adding them.
    if (this.#bar !== undefined && this.#count % 256 === 0) this.#update(this.#bar);
  }

  close(): void {
    this.#bar?.stop();
  }

  #update(bar: SingleBar): void {
    bar.update(this.#total === undefined ? 0 : Math.min(this.#done, this.#total), this.#payload());
  }

  #payload(): object {
    const { elapsedMs } = this;
    const share = this.#total === undefined ? 0 : this.#done / this.#total;
    const left = share > 0 && share <= 1 ? `  ${timeText((elapsedMs * (1 - share)) / share)} left` : '';
    return { counted: countText(this.#count), rate: countText((this.#count / Math.max(elapsedMs, 1)) * 1_000), left };
  }
}
