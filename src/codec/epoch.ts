import { CborFloat } from './cbor-float.js';

/** The last second a Date can hold, in either direction from 1970. */
const MAX_SECONDS = 8.64e12;

/** What a date is around in CBOR, tag 1: whole seconds as an integer, others as a float. */
export function secondsOfDate(date: Date): number {
  return date.getTime() / 1000;
}

/**
 * The date of seconds since 1970, to the millisecond; undefined where a Date would lose something: a fraction finer than
 * milliseconds, or a time out of its range, or no number at all.
 */
export function dateOfSeconds(value: unknown): Date | undefined {
  const seconds = value instanceof CborFloat ? value.valueOf() : value;
  if (typeof seconds !== 'number' || !(Math.abs(seconds) <= MAX_SECONDS) || Object.is(seconds, -0)) return undefined;
  const rounded = Math.round(seconds * 1000);
  // Far from 1970 the product is off by one at times.
  for (const ms of [rounded, rounded - 1, rounded + 1]) {
    if (ms / 1000 === seconds) return new Date(ms);
  }
  return undefined;
}
