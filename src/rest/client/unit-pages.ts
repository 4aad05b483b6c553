import type { UnitQuery } from '../../core/work-unit/list-units.js';
import { keyOf } from '../../core/work-unit/unit-batch.js';
import { unitQueryToVariables } from '../wire/index.js';
import type { Variables } from './links.js';

/** Most bytes of names in one URL: with the rest of it below the 8 KiB that proxies allow. */
const mostNameBytes = 6_000;

/** Whether a query matches nothing, which a URL cannot say. */
export function matchesNothing({ names, statuses, limit }: UnitQuery): boolean {
  return names?.length === 0 || statuses?.length === 0 || limit === 0;
}

/** The query in as many parts as its names need URLs: in order of name, each name once. */
export function partsOf(query: UnitQuery): UnitQuery[] {
  if (query.names === undefined) return [query];
  const unique = [...new Map(query.names.map((name) => [keyOf(name), name])).values()];
  const parts: Uint8Array[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const name of unique.sort((a, b) => Buffer.compare(a, b))) {
    const length = encodeURIComponent(keyOf(name)).length + 'name=&'.length;
    if (bytes + length > mostNameBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(name);
    bytes += length;
  }
  return parts.map((names) => ({ ...query, names }));
}

/** The variables of a part: names as text wherever they are, as not every server knows another way. */
export function variablesOf({ names, ...rest }: UnitQuery): Variables {
  const texts = names?.map((key) => {
    const bytes = Buffer.from(key.buffer, key.byteOffset, key.length);
    const text = bytes.toString('utf8');
    return Buffer.from(text).equals(bytes) ? text : bytes;
  });
  return { ...unitQueryToVariables({ ...rest, ...(texts && { names: texts }) }) };
}
