import { decodeData, type DataDictionary } from '../../codec/index.js';
import { bytes, nameFromBytes } from '../../core/instant.js';
import type { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';
import { statement } from '../../database/index.js';
import { tooLarge } from '../refusal.js';

/** The definitions of a namespace, from a name on. Index: work_spec (namespace_id, name). Parameters: namespace id, start, limit or null, most bytes. */
const listDefinitions = statement(
  'rpc.list-definitions',
  (s) => `
    select
      p.name,
      case when p.size_so_far <= $4::bigint then p.data end as data
    from (
      select q.*, sum(octet_length(q.data)) over (order by q.name rows unbounded preceding) as size_so_far
      from (
        select w.name, w.data from ${s}.work_spec w
        where w.namespace_id = $1::bigint and w.name >= $2::bytea
        order by w.name
        limit $3::bigint
      ) q
    ) p
    order by p.name`,
);

/** The definitions of at most so many work specs, ordered by name, and the name of the first that is left out. */
export interface DefinitionPage {
  readonly definitions: readonly DataDictionary[];
  readonly next: string | null;
}

export async function listSpecData(
  { bucket, id }: PostgresNamespace,
  { start, limit, maxBytes }: { readonly start: string; readonly limit: number | undefined; readonly maxBytes: number },
): Promise<DefinitionPage> {
  const most = limit === undefined ? null : Math.min(limit, 1e9) + 1;
  const rows = await bucket.run(listDefinitions, [id, Buffer.from(start), most, maxBytes]);
  const definitions = rows.slice(0, limit).map((row) => {
    if (row.data === null) throw tooLarge(maxBytes);
    return decodeData(bytes(row.data));
  });
  const left = rows[definitions.length];
  return { definitions, next: left === undefined ? null : nameFromBytes(left.name) };
}
