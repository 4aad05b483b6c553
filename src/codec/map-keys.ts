import { CborFloat, looksLikeInteger } from './cbor-float.js';
import { encodeValue } from './encode-value.js';

/**
 * The keys of one map seen so far. Two keys are the same when they would be the same CBOR; a byte string and a text of the same
 * UTF-8 are the same too, since both are read as text.
 */
export class MapKeys {
  private readonly simple = new Set<unknown>();
  private readonly encoded = new Set<string>();

  /** False when the key has been there. */
  add(key: unknown): boolean {
    if (typeof key !== 'object' || key === null) return addTo(this.simple, key);
    if (key instanceof Uint8Array) return addTo(this.simple, Buffer.from(key).toString('utf8'));
    if (key instanceof CborFloat && !looksLikeInteger(key.valueOf()) && key.valueOf() !== 0) return addTo(this.simple, key.valueOf());
    return addTo(this.encoded, encodeValue(key).toString('latin1'));
  }
}

function addTo<T>(set: Set<T>, key: T): boolean {
  const before = set.size;
  return set.add(key).size > before;
}
