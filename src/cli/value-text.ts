import { CborFloat, CborSimple, PythonTuple, Tagged, Uuid } from '../codec/index.js';

/**
 * A value of a data dictionary as what JSON can say. What JSON has no form for is a map with one key that begins with `$`: `$bytes` and
 * `$bigint` (text: hexadecimal, decimal), `$date`, `$uuid`, `$tuple`, `$float`, `$simple`, `$tag`, `$map`.
 */
export function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return { $bigint: String(value) };
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? value : { $float: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('hex') };
  if (value instanceof Date) return { $date: value.toISOString() };
  if (value instanceof Uuid) return { $uuid: value.toString() };
  if (value instanceof PythonTuple) return { $tuple: value.items.map(jsonValue) };
  if (value instanceof CborFloat) return { $float: String(value) };
  if (value instanceof CborSimple) return { $simple: value.simple };
  if (value instanceof Tagged) return { $tag: [value.tag, jsonValue(value.value)] };
  if (value instanceof Map) return { $map: [...value].map((entry) => entry.map(jsonValue)) };
  if (Array.isArray(value)) return value.map(jsonValue);
  return Object.fromEntries(Object.entries(value).map(([key, member]): [string, unknown] => [key, jsonValue(member)]));
}

/** A value on one line. */
export function valueText(value: unknown): string {
  return value === undefined ? 'none' : jsonText(jsonValue(value));
}

/** A value on as many lines as it takes. */
export function valueBlock(value: unknown): string {
  return jsonText(jsonValue(value), 2);
}

/** JSON that does nothing to a terminal: JSON itself lets the control characters from U+007F on pass. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replaceAll(/[\u007F-\u009F]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}
