import { quoteIdentifier } from '../database/index.js';
import type { Check, Finding } from './check.js';

/** An index this many times as large as its entries need is bloated. */
const bloatFactor = 3;

const listInvalid = `
  select n.nspname as schema, c.relname as name
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any($1::text[]) and not (i.indisvalid and i.indisready)
  order by schema, name`;

/**
 * The size of each B-tree, and what it would be if each entry of the table had one in it: a head, a pointer, and the columns at their usual
 * width; pages filled to nine tenths. Tables that were never analyzed have no such figures, and are left out.
 */
const listSizes = `
  select n.nspname as schema, c.relname as name, pg_relation_size(c.oid)::float8 as bytes,
    (t.reltuples * (12 + coalesce(widths.bytes, 8)) / 0.9 + 16384)::float8 as needed
  from pg_index i
  join pg_class c on c.oid = i.indexrelid and c.relkind = 'i'
  join pg_am am on am.oid = c.relam and am.amname = 'btree'
  join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace
  left join lateral (
    select sum(s.avg_width) as bytes
    from pg_attribute a join pg_stats s on s.schemaname = n.nspname and s.tablename = t.relname and s.attname = a.attname
    where a.attrelid = t.oid and a.attnum = any(i.indkey)
  ) widths on true
  where n.nspname = any($1::text[]) and i.indisvalid and t.reltuples >= 0
  order by schema, name`;

export const indexes: Check = {
  name: 'indexes',
  advice: 'Build it anew, without stopping anybody: reindex index concurrently.',
  async check({ client, catalog, buckets, limits }) {
    const schemas = [[catalog, ...buckets]];
    const { rows: invalid } = await client.query<{ schema: string; name: string }>(listInvalid, schemas);
    const { rows: sizes } = await client.query<{ schema: string; name: string; bytes: number; needed: number }>(listSizes, schemas);
    const bloated = sizes.filter(({ bytes, needed }) => bytes > needed * bloatFactor && bytes - needed > limits.bloatBytes);
    return [
      ...invalid.map((index): Finding => {
        return { severity: 'problem', text: `The index ${nameOf(index)} is invalid: nothing uses it, everything keeps it up.`, advice: rebuild(index) };
      }),
      ...bloated.map((index): Finding => {
        const sizesText = `${mebibytes(index.bytes)} instead of about ${mebibytes(index.needed)}`;
        return { severity: 'warning', text: `The index ${nameOf(index)} is bloated: ${sizesText}.`, advice: rebuild(index) };
      }),
    ];
  },
};

function nameOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

function rebuild(index: { readonly schema: string; readonly name: string }): string {
  return `Run: reindex index concurrently ${nameOf(index)}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
