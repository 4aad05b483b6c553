/** How many bytes all clients of a server may have it hold together, of what they are sending or have sent. */
export class ByteBudget {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  /** How many are left. */
  get left(): number {
    return this.#most - this.#held;
  }

  /** Takes some more; false, and takes none, if there are not so many left. */
  take(bytes: number): boolean {
    if (bytes > this.left) return false;
    this.#held += bytes;
    return true;
  }

  /** The same, but whoever is the only one may take more than there is. */
  takeOrBeAlone(bytes: number): boolean {
    if (this.#held > 0 && bytes > this.left) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}
