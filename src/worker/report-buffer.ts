import type { AttemptReport, AttemptVerdict } from '../core/attempt/attempt-report.js';

/** More than a server gets through in the time of one commit gains nothing. */
const mostAtOnce = 1_000;

/** While one batch waits for the disk the next is on its way. */
const mostUnderWay = 2;

interface Waiting {
  readonly report: AttemptReport;
  readonly settle: (error: unknown) => void;
}

/**
 * Sends reports that come at about the same time together. Each is told after the commit of its own batch what became of it: null, or
 * why it was refused or could not be sent.
 */
export class ReportBuffer {
  readonly #send: (reports: readonly AttemptReport[]) => Promise<readonly AttemptVerdict[]>;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #scheduled = false;

  constructor(send: (reports: readonly AttemptReport[]) => Promise<readonly AttemptVerdict[]>) {
    this.#send = send;
  }

  add(report: AttemptReport, settle: (error: unknown) => void): void {
    this.#waiting.push({ report, settle });
    this.#schedule();
  }

  /** The same as a promise, which rejects with why it was refused or could not be sent. */
  send(report: AttemptReport): Promise<void> {
    return new Promise((resolve, reject) => {
      this.add(report, (error) => {
        if (error === null) resolve();
        else reject(error instanceof Error ? error : new Error('the report could not be sent', { cause: error }));
      });
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
      batch.forEach(({ settle }, index) => settle(verdicts[index]?.error ?? null));
    } catch (error) {
      for (const { settle } of batch) settle(error);
    } finally {
      this.#underWay--;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }
}
