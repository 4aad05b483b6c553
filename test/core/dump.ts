import type { TestDatabase } from '../support/database.js';

/** Every row of every table of the queue, as text, by table. */
export async function dump(database: TestDatabase): Promise<Record<string, string[]>> {
  const tables = await database.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ($1, $2) and c.relkind = 'r' order by name`,
    [database.schema, database.bucket],
  );
  const contents: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await database.query<{ line: string }>(`select t::text as line from ${name} t order by t::text collate "C"`);
    contents[name] = rows.map(({ line }) => line);
  }
  return contents;
}
