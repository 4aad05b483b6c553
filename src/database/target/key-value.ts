import { InvalidArgumentError } from '../../errors/index.js';
import type { ConnectionParameters } from './connection-parameters.js';

/**
 * One `name = value`. As in libpq a value is either quoted by ' or ends at white space, and in both a backslash takes the next
 * character as it is. Sticky: matching goes on where the last one ended.
 */
const pair = /\s*(?<name>[^=\s]+)\s*=\s*(?:'(?<quoted>(?:\\.|[^'\\])*)'|(?!')(?<plain>(?:\\.|[^\s\\])*))\s*/suy;

/** libpq's key-value text: `host=localhost dbname='my db'`. */
export function parseKeyValues(text: string): ConnectionParameters {
  const parameters: Record<string, string> = {};
  pair.lastIndex = 0;
  while (pair.lastIndex < text.length) {
    const parts = pair.exec(text)?.groups;
    const name = parts?.name;
    if (parts === undefined || name === undefined) {
      throw new InvalidArgumentError(
        'target',
        "is not key=value text like host=localhost password='a secret': put values with spaces between ', and write ' as \\'",
      );
    }
    const value = (parts.quoted ?? parts.plain ?? '').replaceAll(/\\(.)/gsu, '$1');
    // Empty is the same as left out.
    if (value !== '') parameters[name] = value;
  }
  return parameters;
}
