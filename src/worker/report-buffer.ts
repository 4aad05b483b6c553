import type { DataDictionary } from '../codec/index.js';
import type { AttemptReport, AttemptVerdict } from '../core/attempt/attempt-report.js';
import type { Attempt } from '../core/attempt/attempt.js';

/** More than a server gets through in the time of one commit gains nothing. */
const mostAtOnce = 1_000;

/** While one batch waits for the disk the next is on its way. */
const mostUnderWay = 2;

/** A report that is told after the commit of its own batch what became of it: null, or why it was refused or could not be sent. */
export interface ToldReport extends AttemptReport {
  settle(error: unknown): void;
}

/** A report on which somebody waits. */
class AwaitedReport implements ToldReport {
  readonly attempt: Attempt;
  readonly data: DataDictionary | undefined;
  readonly #settle: (error: unknown) => void;

  constructor({ attempt, data }: AttemptReport, settle: (error: unknown) => void) {
    this.attempt = attempt;
    this.data = data;
    this.#settle = settle;
  }

  settle(error: unknown): void {
    this.#settle(error);
  }
}

/** Sends reports that come at about the same time together. */
export class ReportBuffer {
  readonly #send: (reports: readonly AttemptReport[]) => Promise<readonly AttemptVerdict[]>;
  #waiting: ToldReport[] = [];
  #underWay = 0;
  #scheduled = false;

  constructor(send: (reports: readonly AttemptReport[]) => Promise<readonly AttemptVerdict[]>) {
    this.#send = send;
  }

  add(report: ToldReport): void {
    this.#waiting.push(report);
    this.#schedule();
  }

  /** The same as a promise, which rejects with why it was refused or could not be sent. */
  send(report: AttemptReport): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown): void => {
        if (error === null) resolve();
        else reject(error instanceof Error ? error : new Error('the report could not be sent', { cause: error }));
      };
      this.add(new AwaitedReport(report, settle));
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
      const verdicts = await this.#send(batch);
      batch.forEach((report, index) => report.settle(verdicts[index]?.error ?? null));
    } catch (error) {
      for (const report of batch) report.settle(error);
    } finally {
      this.#underWay--;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }
}
