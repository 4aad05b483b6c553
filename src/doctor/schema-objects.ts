import type { ClientBase } from 'pg';
import { quoteIdentifier } from '../database/index.js';

/** Something in a schema: a table, a column, an index, ... */
export interface SchemaObject {
  readonly kind: string;
  readonly name: string;
  /** How it is made, without the name of the schema. */
  readonly definition: string;
}

/** Stands for the schema's own name. */
export const schemaMark = '<schema>';

const listObjects = `
  select c.relkind::text as code, 'table' as kind, c.relname::text as name,
    coalesce(pg_get_partkeydef(c.oid), '') || coalesce(pg_get_expr(c.relpartbound, c.oid), '') as definition
  from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p')
  union all
  select '', 'column', c.relname || '.' || a.attname,
    format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end || ' ' || a.attidentity::text
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p')
  union all
  select c.relkind::text, 'index', c.relname, pg_get_indexdef(c.oid)
  from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind in ('i', 'I')
  union all
  select '', 'constraint', c.conrelid::regclass::text || ' ' || c.conname, pg_get_constraintdef(c.oid)
  from pg_constraint c where c.connamespace = to_regnamespace($1) and c.contype <> 'n'
  union all
  select '', 'view', c.relname, pg_get_viewdef(c.oid)
  from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind = 'v'
  union all
  select '', 'sequence', c.relname, ''
  from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind = 'S'
  union all
  select '', 'function', p.proname, pg_get_functiondef(p.oid)
  from pg_proc p where p.pronamespace = to_regnamespace($1) and p.prokind = 'f'
  order by kind, name`;

/** All that is in a schema, within a transaction: its search_path is the schema's afterwards, so that definitions do not name it. */
export async function schemaObjects(client: ClientBase, schema: string): Promise<SchemaObject[]> {
  await client.query(`set local search_path = ${quoteIdentifier(schema)}, pg_temp`);
  const { rows } = await client.query<SchemaObject & { code: string }>(listObjects, [quoteIdentifier(schema)]);
  return rows.map(({ kind, name, definition }) => ({ kind, name, definition: withoutSchema(definition, schema) }));
}

function withoutSchema(definition: string, schema: string): string {
  const own = schema.replaceAll(/[^\w]/g, '\\$&');
  return definition.replaceAll(new RegExp(`(?<![-\\w])"?${own}"?(?![-\\w])`, 'g'), schemaMark);
}
