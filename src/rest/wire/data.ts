import { CborFloat, CborSimple, decodeData, encodeData, PythonTuple, Tagged, Uuid, type DataDictionary } from '../../codec/index.js';
import { MalformedRequestError } from '../../errors/index.js';
import type { Format } from './format.js';
import type { ValueBudget } from './value-budget.js';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * A data dictionary as a member of a body. In CBOR it is itself. In JSON it is an object, or, when something in it has no form in
 * JSON (a tuple, a UUID, a date, NaN, a key that is not text), the base64 of its CBOR. Byte strings become base64 text there
 * and so lose their type, which is what clients of the protocol expect; who minds asks for CBOR.
 */
export function dataToWire(data: DataDictionary, format: Format): unknown {
  if (format === 'cbor') return data;
  switch (formIn(data)) {
    case 'json':
      return data;
    case 'bytes':
      return withoutBytes(data);
    case 'cbor':
      return encodeData(data).toString('base64');
  }
}

/**
 * Reads a data dictionary in either form; in a CBOR body it may also be a byte string that holds its CBOR. What comes from
 * clients is given a budget, which all the data of a body share. Raises MalformedRequest; BadCbor.
 */
export function dataFromWire(value: unknown, field: string, budget?: ValueBudget): DataDictionary {
  const encoded = typeof value === 'string' ? decodeBase64(value, field) : value;
  if (encoded instanceof Uint8Array) {
    budget?.take(encoded);
    return decodeData(encoded);
  }
  if (typeof value === 'object' && value !== null && isPlainObject(value)) return value as DataDictionary;
  throw new MalformedRequestError(`"${field}" must be an object, or the base64 of a CBOR map`);
}

/** The same where the member may be left out, or null. */
export function optionalDataFromWire(value: unknown, field: string, budget?: ValueBudget): DataDictionary | undefined {
  return value === undefined || value === null ? undefined : dataFromWire(value, field, budget);
}

/** Line ends are passed over, as Go's decoder does. */
function decodeBase64(text: string, field: string): Buffer {
  const compact = text.replaceAll(/[\r\n]/g, '');
  if (compact.length % 4 !== 0 || !BASE64.test(compact)) {
    throw new MalformedRequestError(`"${field}" is a string, but not base64 with padding`);
  }
  return Buffer.from(compact, 'base64');
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

type Form = 'json' | 'bytes' | 'cbor';

function formIn(value: unknown): Form {
  if (typeof value === 'number') return Number.isFinite(value) ? 'json' : 'cbor';
  if (typeof value !== 'object' || value === null || value instanceof CborFloat) return 'json';
  if (value instanceof Uint8Array) return 'bytes';
  if (!Array.isArray(value) && isSpecial(value)) return 'cbor';
  let form: Form = 'json';
  for (const member of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) {
    const its = formIn(member);
    if (its === 'cbor') return 'cbor';
    if (its === 'bytes') form = 'bytes';
  }
  return form;
}

function isSpecial(value: object): boolean {
  return (
    value instanceof PythonTuple ||
    value instanceof Uuid ||
    value instanceof Tagged ||
    value instanceof CborSimple ||
    value instanceof Date ||
    value instanceof Map
  );
}

function withoutBytes(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof CborFloat) return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(withoutBytes);
  // Not by assignment: `__proto__` is a key like any other.
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutBytes(member)]));
}
