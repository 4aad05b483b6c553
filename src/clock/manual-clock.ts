import { InvalidArgumentError } from '../errors/index.js';
import type { Clock } from './clock.js';

/** A century before the last year that every client can express: leases and delays end later than now. */
const latest = Date.UTC(9800, 0, 1);
const earliest = new Date('0001-01-01T00:00:00Z').getTime();

/** A clock that stands still until it is told to move: tests step through a year in milliseconds. Millisecond precision. */
export class ManualClock implements Clock {
  #now: number;

  /** Starts at the given time, by default 2000-01-01T00:00:00Z. */
  constructor(start: Date = new Date('2000-01-01T00:00:00Z')) {
    this.#now = timeOf(start, 'start');
  }

  now(): Date {
    return new Date(this.#now);
  }

  /** Moves on by so many milliseconds; a negative number goes back, as clocks of servers sometimes do. */
  advance(ms: number): Date {
    this.#now = timeOf(new Date(this.#now + ms), 'ms');
    return this.now();
  }

  /** Jumps to a time. */
  set(time: Date): void {
    this.#now = timeOf(time, 'time');
  }
}

function timeOf(date: unknown, field: string): number {
  const ms = date instanceof Date ? date.getTime() : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError(field, 'must be a valid time');
  if (ms < earliest || ms > latest) throw new InvalidArgumentError(field, 'must stay between the years 1 and 9800');
  return ms;
}
