import type { Output } from './output.js';

/** Lines at the bottom of a terminal that are drawn again and again, while others scroll by above them. Elsewhere there are only the others. */
export class StatusArea {
  readonly #output: Output;
  #text = '';
  #height = 0;
  /** One write after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(output: Output) {
    this.#output = output;
  }

  draw(text: string): Promise<void> {
    if (!this.#output.isTerminal) return Promise.resolve();
    return this.#write(() => {
      this.#text = text;
      return this.#erase() + this.#show();
    });
  }

  /** A line that stays. */
  above(line: string): Promise<void> {
    return this.#write(() => `${this.#erase()}${line}\n${this.#show()}`);
  }

  /** Leaves nothing of the area. */
  close(): Promise<void> {
    return this.#write(() => {
      this.#text = '';
      return this.#erase();
    });
  }

  #write(text: () => string): Promise<void> {
    this.#turn = this.#turn.then(
      () => this.#output.write(text()),
      // Nobody looks any more: the work goes on.
      () => undefined,
    );
    return this.#turn.catch(() => undefined);
  }

  #erase(): string {
    const up = this.#height > 0 ? `\u001B[${this.#height}A\r\u001B[J` : '';
    this.#height = 0;
    return up;
  }

  #show(): string {
    if (this.#text === '') return '';
    // A line that wraps would count as one and leave the rest of it behind.
    const lines = this.#text.split('\n').map((line) => line.slice(0, this.#output.columns - 1));
    this.#height = lines.length;
    return `${lines.join('\n')}\n`;
  }
}
