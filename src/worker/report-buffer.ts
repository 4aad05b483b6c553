import type { DataDictionary } from '../codec/index.js';
import type { AttemptReport, AttemptVerdict } from '../core/attempt/attempt-report.js';
import type { Attempt } from '../core/attempt/attempt.js';

/** More than a server gets through in the time of one commit gains nothing. */
const mostAtOnce = 2_000;

/** Statements that take so long wait for somebody who has locked a unit, in milliseconds: the others are not to wait for him as well. */
const slowMs = 100;

/** How many statements are under way at most, all but one of them slow. */
const mostUnderWay = 2;

/** A report that is told after the commit of its own batch what became of it: null, or why it was refused or could not be sent. */
export interface ToldReport extends AttemptReport {
  settle(error: unknown): void;
}

/** A report on which somebody waits. Only attempt and data are fields: finishAll refuses reports with others. */
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

/** Sends reports together: what comes while some are under way goes in the next statement. (Two statements at a time are smaller, and cost the server more.) */
export class ReportBuffer {
  readonly #send: (reports: readonly AttemptReport[]) => Promise<readonly AttemptVerdict[]>;
  readonly #onAllSettled: () => void;
  readonly #waiting: ToldReport[] = [];
  #underWay = 0;
  #scheduled = false;
  #slowTimer: NodeJS.Timeout | undefined;

  /** `onAllSettled` is told when all reports of a statement have been. */
  constructor(send: (reports: readonly AttemptReport[]) => Promise<readonly AttemptVerdict[]>, onAllSettled: () => void = () => undefined) {
    this.#send = send;
    this.#onAllSettled = onAllSettled;
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

  /** After what is ready to run now, so that handlers which end in the same turn go together; beside a statement under way only once that is slow. */
  #schedule(): void {
    if (this.#underWay === 0 && !this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        void this.#flush();
      });
    } else if (this.#underWay > 0 && this.#underWay < mostUnderWay) {
      this.#slowTimer ??= setTimeout(() => void this.#flush(), slowMs);
    }
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#slowTimer);
    this.#slowTimer = undefined;
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting.splice(0, mostAtOnce);
    this.#underWay++;
    if (this.#waiting.length > 0) this.#schedule();
    const answer = await this.#send(batch).then(
      (verdicts) => ({ verdicts }),
      (error: unknown) => ({ error }),
    );
    this.#underWay--;
    if (this.#waiting.length > 0) this.#schedule();
    settle(batch, answer);
    this.#onAllSettled();
  }
}

function settle(reports: readonly ToldReport[], answer: { readonly verdicts: readonly AttemptVerdict[] } | { readonly error: unknown }): void {
  if ('error' in answer) {
    for (const report of reports) report.settle(answer.error);
    return;
  }
  let index = 0;
  for (const report of reports) report.settle(answer.verdicts[index++]?.error ?? null);
}
