import { pino, stdTimeFunctions, type DestinationStream } from 'pino';
import type { WorkerLogger } from '../worker/worker-logger.js';

/** What a logger of pino has, or one that takes its arguments in the same order. */
export interface ObjectFirstLogger {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/**
 * A logger of pino as one of this package's: for `connect()`, `createWorker()` and `serveRest()`.
 *
 * @example
 * const logger = fromPino(pino({ name: 'shop' }));
 */
export function fromPino(logger: ObjectFirstLogger): WorkerLogger {
  const line = (level: keyof ObjectFirstLogger) => (message: string, details?: object): void => logger[level](details ?? {}, message);
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

export interface JsonLoggerOptions {
  /** The least that is told. @default 'info' */
  readonly level?: 'debug' | 'info' | 'warn' | 'error';
  /** Where lines go. @default standard error, each line before the call returns */
  readonly destination?: DestinationStream;
}

/** Tells each message as an object of JSON on a line of its own: `level`, `time` (RFC 3339), `msg`, and the details. */
export function jsonLogger({ level = 'info', destination = pino.destination({ fd: 2, sync: true }) }: JsonLoggerOptions = {}): WorkerLogger {
  const formatters = { level: (label: string) => ({ level: label }) };
  return fromPino(pino({ level, base: null, timestamp: stdTimeFunctions.isoTime, formatters }, destination));
}
