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

/** A logger that throws must not end what is logged about. */
export function harmless(logger: WorkerLogger): WorkerLogger {
  const line = (level: keyof WorkerLogger) => (message: string, details?: object) => {
    try {
      logger[level](message, ...(details === undefined ? [] : [details]));
    } catch {
      // There is nobody left to tell.
    }
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
