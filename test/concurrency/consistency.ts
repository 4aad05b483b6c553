import { expect } from 'vitest';
import type { TestDatabase } from '../support/database.js';

/** What the check needs of a test's database. */
export type CheckedDatabase = Pick<TestDatabase, 'query' | 'schema' | 'bucket'>;

/**
 * Checks that the tables of the bucket agree with each other, in one statement and so at one moment. To be called when nothing is
 * being changed, though any committed state should pass: each transition is one transaction.
 *
 * Every unit is in exactly one of ready, delayed, lease and ended, with the number of attempts that its history has; nothing belongs
 * to a unit, worker, spec or namespace that is not there; the counts kept are the counts there are; no attempt number occurs twice.
 */
export async function expectConsistent(database: CheckedDatabase): Promise<void> {
  // Enough of each kind to see what is wrong, not all of a thousand.
  const problems = await database.query<{ problem: string; about: string[]; count: string }>(`
    select problem, (array_agg(about))[1:3] as about, count(*) from (${problemsOf(database)}) each group by problem order by problem`);
  const lines = problems.map(({ problem, about, count }) => `${problem} (${count}): ${about.join('; ')}`);
  expect(lines, 'rows that contradict each other').toEqual([]);
}

function problemsOf({ schema, bucket: b }: CheckedDatabase): string {
  return `
    -- Materialized: joined as the views they are, with old statistics, they are put together anew for each unit.
    with attempts as materialized (select * from ${b}.any_attempt),
    in_range as (
      select r.id, r.spec_id, r.rank, r.first_name, r.last_name, m.unit_id, m.position
      from ${b}.ready_range r cross join lateral unnest(r.unit_ids) with ordinality as m (unit_id, position)
      join ${b}.work_unit u on u.id = m.unit_id and u.waits_in = r.id and u.ended is null
    ),
    state as (
      select unit_id, 'ready' as state, attempts from ${b}.ready
      union all select unit_id, 'ready in range', 0 from in_range
      union all select unit_id, 'delayed', attempts from ${b}.delayed
      union all select unit_id, 'lease', attempts from ${b}.any_lease
      union all select id, 'ended', attempts from ${b}.work_unit where ended is not null
    ),
    made as (
      select unit_id, count(*) as attempts from attempts group by unit_id
    ),
    owner as (
      select id from ${b}.work_spec union all select spec_id from ${b}.destroyed_spec
    ),
    belonging as (
      select 'ready' as place, spec_id, unit_id, null::bigint as worker_id from ${b}.ready
      union all select 'ready in range', spec_id, unit_id, null from in_range
      union all select 'delayed', spec_id, unit_id, null from ${b}.delayed
      union all select 'lease', spec_id, unit_id, worker_id from ${b}.any_lease
      union all select 'superseded', spec_id, unit_id, worker_id from ${b}.superseded
      union all select 'attempt', spec_id, unit_id, worker_id from ${b}.attempt
      union all select 'attempt in range', spec_id, unit_id, worker_id from ${b}.attempt_in_range
    ),
    counted as (
      select spec_id, kind, sum(delta) as count from ${b}.unit_count group by spec_id, kind
    ),
    real as (
      select spec_id, 'all' as kind, count(*) as count from ${b}.work_unit group by spec_id
      union all
      select spec_id, ended, count(*) from ${b}.work_unit where ended is not null group by spec_id, ended
    )

    select 'unit in not exactly one state' as problem, format('unit %s: %s', u.id, array_agg(s.state)) as about
    from ${b}.work_unit u left join state s on s.unit_id = u.id
    group by u.id having count(s.state) <> 1

    union all
    select 'attempts miscounted', format('unit %s, %s: says %s, has %s', s.unit_id, s.state, s.attempts, m.attempts)
    from state s left join made m on m.unit_id = s.unit_id
    where s.attempts <> coalesce(m.attempts, 0)

    union all
    select 'ready row unlike its unit', format('unit %s: rank %s of priority %s', r.unit_id, r.rank, u.priority)
    from ${b}.ready r join ${b}.work_unit u on u.id = r.unit_id
    where r.rank <> -u.priority or r.name <> u.name or r.spec_id <> u.spec_id

    union all
    select 'range of ready unlike its unit', format('range %s, unit %s: rank %s of priority %s', r.id, r.unit_id, r.rank, u.priority)
    from in_range r join ${b}.work_unit u on u.id = r.unit_id
    where r.rank <> -u.priority or u.name not between r.first_name and r.last_name or r.spec_id <> u.spec_id

    union all
    select 'range of ready out of order', format('range %s, position %s', r.id, r.position)
    from (
      select r.id, r.position, u.name, lag(u.name) over (partition by r.id order by r.position) as before
      from in_range r join ${b}.work_unit u on u.id = r.unit_id
    ) r
    where r.name < r.before

    union all
    select 'empty range of ready', format('range %s', id) from ${b}.ready_range where unit_ids = '{}'

    union all
    select 'delayed row unlike its unit', format('unit %s', d.unit_id)
    from ${b}.delayed d join ${b}.work_unit u on u.id = d.unit_id
    where d.not_before is distinct from u.not_before or d.spec_id <> u.spec_id

    union all
    select 'row of no unit', format('%s of unit %s', o.place, o.unit_id)
    from belonging o left join ${b}.work_unit u on u.id = o.unit_id and u.spec_id = o.spec_id
    where u.id is null

    union all
    select 'row of no worker', format('%s of worker %s', o.place, o.worker_id)
    from belonging o join owner s on s.id = o.spec_id
    where o.worker_id is not null and s.id in (select id from ${b}.work_spec)
      and not exists (select from ${b}.worker w where w.id = o.worker_id)

    union all
    select 'ranges overlap', format('from %s and from %s', a.first_number, b.first_number)
    from ${b}.attempt_range a join ${b}.attempt_range b on a.first_number < b.first_number and a.last_number >= b.first_number

    union all
    select 'range of no spec', format('from %s, of spec %s', r.first_number, r.spec_id)
    from (
      select first_number, spec_id from ${b}.attempt_range union all select first_number, spec_id from ${b}.lease_range
    ) r where r.spec_id not in (select id from owner)

    union all
    select 'found by its unit otherwise than by its spec', format('unit %s, %s', unit_id, number)
    from (
      (select * from ${b}.lease_in_range except select * from ${b}.lease_of_unit_in_range)
      union all
      (select * from ${b}.lease_of_unit_in_range except select * from ${b}.lease_in_range)
    ) different

    union all
    select 'unit of no spec', format('unit %s of spec %s', u.id, u.spec_id)
    from ${b}.work_unit u where u.spec_id not in (select id from owner)

    union all
    select 'ended without the attempt that ended it', format('unit %s: %s by %s', u.id, u.ended, u.active_attempt)
    from ${b}.work_unit u left join attempts a on a.unit_id = u.id and a.number = u.active_attempt
    where u.ended is distinct from a.status and (u.ended is not null or u.active_attempt is not null)

    union all
    select 'attempt number twice', format('number %s', number)
    from attempts group by number having count(*) > 1

    union all
    select 'count of no spec', format('%s of spec %s', c.kind, c.spec_id)
    from ${b}.unit_count c where c.spec_id not in (select id from owner)

    union all
    select 'miscounted', format('%s of spec %s: kept %s, are %s', coalesce(c.kind, r.kind), spec_id, c.count, r.count)
    from counted c full join real r using (spec_id, kind)
    where coalesce(c.count, 0) <> coalesce(r.count, 0)

    union all
    select 'of no namespace', format('%s %s', o.place, o.id)
    from (
      select 'work spec' as place, id, namespace_id from ${b}.work_spec
      union all select 'worker', id, namespace_id from ${b}.worker
      union all select 'runtime request of namespace', namespace_id, namespace_id from ${b}.runtime_request
    ) o
    where not exists (select from ${schema}.namespace n where n.id = o.namespace_id)`;
}
