import { CborFloat } from '../../codec/index.js';
import { MalformedRequestError } from '../../errors/index.js';
import { durationFromWire } from './duration.js';
import { timeFromWire } from './time.js';

/** A body that has been read: an object whose members are yet to be checked. */
export type Body = Readonly<Record<string, unknown>>;

/*
 * Each of these reads one member of a body, and raises MalformedRequest when it is of another type. A member that is absent or null
 * has the zero value of its type, as in Go, whose clients send whole structures.
 */

/** Undefined when absent or null; own members only. */
export function member(body: Body, name: string): unknown {
  return Object.hasOwn(body, name) ? (body[name] ?? undefined) : undefined;
}

export function textMember(body: Body, name: string): string {
  const value = member(body, name) ?? '';
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  return value;
}

export function flagMember(body: Body, name: string): boolean {
  const value = member(body, name) ?? false;
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false');
  return value;
}

export function numberMember(body: Body, name: string): number {
  const value = member(body, name) ?? 0;
  const number = typeof value === 'bigint' || value instanceof CborFloat ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw wrongType(name, 'a number');
  return number;
}

/** A whole number, also one written as 7.0 or 6e10; a bigint where a number would not be exact. */
export function integerMember(body: Body, name: string): number | bigint {
  const value = member(body, name) ?? 0;
  if (typeof value === 'bigint') return value;
  const number = value instanceof CborFloat ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) throw wrongType(name, 'a whole number');
  return number;
}

/** Nanoseconds, as milliseconds. */
export function durationMember(body: Body, name: string): number {
  return durationFromWire(integerMember(body, name));
}

/** The zero time is null. */
export function timeMember(body: Body, name: string): Date | null {
  return timeFromWire(member(body, name), name);
}

/** Undefined when absent or null. */
export function objectMember(body: Body, name: string): Body | undefined {
  const value = member(body, name);
  if (value === undefined) return undefined;
  return asBody(value, `"${name}"`);
}

/** Empty when absent or null: some servers write null for an empty list. */
export function listMember(body: Body, name: string): readonly unknown[] {
  const value = member(body, name) ?? [];
  if (!Array.isArray(value)) throw wrongType(name, 'a list');
  return value as unknown[];
}

/** Undefined when absent or null. */
export function textListMember(body: Body, name: string): readonly string[] | undefined {
  if (member(body, name) === undefined) return undefined;
  return listMember(body, name).map((item) => {
    if (typeof item !== 'string') throw wrongType(name, 'a list of strings');
    return item;
  });
}

/** One of a few words; undefined when absent, null or empty. */
export function wordMember<Word extends string>(body: Body, name: string, words: readonly Word[]): Word | undefined {
  const text = textMember(body, name);
  if (text === '') return undefined;
  const word = words.find((known) => known === text);
  if (word === undefined) throw wrongType(name, `one of ${words.join(', ')}`);
  return word;
}

/** An object whose members may be read. */
export function asBody(value: unknown, what: string): Body {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof CborFloat || value instanceof Map) {
    throw new MalformedRequestError(`${what} must be an object`);
  }
  return value as Body;
}

function wrongType(name: string, type: string): MalformedRequestError {
  return new MalformedRequestError(`"${name}" must be ${type}`);
}
