import { parse, stringify } from 'lossless-json';
import { CborFloat } from '../../codec/index.js';
import { MalformedRequestError } from '../../errors/index.js';
import { losesNumbers } from './survey-json.js';

/**
 * Reads JSON and keeps its numbers: `1` is 1, `1.0` a CborFloat, 64-bit integers beyond 2^53 are bigints. Of a member that comes
 * twice the last one holds, as for `JSON.parse`. Raises MalformedRequest, also when there are more values than there may be.
 */
export function parseJson(text: string, mostValues?: number): unknown {
  try {
    if (!losesNumbers(text, mostValues)) return JSON.parse(text);
    return parse(text, undefined, { parseNumber, onDuplicateKey: ({ newValue }) => newValue });
  } catch (error) {
    if (error instanceof MalformedRequestError) throw error;
    throw new MalformedRequestError(`the body is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Writes JSON and keeps its numbers: the inverse of `parseJson`. Floats that JSON cannot hold must not be in it. */
export function stringifyJson(value: unknown): string {
  return (isPlain(value) ? JSON.stringify(value) : stringify(value, undefined, undefined, numberStringifiers)) ?? 'null';
}

function parseNumber(text: string): unknown {
  if (/[.eE]/.test(text)) return floatOf(text);
  // As an integer there is but one zero.
  const integer = BigInt(text);
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

function floatOf(text: string): unknown {
  const float = Number(text);
  if (!Number.isFinite(float)) throw new MalformedRequestError(`the number ${text.slice(0, 40)} is too large`);
  return Number.isSafeInteger(float) && !Object.is(float, -0) ? new CborFloat(float) : float;
}

const numberStringifiers = [
  { test: (value: unknown) => value instanceof CborFloat, stringify: (value: unknown) => floatText(Number(value)) },
  {
    test: (value: unknown) => typeof value === 'number',
    stringify: (value: unknown) => (isPlain(value) ? String(value) : floatText(value as number)),
  },
];

/** A plain number that is not a safe integer is a float, and must be written so that it is read as one. */
function floatText(float: number): string {
  const text = Object.is(float, -0) ? '-0' : String(float);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Whether `JSON.stringify` writes it as it is meant. */
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? Number.isSafeInteger(value) && !Object.is(value, -0) : true;
    case 'bigint':
      return false;
    case 'object':
      if (value === null) return true;
      if (Array.isArray(value)) return value.every(isPlain);
      if (value instanceof CborFloat) return false;
      return Object.values(value).every(isPlain);
    default:
      return true;
  }
}
