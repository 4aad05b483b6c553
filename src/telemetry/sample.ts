/** Some of many, each as likely as any other: so many at most are kept, however many come. */
export class Sample<T> {
  readonly #most: number;
  readonly #random: () => number;
  #items: T[] = [];
  #seen = 0;

  constructor(most: number, random: () => number) {
    this.#most = most;
    this.#random = random;
  }

  add(item: T): void {
    this.#seen++;
    if (this.#items.length < this.#most) {
      this.#items.push(item);
      return;
    }
    const place = Math.floor(this.#random() * this.#seen);
    if (place < this.#most) this.#items[place] = item;
  }

  /** What was kept since the last time. */
  take(): T[] {
    const taken = this.#items;
    this.#items = [];
    this.#seen = 0;
    return taken;
  }
}
