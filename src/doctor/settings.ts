import { quoteIdentifier } from '../database/index.js';
import type { Check, Finding } from './check.js';

/** What a setting must not be, and why. */
const unwanted: readonly ({ readonly name: string; readonly value: string } & Required<Finding>)[] = [
  {
    name: 'autovacuum',
    value: 'off',
    severity: 'problem',
    text: 'autovacuum is off: dead rows pile up, and claims become slower and slower.',
    advice: 'Run: alter system set autovacuum = on; select pg_reload_conf()',
  },
  {
    name: 'track_counts',
    value: 'off',
    severity: 'problem',
    text: 'track_counts is off: autovacuum does not learn which tables need it.',
    advice: 'Run: alter system set track_counts = on; select pg_reload_conf()',
  },
  {
    name: 'fsync',
    value: 'off',
    severity: 'problem',
    text: 'fsync is off: a crash of the machine can destroy the database.',
    advice: 'Run: alter system set fsync = on; select pg_reload_conf()',
  },
  {
    name: 'full_page_writes',
    value: 'off',
    severity: 'problem',
    text: 'full_page_writes is off: a crash of the machine can destroy pages.',
    advice: 'Run: alter system set full_page_writes = on; select pg_reload_conf()',
  },
  {
    name: 'synchronous_commit',
    value: 'off',
    severity: 'warning',
    text: 'synchronous_commit is off: a crash loses what was reported last, so that units run again whose workers were told that they have finished.',
    advice: 'Set synchronous_commit = on for this database: claims turn it off by themselves, where it does no harm.',
  },
];

const listTables = `
  select n.nspname as schema, c.relname as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = any($1::text[]) and c.relkind = 'r'
    and exists (select from unnest(c.reloptions) as o (text) where o.text in ('autovacuum_enabled=false', 'autovacuum_enabled=off', 'autovacuum_enabled=0'))
  order by schema, name`;

export const settings: Check = {
  name: 'settings',
  advice: 'Give it back its default.',
  async check({ client, catalog, buckets }) {
    const { rows } = await client.query<{ name: string; setting: string }>('select name, setting from pg_settings where name = any($1)', [
      unwanted.map(({ name }) => name),
    ]);
    const values = new Map(rows.map(({ name, setting }) => [name, setting]));
    const { rows: tables } = await client.query<{ schema: string; name: string }>(listTables, [[catalog, ...buckets]]);
    return [
      ...unwanted.filter(({ name, value }) => values.get(name) === value).map(({ severity, text, advice }) => ({ severity, text, advice })),
      ...tables.map(({ schema, name }): Finding => {
        const table = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
        const advice = `Run: alter table ${table} reset (autovacuum_enabled)`;
        return { severity: 'problem', text: `autovacuum is off for the table ${table}: its dead rows pile up.`, advice };
      }),
    ];
  },
};
