import { MalformedRequestError } from '../../errors/index.js';

/** How "no time" is written. */
export const zeroTime = '0001-01-01T00:00:00Z';
const zeroMs = Date.parse('0001-01-01T00:00:00.000Z');

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/i;

/** A time in RFC 3339; null is the zero time. */
export function timeToWire(time: Date | null): string {
  return time === null ? zeroTime : time.toISOString();
}

/**
 * Reads a time with any offset, cut to milliseconds. The zero time, null and an absent member are null; the zero time with a fraction,
 * as `timeToWire` writes the first moment of the year 1, is that moment. Raises MalformedRequest.
 */
export function timeFromWire(value: unknown, field: string): Date | null {
  if (value === undefined || value === null) return null;
  const ms = typeof value === 'string' ? millisecondsOf(value) : Number.NaN;
  if (typeof value !== 'string' || Number.isNaN(ms)) throw new MalformedRequestError(`"${field}" must be a time such as 2026-11-20T08:55:24Z`);
  return ms === zeroMs && !value.includes('.') ? null : new Date(ms);
}

/** NaN for what is no such time. `Date.parse` alone takes much else, and turns the 30th of February into a day of March. */
function millisecondsOf(text: string): number {
  const match = RFC3339.exec(text);
  if (match === null) return Number.NaN;
  const [, seconds = '', fraction = '', offset = ''] = match;
  const local = seconds.toUpperCase();
  const ms = fraction.slice(0, 3).padEnd(3, '0');
  const asUtc = new Date(`${local}.${ms}Z`);
  if (Number.isNaN(asUtc.getTime()) || !asUtc.toISOString().startsWith(local)) return Number.NaN;
  return Date.parse(`${local}.${ms}${offset.toUpperCase()}`);
}
