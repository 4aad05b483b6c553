import type { DataDictionary } from '../codec/index.js';

/**
 * The key of a unit's data under which its trace context travels: a map of what the propagator writes, by W3C `traceparent` and perhaps
 * `tracestate`. Producers in any language may set it.
 */
export const carrierKey = 'trace_context';

/** What a propagator has written. */
export type Carrier = Readonly<Record<string, string>>;

/** The carrier in a unit's data; undefined: there is none that could be read. */
export function carrierOf(data: DataDictionary): Carrier | undefined {
  const carrier: unknown = data[carrierKey];
  if (typeof carrier !== 'object' || carrier === null || Array.isArray(carrier)) return undefined;
  const fields = Object.entries(carrier).filter((field): field is [string, string] => typeof field[1] === 'string');
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}

/** Data with a carrier; one that is there already stays, as it tells where the unit came from first. */
export function withCarrier(data: DataDictionary, carrier: Carrier): DataDictionary {
  const isPlain = typeof data === 'object' && data !== null && !Array.isArray(data);
  if (!isPlain || Object.keys(carrier).length === 0 || Object.hasOwn(data, carrierKey)) return data;
  return { ...data, [carrierKey]: carrier };
}

export function withoutCarrier(data: DataDictionary): DataDictionary {
  return Object.fromEntries(Object.entries(data).filter(([key]) => key !== carrierKey));
}
