import { clearSource, Decoder } from 'cbor-x';
import { BadCborError, CoordinateError } from '../errors/index.js';
import { flatten } from './flatten.js';
import { NOT_PLAIN, plainMembers } from './plain-members.js';
import { revive } from './revive.js';
import { Survey } from './survey.js';

const common = { useRecords: false, mapsAsObjects: true, copyBuffers: true };
/** Reads what is plain (see `plainMembers`): there, 64-bit integers are positive and safe, so that plain numbers do. */
const plainDecoder = new Decoder({ ...common, int64AsNumber: true } as typeof common);
/** Reads the flat form. */
const flatDecoder = new Decoder(common);

/**
 * Reads one CBOR item: the inverse of `encodeValue`, which lists what becomes what. Byte strings are copies, so that nothing
 * refers to the given bytes afterwards.
 *
 * @throws BadCborError when the bytes are not exactly one well-formed item, nest deeper than `MAX_DEPTH`, hold a map with the same
 *   key twice, or a tag number beyond 32 bits.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  // cbor-x leaves a property on the array it reads: on this view, not on the caller's.
  const own = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const members = plainMembers(own);
    if (members === NOT_PLAIN) return decodeSpecial(own);
    const value: unknown = plainDecoder.decode(own);
    // cbor-x takes the last of several members of one name; the other way finds which it is, and refuses.
    return members === 0 || membersOf(value) === members ? value : decodeSpecial(own);
  } catch (error) {
    if (error instanceof CoordinateError) throw error;
    // Not to be expected after a survey, save for a caller that has used up the stack or the memory.
    clearSource(); // where the stack ends, cbor-x may not have got round to it
    throw new BadCborError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function decodeSpecial(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { items } = new Survey(bytes, view).run();
  return revive(flatDecoder.decode(flatten(bytes, view, items)));
}

/** How many members all the maps in a plain value have together. */
function membersOf(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += membersOf(item);
    return members;
  }
  const object = value as Record<string, unknown>;
  const keys = Object.keys(object);
  members = keys.length;
  for (const key of keys) {
    const member = object[key];
    if (typeof member === 'object') members += membersOf(member);
  }
  return members;
}
