import type { Attempt, AttemptStatus, Namespace, Worker } from 'pg-coordinate';
import { stages } from './flow.js';
import { countsOf } from './progress.js';
import type { LostWorker } from './worker-pool.js';

/** Who did what, out of the queue's own history of attempts: a table of the work specs and one of the workers. */
export async function accountOf(namespace: Namespace, lost: readonly LostWorker[]): Promise<string> {
  const workers = await namespace.workers();
  const past = (await Promise.all(workers.map(pastAttempts))).flat();
  const summary = await namespace.summarize();
  const specs = [...stages, 'result'].map((name) => {
    const attempts = past.filter(({ workUnit }) => workUnit.workSpec.name === name);
    const { finished = 0, failed = 0 } = countsOf(summary, name);
    return [name, finished, failed, attempts.length, number(attempts, 'expired'), seconds(attempts)];
  });
  // The rows of the processes, above those of their workers, have done nothing themselves.
  const busy = workers.filter(({ name }) => past.some(({ worker }) => worker.name === name));
  const people = busy.map(({ name }) => {
    const attempts = past.filter(({ worker }) => worker.name === name);
    return [name, number(attempts, 'finished'), number(attempts, 'expired'), lost.find((worker) => worker.name === name)?.how ?? ''];
  });
  return [
    table([['work spec', 'finished', 'failed', 'attempts', 'expired', 'seconds'], ...specs]),
    '',
    table([['worker', 'finished', 'expired', ''], ...people]),
  ].join('\n');
}

async function pastAttempts(worker: Worker): Promise<Attempt[]> {
  const all: Attempt[] = [];
  for (let page = await worker.allAttempts(); page.length > 0; page = await worker.allAttempts({ after: page.at(-1)!.number })) {
    all.push(...page);
  }
  return all;
}

function number(attempts: readonly Attempt[], status: AttemptStatus): number {
  return attempts.filter((attempt) => attempt.status === status).length;
}

/** From the first attempt's start to the last one's end. */
function seconds(attempts: readonly Attempt[]): string {
  const starts = attempts.map(({ startTime }) => startTime.getTime());
  const ends = attempts.map(({ endTime }) => endTime?.getTime() ?? 0);
  const milliseconds = ends.reduce((a, b) => Math.max(a, b), 0) - starts.reduce((a, b) => Math.min(a, b), Infinity);
  return (milliseconds / 1_000).toFixed(1);
}

function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const line = (row: readonly (string | number)[]): string =>
    row.map((cell, column) => (column === 0 ? String(cell).padEnd(widths[0]!) : String(cell).padStart(widths[column]!))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}
