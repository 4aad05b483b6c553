import { quoteIdentifier } from '../database/index.js';
import { readApplied } from '../database/migrate/index.js';
import { ageText } from './age-text.js';
import type { Check, Finding, Patient } from './check.js';

/** Transactions of any database that have an id: none is sealed before those have ended that were open when it was closed. */
const listHolders = `
  select format('session %s (%s)', pid, coalesce(nullif(application_name, ''), usename, backend_type)) as holder, datname as database,
    extract(epoch from clock_timestamp() - xact_start)::float8 * 1000 as age, format('select pg_terminate_backend(%s)', pid) as remedy
  from pg_stat_activity
  where pid <> pg_backend_pid() and backend_xid is not null and clock_timestamp() - xact_start > $1::float8 * interval '1 millisecond'
  union all
  select format('prepared transaction %L', gid), database,
    extract(epoch from clock_timestamp() - prepared)::float8 * 1000, format('rollback prepared %L', gid)
  from pg_prepared_xacts
  where clock_timestamp() - prepared > $1::float8 * interval '1 millisecond'
  order by age desc
  limit 10`;

/**
 * What keeps generations of `ready` from being sealed (see src/core/attempt/README.md). Claims stay right, but those who claim pass by all that was claimed
 * before, and so take longer and longer.
 */
export const rotation: Check = {
  name: 'claims',
  advice: 'End it: until then, each claim costs more the more was claimed before.',
  async check(patient) {
    const waiting = await waitingBuckets(patient);
    const { rows } = await patient.client.query<{ holder: string; database: string | null; age: number; remedy: string }>(listHolders, [
      patient.limits.transactionAgeMs,
    ]);
    return rows.map(({ holder, database, age, remedy }): Finding => {
      const already = waiting.length === 0 ? '' : ` (as in ${waiting.join(', ')} by now)`;
      const text = `The ${holder} in the database ${database ?? '-'} has been writing for ${ageText(age)}: claims slow down${already}.`;
      const where = remedy.startsWith('rollback') ? `, in the database ${database}` : '';
      return { severity: 'warning', text, advice: `${this.advice} If it is nobody's any more: ${remedy}${where}` };
    });
  },
};

/** Those in which a closed generation waits for somebody. */
async function waitingBuckets({ client, buckets }: Patient): Promise<string[]> {
  const waiting: string[] = [];
  for (const bucket of buckets) {
    if ((await readApplied(client, bucket)) === null) continue;
    const s = quoteIdentifier(bucket);
    const { rows } = await client.query<{ waits: boolean }>(`
      select c.last_value > 0 and pg_snapshot_xmin(pg_current_snapshot())::text::bigint < b.last_value as waits
      from ${s}.ready_closed c, ${s}.ready_closed_before b`);
    if (rows[0]?.waits === true) waiting.push(s);
  }
  return waiting;
}
