import { errorRegistry, type ErrorCode } from './registry.js';

/** What is known about an error beyond its code, by name; the values appear in its message. */
export type ErrorDetails = Readonly<Record<string, string | number>>;

/**
 * The base of every error this package raises on purpose. Tell them apart by `code` (stable across versions and transports) or
 * by class; never by the message.
 */
export class CoordinateError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(fillIn(errorRegistry[code].text, details), options);
    this.name = `${code}Error`;
    this.code = code;
    this.details = details;
  }

  /** The HTTP status the REST interface answers with. */
  get status(): number {
    return errorRegistry[this.code].status;
  }
}

/** One pass, so that a detail that itself contains `{name}` is not expanded again. */
function fillIn(text: string, details: ErrorDetails): string {
  return text.replaceAll(/\{(\w+)\}/g, (hole, name: string) => String(details[name] ?? hole));
}
