import { InvalidArgumentError } from '../../errors/index.js';
import type { Format } from '../wire/index.js';

/** A unit's name in a body: text, or in CBOR bytes where it is not UTF-8. Raises InvalidArgument where it cannot be said. */
export function nameToWire(key: Uint8Array, format: Format, field: string): string | Uint8Array {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.length);
  const text = bytes.toString('utf8');
  if (Buffer.from(text).equals(bytes)) return text;
  if (format === 'cbor') return bytes;
  throw new InvalidArgumentError(field, 'must be UTF-8, as this server is asked in JSON, which has no bytes');
}
