import { isUtf8 } from 'node:buffer';
import { jsonText } from './value-text.js';

/** Quoted when it would not be seen, or could be taken for something else, or would do something to the terminal. */
export function shownName(name: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(name) && !name.startsWith('"') ? name : jsonText(name);
}

/** What marks the name of a unit that is written as hexadecimal digits. */
const hexMark = 'hex:';

/** The name of a unit as text: as it is, or `hex:00ff` if it is no UTF-8 (or would be read as that). */
export function unitNameText(key: Uint8Array): string {
  const text = Buffer.from(key).toString('utf8');
  return isUtf8(key) && !text.startsWith(hexMark) ? text : `${hexMark}${Buffer.from(key).toString('hex')}`;
}

/** The name of a unit as somebody has typed it: the inverse of `unitNameText`. */
export function unitNameOf(text: string): string | Uint8Array {
  const digits = text.slice(hexMark.length);
  return text.startsWith(hexMark) && /^(?:[0-9a-f]{2})+$/i.test(digits) ? Buffer.from(digits, 'hex') : text;
}
