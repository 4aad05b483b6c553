import type { SummaryRow, WorkUnitStatus } from 'pg-coordinate';
import { stages } from './flow.js';

/** How many units of a work spec have which status. */
export type Counts = Readonly<Partial<Record<WorkUnitStatus, number>>>;

/** The counts of one work spec out of a summary. */
export function countsOf(summary: readonly SummaryRow[], workSpec: string): Counts {
  return Object.fromEntries(summary.filter((row) => row.workSpec === workSpec).map(({ status, count }) => [status, count]));
}

export function totalOf(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

const barWidth = 30;
const plainEveryMs = 2_000;

/** Shows how far the job is: on a terminal a few lines that are drawn again and again, otherwise a line now and then. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #started = new Map<string, number>();
  #drawn = 0;
  #lastPlain = Number.NEGATIVE_INFINITY;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  /** A line that stays. */
  say(line: string): void {
    this.#clear();
    this.#out.write(`${line}\n`);
  }

  show(summary: readonly SummaryRow[], { last = false } = {}): void {
    const lines = stages.map((stage) => this.#line(stage, countsOf(summary, stage)));
    if (this.#out.isTTY) {
      this.#clear();
      this.#out.write(lines.map((line) => `${cut(line, this.#out)}\n`).join(''));
      this.#drawn = last ? 0 : lines.length;
    } else if (last || performance.now() >= this.#lastPlain + plainEveryMs) {
      this.#lastPlain = performance.now();
      this.#out.write(`${lines.map((line) => line.replaceAll(/ +/g, ' ')).join(' | ')}\n`);
    }
  }

  /** Goes back over what was drawn. */
  #clear(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }

  #line(stage: string, counts: Counts): string {
    const [finished, total] = [counts.finished ?? 0, totalOf(counts)];
    const share = total === 0 ? 0 : finished / total;
    const bar = '#'.repeat(Math.floor(share * barWidth)).padEnd(barWidth, '.');
    const figures = `${stage.padEnd(6)} ${this.#out.isTTY ? `[${bar}] ` : ''}${String(finished).padStart(5)} of ${String(total).padEnd(5)}`;
    return `${figures}  ${this.#pace(stage, finished, total)}`.trimEnd();
  }

  #pace(stage: string, finished: number, total: number): string {
    if (finished === 0) return '';
    const now = performance.now();
    const started = this.#started.get(stage) ?? now;
    this.#started.set(stage, started);
    if (finished === total) return 'done';
    const perSecond = finished / ((now - started) / 1_000);
    if (!Number.isFinite(perSecond)) return '';
    return `${perSecond.toFixed(0)} a second, ${((total - finished) / perSecond).toFixed(1)} s left`;
  }
}

/** A line that wraps could not be drawn over. */
function cut(line: string, out: NodeJS.WriteStream): string {
  const { columns } = out;
  return columns > 0 ? line.slice(0, columns - 1) : line;
}
