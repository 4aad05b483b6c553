import { Major } from './head.js';
import { MAX_DEPTH } from './limits.js';
import { isUtf8Between } from './utf8.js';

/** What `plainMembers` answers for anything that is not plain. */
export const NOT_PLAIN = -1;

/** A length that no bytes have. */
const TOO_BIG = 0x7fff_ffff;

/**
 * For each open list or map around the innermost: its `left` and, in the lowest bit, whether it is a map. Used within one call only: an array made for each
 * call is most of what a call costs.
 */
const around = new Int32Array(MAX_DEPTH);

/**
 * Whether cbor-x can read these bytes as they are: then, how many members all the maps in them have together (of which cbor-x
 * would merge those of one name), else `NOT_PLAIN`. This runs before every decoding, so it is one loop over local variables.
 *
 * Plain is one well-formed item that nests no deeper than allowed, made of definite lists, maps with text keys, text, byte strings,
 * false, true, null, integers from -2^32 to 2^53 - 1, and 64-bit floats without an integral value. With anything else cbor-x would
 * lose or change something: the difference of 1.0 and 1, tags (it has ideas of its own about many, and any library in the process
 * can add some), the key `__proto__`, a byte order mark, malformed bytes that it takes for well-formed.
 */
export function plainMembers(bytes: Uint8Array): number {
  const length = bytes.length;
  let depth = 0;
  let members = 0;
  let at = 0;
  let left = 1;
  let isMap = false;
  for (;;) {
    while (left === 0) {
      if (depth === 0) return at === length ? members : NOT_PLAIN;
      const outer = around[--depth]!;
      isMap = (outer & 1) === 1;
      left = outer >> 1;
    }
    if (at >= length) return NOT_PLAIN;
    const initial = bytes[at++]!;
    const major = initial >> 5;
    if (isMap && (left & 1) === 0 && major !== Major.text) return NOT_PLAIN;
    left--;
    const info = initial & 31;
    if (major === Major.unsigned || major === Major.negative) {
      if (info > 23) at = endOfInteger(bytes, at, major, info);
    } else if (major === Major.other) {
      if (info >= 20 && info <= 22) continue;
      if (info !== 27 || at + 8 > length || isIntegral(bytes, at)) return NOT_PLAIN;
      at += 8;
    } else {
      if (info > 26 || major === Major.tag) return NOT_PLAIN;
      let argument = info;
      if (info > 23) {
        argument = shortArgument(bytes, at, info);
        at += 1 << (info - 24);
      }
      if (argument > length - at) return NOT_PLAIN;
      if (major === Major.text || major === Major.bytes) {
        if (major === Major.text && !isPlainText(bytes, at, argument, isMap && (left & 1) === 1)) return NOT_PLAIN;
        at += argument;
      } else {
        if (depth >= MAX_DEPTH) return NOT_PLAIN;
        around[depth++] = left * 2 + (isMap ? 1 : 0);
        isMap = major === Major.map;
        left = isMap ? argument * 2 : argument;
        if (left > length - at) return NOT_PLAIN;
        if (isMap) members += argument;
      }
    }
  }
}

/** Where an integer that does not fit its first byte ends; past the end of the bytes if it is not plain. */
function endOfInteger(bytes: Uint8Array, at: number, major: number, info: number): number {
  if (info < 27) return at + (1 << (info - 24));
  const isSafe = info === 27 && major === Major.unsigned && bytes[at] === 0 && bytes[at + 1]! < 32;
  return isSafe ? at + 8 : bytes.length + 1;
}

/** A length or count of up to 32 bits; beyond any if there are not enough bytes. */
function shortArgument(bytes: Uint8Array, at: number, info: number): number {
  if (info === 24) return at < bytes.length ? bytes[at]! : TOO_BIG;
  if (info === 25) return at + 1 < bytes.length ? (bytes[at]! << 8) | bytes[at + 1]! : TOO_BIG;
  // Beyond 28 bits nothing is plain: the loop is fast as long as it deals in small integers.
  if (at + 3 >= bytes.length || bytes[at]! > 0x0f) return TOO_BIG;
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function isPlainText(bytes: Uint8Array, start: number, length: number, isKey: boolean): boolean {
  if (isKey && length === 9 && bytes[start] === 0x5f && bytes[start + 2] === 0x70) return false; // may be __proto__
  if (length === 0) return true;
  return bytes[start] !== 0xef && isUtf8Between(bytes, start, start + length); // 0xef may start a byte order mark
}

/** Whether the big-endian 64-bit float at `at` is a safe integer (or -0, which does not matter). */
function isIntegral(bytes: Uint8Array, at: number): boolean {
  const high = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  const low = (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!;
  const exponent = ((high >> 20) & 0x7ff) - 1023;
  if (exponent < 0) return ((high << 1) | low) === 0;
  if (exponent > 52) return false;
  if (exponent > 20) return (low & ((1 << (52 - exponent)) - 1)) === 0;
  return ((high & ((1 << (20 - exponent)) - 1)) | low) === 0;
}
