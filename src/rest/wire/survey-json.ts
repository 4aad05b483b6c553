import { MAX_DEPTH } from '../../codec/index.js';
import { MalformedRequestError } from '../../errors/index.js';
import { tooManyValues } from './value-budget.js';

/** How deep a body may nest: data, which have a limit of their own, and the objects around them. */
export const maxNesting = MAX_DEPTH + 16;

/** How long a number may be: to read a whole one takes more than in proportion to its length, and none that can be stored has so many digits. */
const maxDigits = 1_000;

/** How long a whole number may be, sign included, to be surely safe as a JavaScript number. */
const safeDigits = 15;

/**
 * One quick pass over JSON, before anything recurses into it: whether `JSON.parse` would forget what some number in it was
 * (1.0, 2^60, -0). Does not check the syntax. Raises MalformedRequest when it nests too deep, has a number of too many digits, or more values than it may.
 */
export function losesNumbers(text: string, mostValues = Number.POSITIVE_INFINITY): boolean {
  let depth = 0;
  // Of an object or a list with members all but the first follow a comma.
  let values = 0;
  let loses = false;
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '"':
        i = endOfString(text, i);
        break;
      case ',':
        if (++values > mostValues) throw tooManyValues(mostValues);
        break;
      case '[':
      case '{':
        if (++values > mostValues) throw tooManyValues(mostValues);
        if (++depth > maxNesting) throw new MalformedRequestError(`the body nests deeper than ${maxNesting} levels`);
        break;
      case ']':
      case '}':
        depth--;
        break;
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9': {
        const end = endOfNumber(text, i);
        if (end - i > maxDigits) throw new MalformedRequestError(`a number has more than ${maxDigits} digits`);
        loses ||= isLost(text.slice(i, end));
        i = end - 1;
      }
    }
  }
  return loses;
}

/** Where the string ends that begins at `start`: at its closing quote, or at the end of the text. */
function endOfString(text: string, start: number): number {
  for (let quote = start; ; ) {
    quote = text.indexOf('"', quote + 1);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote;
  }
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && '0123456789.eE+-'.includes(text.charAt(end))) end++;
  return end;
}

function isLost(number: string): boolean {
  return number.length > safeDigits || number === '-0' || /[.eE]/.test(number);
}
