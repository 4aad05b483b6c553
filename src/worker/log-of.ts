import type { Attempt } from '../core/attempt/attempt.js';
import type { WorkerLogger } from './worker-logger.js';

/** The logger of one attempt: each line says which it is. */
export function logOf(logger: WorkerLogger, { number, workUnit }: Attempt): WorkerLogger {
  const of = { workSpec: workUnit.workSpec.name, workUnit: workUnit.name, attempt: number };
  const line = (level: keyof WorkerLogger) => (message: string, details?: object) =>
    logger[level](`${of.workSpec} ${of.workUnit}: ${message}`, { ...of, ...details });
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
