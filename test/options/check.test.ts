import { InvalidArgumentError } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import {
  checkBoolean,
  checkDate,
  checkDateOrNull,
  checkDuration,
  checkInteger,
  checkList,
  checkName,
  checkNumber,
  checkOptions,
  kindOf,
  maxDurationMs,
} from '../../src/options/index.js';

/** The problem that a check finds with its field. */
function problemOf(check: () => unknown, field = 'field'): string {
  try {
    check();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    const { details, message } = error as InvalidArgumentError;
    expect(details.field).toBe(field);
    expect(message).toBe(`${field}: ${details.problem}`);
    return String(details.problem);
  }
  throw new Error('nothing was found');
}

describe('checkName', () => {
  test.each(['', 'a', 'with \0 in it', 'ünïcode 😀', 'x'.repeat(1_000), 'é'.repeat(500)])('lets %j be', (name) => {
    expect(checkName(name, 'field')).toBe(name);
  });

  test.each([
    [5, 'must be a string, not a number'],
    [null, 'must be a string, not null'],
    [undefined, 'must be a string, not undefined'],
    [['a'], 'must be a string, not an array'],
    [new String('a'), 'must be a string, not an instance of String'],
    ['a\ud800', 'must be well-formed Unicode (it has a lone surrogate)'],
    ['x'.repeat(1_001), 'must be at most 1000 bytes long, not 1001'],
    ['é'.repeat(501), 'must be at most 1000 bytes long, not 1002'],
  ])('refuses %j', (name, problem) => {
    expect(problemOf(() => checkName(name, 'field'))).toBe(problem);
  });

  test('refuses the empty one where that is none', () => {
    expect(problemOf(() => checkName('', 'field', { mayBeEmpty: false }))).toBe('must not be empty');
  });
});

describe('numbers', () => {
  test.each([0, -0, 1.5, -1e308, 5e-324, Number.MAX_SAFE_INTEGER])('checkNumber lets %d be', (number) => {
    expect(checkNumber(number, 'field')).toBe(number);
  });

  test.each([
    ['1', 'must be a number, not a string'],
    [1n, 'must be a number, not a bigint'],
    [null, 'must be a number, not null'],
    [Number.NaN, 'must be a finite number, not NaN'],
    [-Infinity, 'must be a finite number, not -Infinity'],
    [0.9, 'must be at least 1, not 0.9'],
    [3.1, 'must be at most 3, not 3.1'],
  ])('checkNumber from 1 to 3 refuses %s', (number, problem) => {
    expect(problemOf(() => checkNumber(number, 'field', { least: 1, most: 3 }))).toBe(problem);
  });

  test('bounds are allowed themselves', () => {
    expect(checkNumber(1, 'field', { least: 1, most: 3 })).toBe(1);
    expect(checkNumber(3, 'field', { least: 1, most: 3 })).toBe(3);
  });

  test.each([1.5, 2 ** 53, -(2 ** 53), '1', Number.NaN])('checkInteger refuses %s', (number) => {
    problemOf(() => checkInteger(number, 'field'));
  });

  test.each([0, -5, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])('checkInteger lets %d be', (number) => {
    expect(checkInteger(number, 'field')).toBe(number);
  });

  test('checkInteger has a least one', () => {
    expect(problemOf(() => checkInteger(-1, 'field', { least: 0 }))).toBe('must be at least 0, not -1');
  });

  test.each([0, 0.5, 900_000, maxDurationMs])('checkDuration lets %d be', (ms) => {
    expect(checkDuration(ms, 'field')).toBe(ms);
  });

  test.each([-1, -0.001, maxDurationMs + 1, Infinity, '5s', null])('checkDuration refuses %s', (ms) => {
    problemOf(() => checkDuration(ms, 'field'));
  });
});

describe('checkBoolean', () => {
  test('lets true and false be, and nothing else', () => {
    expect([checkBoolean(true, 'field'), checkBoolean(false, 'field')]).toEqual([true, false]);
    for (const value of [0, 1, 'true', null, undefined, new Boolean(true)]) problemOf(() => checkBoolean(value, 'field'));
  });
});

