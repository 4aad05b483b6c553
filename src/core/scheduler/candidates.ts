import { statement, type Row } from '../../database/index.js';
import { instantOrNull, nameFromBytes } from '../instant.js';
import { isAvailable } from './is-available.js';
import type { Candidate } from './candidate.js';

/*
 * What the scheduler chooses from, in one statement: the specs that have a unit available or could make one, with the number of
 * pending units wherever that number can matter (more than one that can work, or a limit). Specs without work cost nothing: those
 * with work are found by skipping from one to the next in the index of ready, and spec ids of one namespace are one range of it.
 * The first row's due_* say whether something must expire or be promoted before the answer can be relied upon; on an answer without
 * candidates they come in a row without an id. (A limit with an order instead of EXISTS: it must be the index, whatever the statistics.)
 */

/** What all of these begin with: the living generations of ready, and where the first units of specs were seen in the sealed one. */
const places = (s: string, { now, since, sealed, epoch }: Parameters): string => `
    clock as materialized (
      select coalesce(${now}::timestamptz, statement_timestamp()) as now, coalesce(${since}::timestamptz, '-infinity') as since
    ),
    generation as materialized (
      select
        array[open, closed] as recent, sealed,
        sealed = ${sealed}::bigint and (select epoch from ${s}.no_crash_since) = ${epoch}::uuid as is_known
      from (
        select
          (select last_value from ${s}.ready_open) as open,
          (select last_value from ${s}.ready_closed) as closed,
          (select last_value from ${s}.ready_sealed) as sealed
      ) alive
    ),
    front as materialized (
      select spec_id, rank, name
      from generation, unnest($1::bigint[], $2::float8[], $3::bytea[]) as front (spec_id, rank, name)
      where generation.is_known
    )`;

/** The numbers of parameters. The first three are the fronts: spec ids, ranks, names. */
interface Parameters {
  readonly now: string;
  readonly since: string;
  readonly sealed: string;
  readonly epoch: string;
}

const describe = (s: string, found: string): string => `
    candidate as materialized (
      select c.*, c.available or c.continuous as may_work, count(*) filter (where c.available or c.continuous) over () as competitors
      from (
        select
          w.id, w.name, w.priority, w.weight, w.paused, w.continuous, w.next_continuous, w.max_running, w.max_attempts_returned,
          w.min_memory_gb, w.runtime,
          found.waiting
          or ${isAvailable(s, 'w.id')} as available
        from (${found}) found
        cross join lateral (select * from ${s}.work_spec w where w.id = found.id offset 0) w
        where not w.paused and w.weight > 0
        -- Whether any is available is to be looked up once.
        offset 0
      ) c
    )
    select
      (select now from clock) as now,
      ${dueColumns(s)},
      c.*,
      case when c.may_work and (c.competitors > 1 or c.max_running > 0 or not c.available) then (
        select count(*) from ${s}.any_lease l where l.spec_id = c.id
      ) else 0 end as pending
    from (select) one left join candidate c on true
    order by c.name`;

const dueColumns = (s: string): string => `
      (
        select true from ${s}.lease
        where expires_at >= (select since from clock) and expires_at < (select now from clock) order by expires_at limit 1
      ) is true or (
        select true from ${s}.lease_range
        where expires_at >= (select since from clock) and expires_at < (select now from clock) order by expires_at limit 1
      ) is true as due_leases,
      (
        select true from ${s}.delayed
        where not_before >= (select since from clock) and not_before <= (select now from clock) order by not_before limit 1
      ) is true as due_delayed`;

