/** Where a connection reports what nobody is waiting to hear. `console` is one; so is a pino logger. Never given payloads. */
export interface Logger {
  warn(message: string): void;
  error(message: string): void;
}

/** Drops everything: the default, as a library has no business printing. */
export const silentLogger: Logger = Object.freeze({ warn: () => undefined, error: () => undefined });
