import type { Logger } from '../../database/index.js';

/** How many changes one run folds at most. */
export const foldLimit = 20_000;

/** After how many changes written by this process it folds what has come together. */
const foldEvery = 500;

/** Folds the changes of counts in the background, every so many changes that this process has written. */
export class CountFolder {
  readonly #fold: () => Promise<unknown>;
  readonly #logger: Logger;
  #written = 0;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(fold: () => Promise<unknown>, logger: Logger) {
    this.#fold = fold;
    this.#logger = logger;
  }

  /** Says that a statement has written a change of a count. */
  wrote(): void {
    this.#written++;
    if (this.#written < foldEvery || this.#running !== undefined || this.#stopped) return;
    this.#written = 0;
    this.#running = this.#run();
  }

  /** Waits for the run under way; there will be no other. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      await this.#fold();
    } catch (error) {
      // The counts stay right, and the next run makes up for it.
      this.#logger.warn(`counts could not be folded: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#running = undefined;
    }
  }
}
