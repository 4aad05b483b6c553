import { ageText } from './age-text.js';
import type { Check, Finding } from './check.js';

/** Transactions of this database's sessions: whoever has a snapshot or an id of a transaction holds vacuum up. */
const listSessions = `
  select pid, coalesce(nullif(application_name, ''), usename, backend_type) as who, state,
    extract(epoch from clock_timestamp() - xact_start)::float8 * 1000 as age
  from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
    and (backend_xmin is not null or backend_xid is not null or state like 'idle in transaction%')
    and backend_type <> 'autovacuum worker'
    and clock_timestamp() - xact_start > $1::float8 * interval '1 millisecond'
  order by xact_start`;

const listPrepared = `
  select gid, extract(epoch from clock_timestamp() - prepared)::float8 * 1000 as age
  from pg_prepared_xacts
  where database = current_database() and clock_timestamp() - prepared > $1::float8 * interval '1 millisecond'
  order by prepared`;

const listSlots = `
  select slot_name as name, greatest(age(xmin), age(catalog_xmin)) as behind
  from pg_replication_slots
  where not active and (xmin is not null or catalog_xmin is not null)
  order by slot_name`;

export const transactions: Check = {
  name: 'transactions',
  advice: 'End it: while it is open, no dead row that is younger can be removed anywhere in the database.',
  async check({ client, limits }) {
    const age = [limits.transactionAgeMs];
    const { rows: sessions } = await client.query<{ pid: number; who: string; state: string | null; age: number }>(listSessions, age);
    const { rows: prepared } = await client.query<{ gid: string; age: number }>(listPrepared, age);
    const { rows: slots } = await client.query<{ name: string; behind: number | null }>(listSlots);
    return [
      ...sessions.map((session): Finding => {
        const text = `The session ${session.pid} (${session.who}) has had a transaction open for ${ageText(session.age)}${state(session.state)}: it holds vacuum up.`;
        return { severity: 'warning', text, advice: `${this.advice} If it is nobody's any more: select pg_terminate_backend(${session.pid})` };
      }),
      ...prepared.map((transaction): Finding => {
        const text = `The prepared transaction '${transaction.gid}' is ${ageText(transaction.age)} old: it holds vacuum up.`;
        return { severity: 'warning', text, advice: `End it: commit prepared, or rollback prepared, '${transaction.gid}'.` };
      }),
      ...slots.map((slot): Finding => {
        const text = `The replication slot ${slot.name} is not in use and holds vacuum up, ${slot.behind ?? 0} transactions behind.`;
        return { severity: 'warning', text, advice: `If nobody will use it again: select pg_drop_replication_slot('${slot.name}')` };
      }),
    ];
  },
};

function state(text: string | null): string {
  return text?.startsWith('idle') === true ? ', and does nothing in it' : '';
}
