import { isUtf8 } from 'node:buffer';

/** Above this many bytes, the native check of UTF-8 beats the loop. */
const LONG_TEXT = 192;

/** Whether the bytes from `start` up to `end` are UTF-8. Quick for short ASCII, of which most text in dictionaries is. */
export function isUtf8Between(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > LONG_TEXT) return isUtf8(bytes.subarray(start, end));
  for (let at = start; at < end; at++) {
    if (bytes[at]! > 127) return isUtf8(bytes.subarray(at, end));
  }
  return true;
}
