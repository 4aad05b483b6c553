import { UnsupportedMediaTypeError } from '../../errors/index.js';
import type { Format } from './format.js';

/** The names of the protocol's JSON; the first is what is sent where nobody asks for another. */
export const jsonTypes = [
  'application/vnd.diffeo.coordinate.v1+json',
  'application/vnd.diffeo.coordinate+json',
  'application/json',
  'text/json',
] as const;

/** The same objects in CBOR: an addition, which keeps every value exactly. */
export const cborType = 'application/cbor';

/** Server-sent events: what streams are in, and nothing else is. */
export const eventStreamType = 'text/event-stream';

/** Every media type that bodies may have. */
export const mediaTypes = [...jsonTypes, cborType] as const;

/** See `mediaTypes`. */
export type MediaType = (typeof mediaTypes)[number];

/** What is sent where nobody asks for another, errors included. */
export const defaultType: MediaType = jsonTypes[0];

/** How a body of this `Content-Type` is written; its parameters do not matter. Raises UnsupportedMediaType. */
export function formatOfContentType(header: string | undefined): Format {
  const exact = mediaTypes.find((name) => name === header);
  if (exact !== undefined) return formatOfType(exact);
  const type = header?.split(';', 1)[0]?.trim() ?? '';
  const known = mediaTypes.find((name) => name === type.toLowerCase());
  if (known === undefined) throw new UnsupportedMediaTypeError(type.slice(0, 100));
  return formatOfType(known);
}

export function formatOfType(type: MediaType): Format {
  return type === cborType ? 'cbor' : 'json';
}
