import { Encoder } from 'cbor-x';
import { CoordinateError, InvalidArgumentError } from '../errors/index.js';
import { HeadPatches } from './head-patches.js';
import { Preparation } from './prepare.js';

/** What cbor-x has in spite of its type declarations. */
interface ReusingEncoder extends Encoder {
  useBuffer(buffer: Uint8Array): void;
}

const encoder = new Encoder({
  // Plain CBOR maps with the shortest head, without cbor-x's tags.
  useRecords: false,
  variableMapSize: true,
  useTag259ForMaps: false,
  tagUint8Array: false,
} as object) as ReusingEncoder;

/** cbor-x writes one result after the other into a slab, and never gives a slab back once a big result has made it grow. */
const SLAB_BYTES = 8_192;
const MAX_SLAB_BYTES = 65_536;

/**
 * Writes any value as CBOR, deterministically: shortest heads, 64-bit floats, members in the order of the object, nothing of
 * indefinite length.
 *
 * | JavaScript | CBOR |
 * |---|---|
 * | null, boolean, string | the same |
 * | safe integer (not -0) | integer |
 * | any other number; CborFloat | 64-bit float |
 * | bigint, -2^64 to 2^64 - 1 | integer; read as a bigint only where it is not safe as a number |
 * | Uint8Array, Buffer | byte string; read as Uint8Array |
 * | array | array |
 * | plain object | map; a member that is `undefined` is absent |
 * | Map | map; read as a plain object if all keys are strings |
 * | Date | tag 1, seconds since 1970: integer, or float with milliseconds |
 * | PythonTuple, Uuid, Tagged, CborSimple | tag 128; tag 37; its tag; its simple value |
 *
 * Enumerable own members with string keys count; `toJSON` is not consulted.
 *
 * @param field What errors call the value, such as `data`; they append the path to the member: `data.items[3].x`.
 * @throws InvalidArgumentError for anything else: undefined outside of an object, functions, symbols, other instances, lone
 *   surrogates, invalid dates, values that contain themselves or nest deeper than `MAX_DEPTH`, and keys that come twice.
 */
export function encodeValue(value: unknown, field = 'value'): Buffer {
  const patches = new HeadPatches();
  const preparation = new Preparation(value, field, patches);
  try {
    const encoded = encoder.encode(preparation.run());
    patches.apply(encoded);
    if (encoded.buffer.byteLength <= MAX_SLAB_BYTES) return encoded;
    encoder.useBuffer(Buffer.allocUnsafeSlow(SLAB_BYTES));
    return Buffer.from(encoded);
  } catch (error) {
    if (error instanceof CoordinateError) throw error;
    // A getter or proxy that throws or changes its mind, or a caller that has used up the stack or the memory.
    const problem = `cannot be written as CBOR: ${error instanceof Error ? error.message : String(error)}`;
    throw new InvalidArgumentError(field, problem, { cause: error });
  }
}
