import type { Logger } from '../database/index.js';

/** Where a worker and its handlers report. `console` is one. Never given payloads or secrets by the worker itself. */
export interface WorkerLogger extends Logger {
  debug(message: string, details?: object): void;
  info(message: string, details?: object): void;
  warn(message: string, details?: object): void;
  error(message: string, details?: object): void;
}

/** Drops everything: the default. */
export const silentWorkerLogger: WorkerLogger = Object.freeze({
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
});
