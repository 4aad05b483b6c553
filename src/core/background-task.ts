import type { Logger } from '../database/index.js';

export interface BackgroundTaskOptions {
  /** For messages: "counts could not be folded". */
  readonly failure: string;
  /** After how much work of this process the task is due. */
  readonly every: number;
  readonly run: () => Promise<unknown>;
  readonly logger: Logger;
}

/** At a good moment the task is due after this share of the work. */
const earlyShare = 0.05;

/** Housekeeping that becomes due with work done. Nobody waits for it, and when it fails nothing is lost but tidiness. */
export class BackgroundTask {
  readonly #options: BackgroundTaskOptions;
  #work: number;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: BackgroundTaskOptions) {
    this.#options = options;
    // Somewhere between two runs: of many processes that live for a few calls only, one in so many does the work.
    this.#work = Math.floor(Math.random() * options.every);
  }

  /** Says that so much has been done, and runs the task if that makes it due: sooner at a good moment. */
  count(work = 1, { isGoodMoment = false } = {}): void {
    this.#work += work;
    const due = isGoodMoment ? this.#options.every * earlyShare : this.#options.every;
    if (this.#work < due || this.#running !== undefined || this.#stopped) return;
    this.#work = 0;
    this.#running = this.#run();
  }

  /** Waits for the run under way; there will be no other. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { run, failure, logger } = this.#options;
    try {
      await run();
    } catch (error) {
      logger.warn(`${failure}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#running = undefined;
    }
  }
}
