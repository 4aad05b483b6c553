import type { Output } from './output.js';

const toTop = '\u001B[H';
const clearLine = '\u001B[K';
const clearBelow = '\u001B[J';
const enter = '\u001B[?1049h\u001B[?25l';
const leave = '\u001B[?25h\u001B[?1049l';

/**
 * Text that is drawn again and again: on a terminal in place, on a screen of its own that is gone afterwards; elsewhere one below the
 * other, with an empty line between them.
 */
export class Screen {
  readonly #output: Output;
  #drawn = '';

  constructor(output: Output) {
    this.#output = output;
  }

  async draw(text: string): Promise<void> {
    const output = this.#output;
    if (!output.isTerminal) {
      await output.write(`${this.#drawn === '' ? '' : '\n'}${text}\n`);
      this.#drawn = text;
      return;
    }
    const lines = text.split('\n').slice(0, output.rows - 1);
    const start = this.#drawn === '' ? enter : '';
    this.#drawn = text;
    await output.write(`${start}${toTop}${lines.map((line) => `${line}${clearLine}`).join('\n')}\n${clearBelow}`);
  }

  /** Gives the terminal back as it was, with what was drawn last below it. */
  async close(): Promise<void> {
    if (!this.#output.isTerminal || this.#drawn === '') return;
    await this.#output.write(`${leave}${this.#drawn}\n`);
  }
}
