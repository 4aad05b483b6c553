import { InvalidArgumentError } from '../errors/index.js';

/** Longest name of anything, in bytes of UTF-8. */
export const maxNameBytes = 1_000;

/** Longest time anything may be told to last, in milliseconds: a century. Keeps every sum within what PostgreSQL can hold. */
export const maxDurationMs = 100 * 365.25 * 24 * 3_600_000;

/** The name of a namespace, work spec or worker. */
export function checkName(value: unknown, field: string, { mayBeEmpty = true } = {}): string {
  if (typeof value !== 'string') throw new InvalidArgumentError(field, `must be a string, not ${kindOf(value)}`);
  if (!value.isWellFormed()) throw new InvalidArgumentError(field, 'must be well-formed Unicode (it has a lone surrogate)');
  if (!mayBeEmpty && value === '') throw new InvalidArgumentError(field, 'must not be empty');
  if (Buffer.byteLength(value) > maxNameBytes) {
    throw new InvalidArgumentError(field, `must be at most ${maxNameBytes} bytes long, not ${Buffer.byteLength(value)}`);
  }
  return value;
}

/** A finite number, optionally within bounds. */
export function checkNumber(
  value: unknown,
  field: string,
  { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = {},
): number {
  if (typeof value !== 'number') throw new InvalidArgumentError(field, `must be a number, not ${kindOf(value)}`);
  if (!Number.isFinite(value)) throw new InvalidArgumentError(field, `must be a finite number, not ${value}`);
  if (value < least) throw new InvalidArgumentError(field, `must be at least ${least}, not ${value}`);
  if (value > most) throw new InvalidArgumentError(field, `must be at most ${most}, not ${value}`);
  return value;
}

/** A whole number that JavaScript holds exactly. */
export function checkInteger(
  value: unknown,
  field: string,
  { least = Number.MIN_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER } = {},
): number {
  const number = checkNumber(value, field, { least, most });
  if (!Number.isInteger(number)) throw new InvalidArgumentError(field, `must be a whole number, not ${number}`);
  return number;
}

/** A duration in milliseconds, zero included. */
export function checkDuration(value: unknown, field: string): number {
  return checkNumber(value, field, { least: 0, most: maxDurationMs });
}

export function checkBoolean(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw new InvalidArgumentError(field, `must be true or false, not ${kindOf(value)}`);
  return value;
}

/** A time between the years 1 and 9999, which every client of the queue can express. */
export function checkDate(value: unknown, field: string): Date {
  if (!(value instanceof Date)) throw new InvalidArgumentError(field, `must be a Date, not ${kindOf(value)}`);
  const year = value.getUTCFullYear();
  if (Number.isNaN(year)) throw new InvalidArgumentError(field, 'must be a valid Date');
  if (year < 1 || year > 9999) throw new InvalidArgumentError(field, 'must be a Date between the years 1 and 9999');
  return value;
}

export function checkDateOrNull(value: unknown, field: string): Date | null {
  return value === null ? null : checkDate(value, field);
}

/** An array whose members are checked one by one. */
export function checkList<T>(value: unknown, field: string, check: (item: unknown, field: string) => T): T[] {
  return checkEach(value, field, (item, fieldOf) => check(item, fieldOf()));
}

/** The same for many members: the name of one is made only if something is wrong with it. It is to be asked for before `check` returns. */
export function checkEach<T>(value: unknown, field: string, check: (item: unknown, fieldOf: () => string) => T): T[] {
  if (!Array.isArray(value)) throw new InvalidArgumentError(field, `must be an array, not ${kindOf(value)}`);
  const checked: T[] = [];
  // By index, which also visits the holes of a sparse array.
  let index = 0;
  const fieldOf = (): string => `${field}[${index}]`;
  for (; index < value.length; index++) checked.push(check(value[index], fieldOf));
  return checked;
}

/**
 * An options object: checks that it is one and that it has none but the known keys, so that a misspelt option is an error
 * instead of a silent default.
 */
export function checkOptions<T extends object>(
  value: T | undefined,
  field: string | (() => string),
  known: readonly (keyof T & string)[],
): T {
  if (value === undefined) return {} as T;
  const name = (): string => (typeof field === 'string' ? field : field());
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(name(), `must be an object, not ${kindOf(value)}`);
  }
  // Not Object.keys: this runs for each of a thousand reports, and would leave an array for each.
  for (const key in value) {
    if ((known as readonly string[]).includes(key) || !Object.hasOwn(value, key)) continue;
    const close = known.find((option) => isClose(option, key));
    const hint = close === undefined ? `known are ${known.join(', ')}` : `did you mean "${close}"?`;
    throw new InvalidArgumentError(`${name()}.${key}`, `is not an option; ${hint}`);
  }
  return value;
}

/** What a value is, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`;
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`;
}

/** Whether two words differ by case or by at most two edits. */
export function isClose(known: string, given: string): boolean {
  const [a, b] = [known.toLowerCase(), given.toLowerCase()];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return (row[b.length] ?? 0) <= 2;
}
