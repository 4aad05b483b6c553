import { databaseClock, InvalidArgumentError } from 'pg-coordinate';
import { ManualClock } from 'pg-coordinate/testing';
import { describe, expect, test } from 'vitest';

describe('ManualClock', () => {
  test('stands still at the beginning of the year 2000, or where it is told to', () => {
    expect(new ManualClock().now()).toEqual(new Date('2000-01-01T00:00:00Z'));
    const start = new Date('2015-11-20T17:34:21.123Z');
    const clock = new ManualClock(start);
    expect(clock.now()).toEqual(start);
    expect(clock.now()).toEqual(start);
  });

  test('moves on, and back, by what it is told, and says where it is then', () => {
    const clock = new ManualClock();
    expect(clock.advance(1_500)).toEqual(new Date('2000-01-01T00:00:01.500Z'));
    expect(clock.now()).toEqual(new Date('2000-01-01T00:00:01.500Z'));
    expect(clock.advance(-2_000)).toEqual(new Date('1999-12-31T23:59:59.500Z'));
    expect(clock.advance(0)).toEqual(new Date('1999-12-31T23:59:59.500Z'));
  });

  test('has the precision of milliseconds', () => {
    const clock = new ManualClock();
    clock.advance(0.75);
    clock.advance(0.75);
    expect(clock.now()).toEqual(new Date('2000-01-01T00:00:00Z'));
  });

  test('jumps', () => {
    const clock = new ManualClock();
    clock.set(new Date('2999-12-31T00:00:00Z'));
    expect(clock.now()).toEqual(new Date('2999-12-31T00:00:00Z'));
  });

  test('is not moved by changing a date that it was given, or has given', () => {
    const date = new Date('2015-11-20T00:00:00Z');
    const clock = new ManualClock(date);
    date.setFullYear(1999);
    clock.now().setFullYear(1999);
    clock.advance(0).setFullYear(1999);
    expect(clock.now()).toEqual(new Date('2015-11-20T00:00:00Z'));
  });

  test.each<[string, (clock: ManualClock) => unknown]>([
    ['start', () => new ManualClock(new Date(Number.NaN))],
    ['start', () => new ManualClock('2015-11-20' as never)],
    ['start', () => new ManualClock(null as never)],
    ['ms', (clock) => clock.advance(Number.NaN)],
    ['ms', (clock) => clock.advance(Infinity)],
    ['ms', (clock) => clock.advance(8.64e15 * 2)],
    ['ms', (clock) => clock.advance(undefined as never)],
    ['ms', (clock) => clock.advance('1' as never)],
    ['time', (clock) => clock.set(new Date(Number.NaN))],
    ['time', (clock) => clock.set(0 as never)],
  ])('refuses a bad %s (%s), and stays where it was', (field, action) => {
    const clock = new ManualClock();
    expect(() => action(clock)).toThrow(InvalidArgumentError);
    expect(() => action(clock)).toThrow(expect.objectContaining({ details: expect.objectContaining({ field }) as unknown }));
    expect(clock.now()).toEqual(new Date('2000-01-01T00:00:00Z'));
  });
});

test('the database’s clock knows no time of its own, and cannot be changed', () => {
  expect(databaseClock.now()).toBeNull();
  expect(Object.isFrozen(databaseClock)).toBe(true);
});
