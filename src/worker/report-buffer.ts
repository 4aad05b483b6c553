import type { AttemptReport, AttemptVerdict } from '../core/attempt/attempt-report.js';
import type { CoordinateError } from '../errors/index.js';

/** More than a server gets through in the time of one commit gains nothing. */
const mostAtOnce = 1_000;

/** While one batch waits for the disk the next is on its way. */
const mostUnderWay = 2;

interface Waiting {
  readonly report: AttemptReport;
  readonly resolve: (error: CoordinateError | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends reports that come at about the same time together. Each call resolves after the commit of its own batch, to what became of
 * the attempt: null, or why the report was refused.
 */
export class ReportBuffer {
  readonly #send: (reports: readonly AttemptReport[]) => Promise<readonly AttemptVerdict[]>;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #scheduled = false;

  constructor(send: (reports: readonly AttemptReport[]) => Promise<readonly AttemptVerdict[]>) {
    this.#send = send;
  }

  add(report: AttemptReport): Promise<CoordinateError | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ report, resolve, reject });
      this.#schedule();
    });
  }

  /** After what is ready to run now, so that handlers which end in the same turn go together. */
  #schedule(): void {
    if (this.#scheduled || this.#underWay >= mostUnderWay) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#waiting.length > 0 && this.#underWay < mostUnderWay) void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting.slice(0, mostAtOnce);
    this.#waiting = this.#waiting.slice(mostAtOnce);
    this.#underWay++;
    try {
      const verdicts = await this.#send(batch.map(({ report }) => report));
      for (const [index, { resolve }] of batch.entries()) resolve(verdicts[index]?.error ?? null);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#underWay--;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }
}
