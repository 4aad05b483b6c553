import { isClose } from '../options/index.js';
import { shownName } from './shown-name.js';

/** ` (did you mean "numbers"?)` for a name that is nearly one of those there are; else which there are, if they are few; else nothing. */
export function suggestion(given: string, known: readonly string[]): string {
  const close = known.find((name) => name !== given && isClose(name, given));
  if (close !== undefined) return ` (did you mean ${shownName(close)}?)`;
  if (known.length === 0 || known.length > 8) return '';
  return ` (there ${known.length === 1 ? 'is' : 'are'} ${known.map(shownName).join(', ')})`;
}
