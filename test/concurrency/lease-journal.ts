import type { TestDatabase } from '../support/database.js';

type JournaledDatabase = Pick<TestDatabase, 'query' | 'bucket'>;

/**
 * Has the database itself write down every lease that begins or ends, in the transaction that does it: a record that no client
 * makes, and from which nothing is ever removed. What is rolled back is not in it.
 */
export async function keepLeaseJournal({ query, bucket: b }: JournaledDatabase): Promise<void> {
  await query(`
    create table ${b}.lease_journal (
      entry bigint generated always as identity,
      begins boolean not null,
      spec_id bigint not null,
      unit_id bigint not null,
      number bigint not null,
      transaction xid8 not null default pg_current_xact_id(),
      snapshot pg_snapshot not null default pg_current_snapshot()
    );
    create index on ${b}.lease_journal (number);
    create index on ${b}.lease_journal (unit_id);
    -- What only moves from a range of leases to another, or to a lease of its own, neither begins nor ends.
    create function ${b}.record_begin(of_spec bigint, of_unit bigint, of_number bigint) returns void language sql begin atomic
      delete from ${b}.lease_journal where number = of_number and not begins and transaction = pg_current_xact_id();
      insert into ${b}.lease_journal (begins, spec_id, unit_id, number) select true, of_spec, of_unit, of_number
      where not exists (select from ${b}.lease_journal where number = of_number);
    end;
    create function ${b}.record_end(of_number bigint) returns void language sql begin atomic
      insert into ${b}.lease_journal (begins, spec_id, unit_id, number)
      select false, spec_id, unit_id, number from ${b}.lease_journal begun
      where number = of_number and begins and not exists (select from ${b}.lease_journal where number = of_number and not begins);
    end;
    create function ${b}.record_lease() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' then
        perform ${b}.record_begin(new.spec_id, new.unit_id, new.number);
      else
        perform ${b}.record_end(old.number);
      end if;
      return null;
    end
    $$;
    create trigger record_lease after insert or delete on ${b}.lease for each row execute function ${b}.record_lease();
    create function ${b}.record_range() returns trigger language plpgsql as $$
    begin
      perform ${b}.record_begin(new.spec_id, m.unit_id, new.first_number + m.position - 1)
      from unnest(new.unit_ids) with ordinality as m (unit_id, position) where m.unit_id > 0;
      return null;
    end
    $$;
    create trigger record_range after insert on ${b}.lease_range for each row execute function ${b}.record_range();
    create function ${b}.record_unit() returns trigger language plpgsql as $$
    begin
      perform ${b}.record_end(number) from ${b}.lease_journal where unit_id = old.id and begins
        and (tg_op = 'DELETE' or number in (new.active_attempt, new.released_up_to));
      return null;
    end
    $$;
    create trigger record_unit after delete or update on ${b}.work_unit
      for each row execute function ${b}.record_unit()`);
}

/**
 * The most leases of a spec that can have existed together at any instant.
 *
 * Not by time, which two processes never agree on, but by who saw whom: for each transaction that began leases, the leases that did
 * not begin after it (their transaction did not see it) and had not ended before it (it did not see them end). Of two that began
 * leases without seeing each other both are counted, so this is never less than what any observer could have seen.
 */
export async function mostAtOnce({ query, bucket: b }: JournaledDatabase, specName: string): Promise<number> {
  const [row] = await query<{ most: string | null }>(
    `
    with lease as materialized (
      select begun.transaction, begun.snapshot, ended.transaction as ended_by
      from ${b}.lease_journal begun
      left join ${b}.lease_journal ended on ended.number = begun.number and not ended.begins
      where begun.begins and begun.spec_id = (select id from ${b}.work_spec where name = $1)
    ),
    taker as materialized (
      select transaction, snapshot::text::pg_snapshot as snapshot
      from lease group by transaction, snapshot::text
    )
    select max(together) as most from (
      select count(*) as together
      from taker t join lease l on
        (l.transaction = t.transaction or not pg_visible_in_snapshot(t.transaction, l.snapshot))
        and (l.ended_by is null or not pg_visible_in_snapshot(l.ended_by, t.snapshot))
      group by t.transaction, t.snapshot::text
    ) instant`,
    [Buffer.from(specName)],
  );
  return Number(row?.most ?? 0);
}

/** Units of which a lease began before the last one had ended, or whose attempt numbers did not grow. */
export async function overlappingLeases({ query, bucket: b }: JournaledDatabase): Promise<object[]> {
  return query(`
    select * from (
      select
        unit_id, number, begins,
        lag(begins) over by_entry as previous_began, lag(number) over by_entry as previous_number
      from ${b}.lease_journal
      window by_entry as (partition by unit_id order by entry)
    ) step
    where case when begins then previous_began or number <= previous_number else previous_began is distinct from true or number <> previous_number end
    limit 20`);
}

/** The numbers of all leases that ever began. */
export async function leasedNumbers({ query, bucket: b }: JournaledDatabase): Promise<number[]> {
  const rows = await query<{ number: string }>(`select number from ${b}.lease_journal where begins order by number`);
  return rows.map(({ number }) => Number(number));
}
