import { onTestFinished } from 'vitest';
import { workSignal } from '../../src/core/notify/work-signal.js';
import type { Namespace, PostgresCoordinate, WorkSpec } from '../../src/index.js';
import { createWorker, type WorkerLogger, type WorkerOptions, type WorkerRuntime } from '../../src/worker/index.js';
import { until } from '../database/until.js';
import type { TestDatabase } from '../support/database.js';

/** A worker that has started, with a connection of its own. */
export interface Running {
  readonly worker: WorkerRuntime;
  readonly coordinate: PostgresCoordinate;
  readonly namespace: Namespace;
  /** What the worker has logged: level, then message. */
  readonly lines: readonly string[];
}

/** Starts a worker, which is stopped at the end of the test. It polls so seldom that only notifications can wake it. */
export async function runWorker<Jobs>(
  database: TestDatabase,
  options: Omit<WorkerOptions<Jobs>, 'coordinate'>,
): Promise<Running> {
  const coordinate = await database.connect();
  const lines: string[] = [];
  const worker = createWorker<Jobs>({ pollMs: 3_600_000, logger: loggerTo(lines), ...options, coordinate });
  onTestFinished(() => worker.stop());
  await worker.start();
  const namespace = await coordinate.namespace(options.namespace);
  // It starts all the same if that takes more than two seconds, and would not hear of what is cancelled.
  await until('it hears notifications', () => workSignal(namespace).connected);
  return { worker, coordinate, namespace, lines };
}

export function loggerTo(lines: string[]): WorkerLogger {
  const line = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** Until the units of a spec have these statuses, and no others. */
export async function untilCounts(spec: WorkSpec, counts: Readonly<Record<string, number>>): Promise<void> {
  let seen = '';
  const wanted = JSON.stringify(Object.entries(counts).sort());
  await until(`${spec.name} has ${wanted}`, async () => {
    seen = JSON.stringify(Object.entries(await spec.countWorkUnitStatus()).sort());
    return seen === wanted;
  }).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; it has ${seen}`);
  });
}
