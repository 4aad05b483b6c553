import { isUtf8 } from 'node:buffer';
import { BadCborError } from '../errors/index.js';
import { CborFloat, looksLikeInteger } from './cbor-float.js';
import { CborSimple } from './cbor-simple.js';
import { dateOfSeconds } from './epoch.js';
import { Kind } from './flatten.js';
import { MapKeys } from './map-keys.js';
import { PythonTuple } from './python-tuple.js';
import { setMember } from './set-member.js';
import { Tagged } from './tagged.js';
import { Uuid } from './uuid.js';

/** The value behind a flat form (see `flatten`) that cbor-x has read. @throws BadCborError for a map with a key twice. */
export function revive(flat: unknown): unknown {
  if (typeof flat === 'bigint') return Number.isSafeInteger(Number(flat)) ? Number(flat) : flat;
  if (!Array.isArray(flat)) return flat;
  switch (flat[0]) {
    case Kind.list:
      return flat.slice(1).map(revive);
    case Kind.map:
      return reviveMap(flat);
    case Kind.tag:
      return reviveTag(flat[1] as number, revive(flat[2]));
    case Kind.float:
      return looksLikeInteger(flat[1] as number) ? new CborFloat(flat[1]) : flat[1];
    case Kind.simple:
      return new CborSimple(flat[1] as number);
    default:
      return textOf(flat[1] as Uint8Array);
  }
}

/** A plain object when all keys are strings, else a Map. */
function reviveMap(flat: readonly unknown[]): Record<string, unknown> | Map<unknown, unknown> {
  const keys: unknown[] = [];
  let areStrings = true;
  const seen = new MapKeys();
  for (let at = 1; at < flat.length; at += 2) {
    const key = reviveKey(flat[at]);
    if (!seen.add(key)) throw new BadCborError(`a map has the key ${describe(key)} twice`);
    keys.push(key);
    if (typeof key !== 'string') areStrings = false;
  }
  if (!areStrings) return new Map(keys.map((key, index) => [key, revive(flat[2 * index + 2])]));
  const object: Record<string, unknown> = {};
  keys.forEach((key, index) => setMember(object, key as string, revive(flat[2 * index + 2])));
  return object;
}

function reviveKey(flat: unknown): unknown {
  const key = revive(flat);
  if (key instanceof Uint8Array) {
    // Python 2 sends its strings as byte strings.
    if (!isUtf8(key)) throw new BadCborError('a map has a byte string for a key that is not UTF-8');
    return textOf(key);
  }
  // A Map would make 0 of it.
  return Object.is(key, -0) ? new CborFloat(-0) : key;
}

function reviveTag(tag: number, value: unknown): unknown {
  if (tag === 128 && Array.isArray(value)) return new PythonTuple(value);
  if (tag === 37 && value instanceof Uint8Array && value.length === 16) return new Uuid(value);
  if (tag === 1) return dateOfSeconds(value) ?? new Tagged(tag, value);
  return new Tagged(tag, value);
}

/** Unlike a TextDecoder as cbor-x uses it, this keeps a byte order mark. */
function textOf(utf8: Uint8Array): string {
  return Buffer.from(utf8.buffer, utf8.byteOffset, utf8.length).toString('utf8');
}

function describe(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key.slice(0, 60)) : typeof key === 'object' ? 'of some structure' : `${key as number}`;
}
