/** The errors of a database's own statements: one that a caller's code throws about something else may have the same code. */
export class OwnErrors {
  readonly #errors = new WeakSet();

  /** Remembers how a statement of ours fails, if it does. */
  async of<T>(statement: Promise<T>): Promise<T> {
    try {
      return await statement;
    } catch (error) {
      this.add(error);
      throw error;
    }
  }

  add(error: unknown): void {
    if (typeof error === 'object' && error !== null) this.#errors.add(error);
  }

  has(error: unknown): boolean {
    return typeof error === 'object' && error !== null && this.#errors.has(error);
  }
}
