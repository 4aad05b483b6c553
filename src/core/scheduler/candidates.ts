import { statement, type Row } from '../../database/index.js';
import { instantOrNull, nameFromBytes } from '../instant.js';
import type { Candidate } from './candidate.js';

/*
 * What the scheduler chooses from, in one statement: the specs that have a unit available or could make one, with the number of
 * pending units wherever that number can matter (more than one candidate, or a limit). Specs without work cost nothing: those
 * with work are found by skipping from one to the next in the index of ready, and spec ids of one namespace are one range of it.
 * The first row's due_* say whether something must expire or be promoted before the answer can be relied upon; on an answer without
 * candidates they come in a row without an id. (A limit with an order instead of EXISTS: it must be the index, whatever the statistics.)
 */

const describe = (s: string, found: string, parameters: { now: string }): string => `
    candidate as materialized (
      select
        w.id, w.name, w.priority, w.weight, w.paused, w.continuous, w.next_continuous, w.max_running, w.max_attempts_returned,
        w.min_memory_gb, w.runtime,
        found.waiting or (
          select true from ${s}.ready r where r.spec_id = w.id order by r.rank, r.name limit 1
        ) is true as available,
        count(*) over () as competitors
      from (${found}) found
      cross join lateral (select * from ${s}.work_spec w where w.id = found.id offset 0) w
      where not w.paused and w.weight > 0
    )
    select
      coalesce(${parameters.now}::timestamptz, statement_timestamp()) as now,
      (
        select true from ${s}.lease
        where expires_at < coalesce(${parameters.now}::timestamptz, statement_timestamp()) order by expires_at limit 1
      ) is true as due_leases,
      (
        select true from ${s}.delayed
        where not_before <= coalesce(${parameters.now}::timestamptz, statement_timestamp()) order by not_before limit 1
      ) is true as due_delayed,
      c.*,
      case when c.competitors > 1 or c.max_running > 0 or not c.available then (
        select count(*) from ${s}.lease l where l.spec_id = c.id
      ) else 0 end as pending
    from (select) one left join candidate c on true
    order by c.name`;

/** All specs of a namespace. Index: ready (spec_id, …), one probe a spec that has work. Parameters: from id, to id, now. */
export const listCandidates = statement(
  'scheduler.list-candidates',
  (s) => `
    with recursive waiting (spec_id) as (
      (
        select spec_id from ${s}.ready
        where spec_id >= $1::bigint and spec_id < $2::bigint
        order by spec_id limit 1
      )
      union all
      select (
        select r.spec_id from ${s}.ready r
        where r.spec_id > waiting.spec_id and r.spec_id < $2::bigint
        order by r.spec_id limit 1
      )
      from waiting where waiting.spec_id is not null
    ),${describe(
      s,
      `
        select spec_id as id, true as waiting from waiting where spec_id is not null
        union all
        select w.id, false from ${s}.work_spec w
        where w.continuous and w.id >= $1::bigint and w.id < $2::bigint
          and w.id not in (select spec_id from waiting where spec_id is not null)`,
      { now: '$3' },
    )}`,
);

/** Specs of given names. Index: work_spec (namespace_id, name), one probe a name. Parameters: namespace id, names, now. */
export const listNamedCandidates = statement(
  'scheduler.list-named-candidates',
  (s) => `
    with${describe(
      s,
      `
        select w.id, false as waiting
        from (select distinct name from unnest($2::bytea[]) as n (name)) n
        cross join lateral (
          select id from ${s}.work_spec w where w.namespace_id = $1::bigint and w.name = n.name offset 0
        ) w`,
      { now: '$3' },
    )}`,
);

/** Only whether something is due, where the candidates are known. Parameters: now. */
export const lookForDue = statement(
  'scheduler.look-for-due',
  (s) => `
    select
      coalesce($1::timestamptz, statement_timestamp()) as now,
      (
        select true from ${s}.lease
        where expires_at < coalesce($1::timestamptz, statement_timestamp()) order by expires_at limit 1
      ) is true as due_leases,
      (
        select true from ${s}.delayed
        where not_before <= coalesce($1::timestamptz, statement_timestamp()) order by not_before limit 1
      ) is true as due_delayed`,
);

/** A spec that could be chosen. */
export interface SpecCandidate extends Candidate {
  readonly id: number;
  readonly maxAttemptsReturned: number;
}

export function candidateFromRow(row: Row): SpecCandidate {
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