/** The first spec after `after` with a row in a recent generation, or in the sealed one: there it does not pass by what lies in front of a front. */
const nextWaiting = (s: string, after: string, to: string): string => `
      select least(
        (
          select min(first.spec_id) from generation, unnest(generation.recent) as g (generation)
          cross join lateral (
            select r.spec_id from ${s}.ready r
            where r.generation = g.generation and r.spec_id > ${after} and r.spec_id < ${to}
            order by r.spec_id limit 1
          ) first
        ),
        (
          select min(first.spec_id) from generation, unnest(generation.recent || generation.sealed) as g (generation)
          cross join lateral (
            select r.spec_id from ${s}.ready_range r
            where r.generation = g.generation and r.spec_id > ${after} and r.spec_id < ${to}
            order by r.spec_id limit 1
          ) first
        ),
        (
          select coalesce(
            (
              select r.spec_id from ${s}.ready r
              where r.generation = generation.sealed and r.spec_id > ${after} and r.spec_id < least(next.spec_id, ${to})
              order by r.spec_id limit 1
            ),
            (
              select r.spec_id from ${s}.ready r
              where r.generation = generation.sealed and r.spec_id < ${to}
                and (r.spec_id, r.rank, r.name) >= (next.spec_id, next.rank, next.name)
              order by r.spec_id, r.rank, r.name limit 1
            )
          )
          from generation left join lateral (
            select * from front f where f.spec_id > ${after} order by f.spec_id limit 1
          ) next on true
        )
      )`;

/**
 * All specs of a namespace. Indexes: ready_order and ready_range_order, one probe of each generation for each spec that has work. Parameters: fronts (spec ids, ranks,
 * names), from id, to id, now, since when something can be due, the sealed generation of the fronts and its epoch.
 */
export const listCandidates = statement(
  'scheduler.list-candidates',
  (s) => `
    with recursive${places(s, { now: '$6', since: '$7', sealed: '$8', epoch: '$9' })},
    waiting (spec_id) as (
      (${nextWaiting(s, '$4::bigint - 1', '$5::bigint')}
      )
      union all
      select (${nextWaiting(s, 'waiting.spec_id', '$5::bigint')}
      )
      from waiting where waiting.spec_id is not null
    ),${describe(
      s,
      `
        select spec_id as id, true as waiting from waiting where spec_id is not null
        union all
        select w.id, false from ${s}.work_spec w
        where w.continuous and w.id >= $4::bigint and w.id < $5::bigint
          and w.id not in (select spec_id from waiting where spec_id is not null)`,
    )}`,
);

/**
 * Specs of given names. Index: work_spec (namespace_id, name), one probe a name. Parameters: fronts (spec ids, ranks, names), namespace id,
 * names, now, since when something can be due, the sealed generation of the fronts and its epoch.
 */
export const listNamedCandidates = statement(
  'scheduler.list-named-candidates',
  (s) => `
    with${places(s, { now: '$6', since: '$7', sealed: '$8', epoch: '$9' })},${describe(
      s,
      `
        select w.id, false as waiting
        from (select distinct name from unnest($5::bytea[]) as n (name)) n
        cross join lateral (
          select id from ${s}.work_spec w where w.namespace_id = $4::bigint and w.name = n.name offset 0
        ) w`,
    )}`,
);

/** Only whether something is due, where the candidates are known. Parameters: now, since when. */
export const lookForDue = statement(
  'scheduler.look-for-due',
  (s) => `
    with clock as materialized (
      select coalesce($1::timestamptz, statement_timestamp()) as now, coalesce($2::timestamptz, '-infinity') as since
    )
    select
      (select now from clock) as now,
      ${dueColumns(s)}`,
);

/** A spec that could be chosen. */
export interface SpecCandidate extends Candidate {
  readonly id: number;
  readonly maxAttemptsReturned: number;
}

/** Ordered as the rows are. */
export function candidatesFromRows(rows: readonly Row[]): SpecCandidate[] {
  return rows.filter((row) => row.id !== null).map(candidateFromRow);
}

function candidateFromRow(row: Row): SpecCandidate {
  return {
    id: Number(row.id),
    maxAttemptsReturned: Number(row.max_attempts_returned),
    name: nameFromBytes(row.name),
    priority: Number(row.priority),
    weight: Number(row.weight),
    paused: row.paused === true,
    continuous: row.continuous === true,
    nextContinuous: instantOrNull(row.next_continuous),
    maxRunning: Number(row.max_running),
    minMemoryGb: Number(row.min_memory_gb),
    runtime: nameFromBytes(row.runtime),
    available: row.available === true,
    pending: Number(row.pending),
  };
}
