import type { TestDatabase } from '../support/database.js';

/** The names of all that is in a schema: tables, views, sequences, indexes, functions, types. */
export async function contentsOf(database: TestDatabase, schema: string): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `select relkind::text || ' ' || relname as name from pg_class where relnamespace = to_regnamespace($1)
    union all
    select 'function ' || proname from pg_proc where pronamespace = to_regnamespace($1)
    union all
    select 'type ' || typname from pg_type where typnamespace = to_regnamespace($1) and typrelid = 0 and typelem = 0
    order by name`,
    [`"${schema}"`],
  );
  return rows.map(({ name }) => name);
}

/** The schemas whose names begin like this. */
export async function schemasLike(database: TestDatabase, beginning: string): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `select nspname as name from pg_namespace where starts_with(nspname, $1) order by nspname`,
    [beginning],
  );
  return rows.map(({ name }) => name);
}
