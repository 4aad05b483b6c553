import { decodeValue, encodeValue } from '../../codec/index.js';
import { MalformedRequestError } from '../../errors/index.js';
import type { Format } from './format.js';
import { parseJson, stringifyJson } from './json.js';
import { asBody, type Body } from './members.js';
import { maxValues, ValueBudget } from './value-budget.js';

/** Writes a body. Its data dictionaries must have been through `dataToWire` for the same format. */
export function encodeBody(value: unknown, format: Format): Buffer {
  return format === 'cbor' ? encodeValue(value, 'body') : Buffer.from(stringifyJson(value), 'utf8');
}

/** Longer text costs more to be joined to a head than to be written behind it. */
const mostText = 16 * 1024;

/** The same, but a short one in JSON as the text that it is: Node writes the head of an answer and that as one piece, at half of the cost of two. */
export function writeBody(value: unknown, format: Format): string | Buffer {
  if (format === 'cbor') return encodeValue(value, 'body');
  const text = stringifyJson(value);
  return text.length <= mostText ? text : Buffer.from(text, 'utf8');
}

/** Reads a body that must be an object. Raises MalformedRequest; BadCbor. */
export function decodeBody(bytes: Uint8Array, format: Format): Body {
  return asBody(decodeAnyBody(bytes, format), 'the body');
}

/** The same of a request: it may hold so many values, and no more. */
export function decodeRequestBody(bytes: Uint8Array, format: Format, mostValues = maxValues): Body {
  if (format === 'cbor') new ValueBudget(mostValues).take(bytes);
  return asBody(format === 'cbor' ? decodeValue(bytes) : parseJson(textOf(bytes), mostValues), 'the body');
}

/** Reads a body of any kind, such as the list of a summary. Raises MalformedRequest; BadCbor. */
export function decodeAnyBody(bytes: Uint8Array, format: Format): unknown {
  return format === 'cbor' ? decodeValue(bytes) : parseJson(textOf(bytes));
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new MalformedRequestError('the body is not UTF-8', { cause: error });
  }
}
