import { inspect } from 'node:util';
import { AttemptNumber, type AttemptNumbers } from './attempt-numbers.js';

/** The first difference between two values made of primitives, lists, plain objects and AttemptNumbers; null when there is none. */
export function difference(real: unknown, reference: unknown, numbers: AttemptNumbers, path = ''): string | null {
  if (real instanceof AttemptNumber && reference instanceof AttemptNumber) {
    const problem = numbers.match(real, reference);
    return problem === null ? null : `${path}: ${real.number} for the reference's ${reference.number} ${problem}`;
  }
  if (!isObject(real) || !isObject(reference)) return Object.is(real, reference) ? null : differ(path, real, reference);
  if (Array.isArray(real) !== Array.isArray(reference)) return differ(path, real, reference);
  if (Array.isArray(real) && Array.isArray(reference) && real.length !== reference.length) return differ(path, real, reference);
  for (const key of new Set([...Object.keys(real), ...Object.keys(reference)])) {
    const step = Array.isArray(real) ? `[${key}]` : `.${key}`;
    const found = difference(real[key], reference[key], numbers, path + step);
    if (found !== null) return found;
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function differ(path: string, real: unknown, reference: unknown): string {
  return `${path}\n      real:      ${show(real)}\n      reference: ${show(reference)}`;
}

/** A value as it would be written in code, more or less, on one line. */
export function show(value: unknown): string {
  return inspect(value, { depth: null, breakLength: Number.POSITIVE_INFINITY, compact: true, maxArrayLength: 50 });
}