describe('checkDate', () => {
  test.each(['0001-01-01T00:00:00.000Z', '2015-11-20T17:34:21.123Z', '9999-12-31T23:59:59.999Z'])('lets %s be', (time) => {
    const date = new Date(time);
    expect(checkDate(date, 'field')).toBe(date);
  });

  test.each([
    ['2015-11-20', 'must be a Date, not a string'],
    [1_448_028_061_123, 'must be a Date, not a number'],
    [new Date(Number.NaN), 'must be a valid Date'],
    [new Date('0000-12-31T23:59:59.999Z'), 'must be a Date between the years 1 and 9999'],
    [new Date('+010000-01-01T00:00:00.000Z'), 'must be a Date between the years 1 and 9999'],
    [new Date(8.64e15), 'must be a Date between the years 1 and 9999'],
    [null, 'must be a Date, not null'],
  ])('refuses %s', (date, problem) => {
    expect(problemOf(() => checkDate(date, 'field'))).toBe(problem);
  });

  test('may be null where that means something', () => {
    expect(checkDateOrNull(null, 'field')).toBeNull();
    problemOf(() => checkDateOrNull(undefined, 'field'));
    problemOf(() => checkDateOrNull(0, 'field'));
  });
});

describe('checkList', () => {
  const check = (value: unknown, field: string): number => checkNumber(value, field);

  test('checks every member, and names the one that is bad', () => {
    expect(checkList([1, 2], 'field', check)).toEqual([1, 2]);
    expect(checkList([], 'field', check)).toEqual([]);
    expect(problemOf(() => checkList([1, 'two'], 'field', check), 'field[1]')).toBe('must be a number, not a string');
  });

  test.each(['ab', { length: 1, 0: 1 }, new Set([1]), new Uint8Array([1]), null, undefined])('refuses what is no array: %s', (value) => {
    problemOf(() => checkList(value, 'field', check));
  });

  test('a hole is no member', () => {
    const holes: number[] = [];
    holes[1] = 1;
    expect(problemOf(() => checkList(holes, 'field', check), 'field[0]')).toBe('must be a number, not undefined');
  });
});

describe('checkOptions', () => {
  const known = ['limit', 'activeOnly', 'start'] as const;
  const check = (value: unknown): unknown => checkOptions(value as { limit?: number; activeOnly?: boolean; start?: string }, 'field', known);

  test('lets known ones be, and takes undefined for none', () => {
    const options = { limit: 1, start: undefined };
    expect(check(options)).toBe(options);
    expect(check(undefined)).toEqual({});
    expect(check(Object.create(null))).toEqual(Object.create(null));
  });

  test.each([null, [], 'limit', 5, true, () => undefined, Symbol('s')])('refuses %o', (value) => {
    expect(problemOf(() => check(value))).toMatch(/^must be an object, not /);
  });

  test.each([
    ['Limit', 'limit'],
    ['limits', 'limit'],
    ['lmit', 'limit'],
    ['limti', 'limit'],
    ['activeonly', 'activeOnly'],
    ['active_only', 'activeOnly'],
    ['strat', 'start'],
  ])('suggests the right spelling of %s', (given, meant) => {
    expect(problemOf(() => check({ [given]: 1 }), `field.${given}`)).toBe(`is not an option; did you mean "${meant}"?`);
  });

  test.each(['count', 'constructor', '__proto__x', ''])('names those there are when none is close to %j', (given) => {
    expect(problemOf(() => check({ [given]: 1 }), `field.${given}`)).toBe('is not an option; known are limit, activeOnly, start');
  });

  test('a key of the prototype is not a known option', () => {
    expect(problemOf(() => check(JSON.parse('{"__proto__": 1}')), 'field.__proto__')).toMatch(/is not an option/);
  });
});

describe('kindOf', () => {
  test.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['', 'a string'],
    [0, 'a number'],
    [0n, 'a bigint'],
    [true, 'a boolean'],
    [Symbol('s'), 'a symbol'],
    [() => undefined, 'a function'],
    [[], 'an array'],
    [{}, 'an instance of Object'],
    [Object.create(null), 'an instance of Object'],
    [new Date(0), 'an instance of Date'],
    [new (class Mine {})(), 'an instance of Mine'],
  ])('of %o is %s', (value, kind) => {
    expect(kindOf(value)).toBe(kind);
  });
});
