import { CborFloat, PythonTuple, type DataDictionary } from '../../codec/index.js';
import { maxDurationMs, maxNameBytes } from '../../options/index.js';

/** A work unit that a finished attempt's output asks for in the next work spec. */
export interface OutputUnit {
  /** The name's bytes, 1 to 1,000 of them. */
  readonly name: Uint8Array;
  readonly data: DataDictionary;
  readonly priority: number;
  /** The unit is to be delayed by so many milliseconds from now; 0: not at all. */
  readonly delayMs: number;
}

/**
 * The units that an attempt's `output` asks for: a map of names to data, or a list (or tuple) of names and of
 * `[name, data, meta?, priority?]`. Pure, and never raises: a worker's work is done, whatever it says comes next, so what can't
 * be read is skipped. Of the same name twice the last one counts.
 */
export function outputUnits(output: unknown): OutputUnit[] {
  const units = new Map<string, OutputUnit>();
  for (const unit of readUnits(output)) {
    if (unit !== null) units.set(Buffer.from(unit.name).toString('latin1'), unit);
  }
  return [...units.values()];
}

function readUnits(output: unknown): (OutputUnit | null)[] {
  const items = listItems(output);
  if (items !== null) return items.map(readItem);
  if (output instanceof Map) return [...output].map(([name, data]) => readUnit(name, data));
  return isPlainObject(output) ? Object.entries(output).map(([name, data]) => readUnit(name, data)) : [];
}

function readItem(item: unknown): OutputUnit | null {
  const members = listItems(item);
  if (members === null) return readUnit(item, {});
  const [name, data, meta, priority] = members;
  return readUnit(name, data, meta, priority);
}

/** Null when it can't be read. Of meta and priority, and in meta, null means the same as absent. */
function readUnit(name: unknown, data: unknown, meta?: unknown, priority?: unknown): OutputUnit | null {
  const bytes = nameBytes(name);
  const dictionary = asDictionary(data);
  const { priority: metaPriority, delay } = asDictionary(meta ?? {}) ?? unreadableMeta;
  const chosenPriority = finiteNumber(priority ?? metaPriority ?? 0);
  const delaySeconds = finiteNumber(delay ?? 0);
  // A priority that is outranked must be readable all the same, or a mistake would go unnoticed until it no longer is.
  const isReadable = finiteNumber(metaPriority ?? 0) !== null;
  if (bytes === null || dictionary === null || chosenPriority === null || delaySeconds === null || !isReadable) return null;
  return { name: bytes, data: dictionary, priority: chosenPriority, delayMs: delayMilliseconds(delaySeconds) };
}

const unreadableMeta: DataDictionary = { priority: 'unreadable', delay: 'unreadable' };

function nameBytes(name: unknown): Uint8Array | null {
  if (typeof name !== 'string' && !(name instanceof Uint8Array)) return null;
  const bytes = typeof name === 'string' ? new TextEncoder().encode(name) : Uint8Array.from(name);
  return bytes.length >= 1 && bytes.length <= maxNameBytes ? bytes : null;
}

/** A longer delay would end at a time that no database can hold, and so undo the finish. */
function delayMilliseconds(seconds: number): number {
  return Math.round(Math.min(Math.max(0, seconds * 1000), maxDurationMs));
}

function listItems(value: unknown): readonly unknown[] | null {
  if (value instanceof PythonTuple) return value.items;
  return Array.isArray(value) ? value : null;
}

/** A JavaScript Map of text counts as well: it is stored as the same CBOR, and read as a plain object. */
function asDictionary(value: unknown): DataDictionary | null {
  if (isPlainObject(value)) return value;
  const isMapOfText = value instanceof Map && [...value.keys()].every((key) => typeof key === 'string');
  return isMapOfText ? (Object.fromEntries(value) as DataDictionary) : null;
}

function isPlainObject(value: unknown): value is DataDictionary {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function finiteNumber(value: unknown): number | null {
  const number = typeof value === 'bigint' || value instanceof CborFloat ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}
