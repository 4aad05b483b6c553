import type { Check, Finding } from './check.js';

const listTables = `
  select schemaname as schema, relname as name, n_dead_tup::float8 as dead, n_live_tup::float8 as living,
    greatest(last_autovacuum, last_vacuum)::text as vacuumed
  from pg_stat_user_tables
  where schemaname = any($1::text[]) and n_dead_tup > $2 and n_dead_tup > n_live_tup
  order by schema, name`;

export const deadRows: Check = {
  name: 'dead rows',
  advice: 'See whether a transaction holds vacuum up, and whether autovacuum has enough workers; then run vacuum on the table.',
  async check({ client, catalog, buckets, limits }) {
    const { rows } = await client.query<{ schema: string; name: string; dead: number; living: number; vacuumed: string | null }>(listTables, [
      [catalog, ...buckets],
      limits.deadRows,
    ]);
    return rows.map(({ schema, name, dead, living, vacuumed }): Finding => {
      const since = vacuumed === null ? 'never vacuumed' : `last vacuumed at ${vacuumed}`;
      return { severity: 'warning', text: `The table "${schema}"."${name}" has ${dead} dead rows beside ${living} living ones, ${since}.` };
    });
  },
};
