import { statement, type Statement } from '../../database/index.js';

/** A way of finding units: to name them, or to read them in the same statement, and so at the same moment. */
export interface Listing {
  /** Answers ids and names, in bytewise order of the names. */
  readonly list: Statement;
  /**
   * Answers, in that order, a row for each unit, and after it, where attempts are asked for, one for each of its attempts. `listed` is how many
   * units there would have been without the limit of bytes. Parameters: those of `list`; parts, now, most bytes.
   */
  readonly read: Statement;
}

/** `text` has so many parameters, and answers `id` and `name`. */
export function listing(name: string, parameters: number, text: Statement['text']): Listing {
  const [parts, now, mostBytes] = [`$${parameters + 1}::text[]`, `$${parameters + 2}::timestamptz`, `$${parameters + 3}::bigint`];
  return {
    list: statement(`work-unit.list-${name}`, text),
    read: statement(`work-unit.read-${name}`, (s, catalog) => readingText(s, { list: text(s, catalog), parts, now, mostBytes })),
  };
}

/**
 * Data are measured before they are taken (their length is known without reading what is stored apart), so that a page of large units is
 * a short one. Indexes: the primary keys of work_unit and lease, attempt (unit_id, number), superseded (unit_id), a probe each for each unit.
 */
function readingText(s: string, { list, parts, now, mostBytes }: Record<'list' | 'parts' | 'now' | 'mostBytes', string>): string {
  return `
    with unit as materialized (
      select * from (
        select
          found.*, count(*) over () as listed,
          coalesce(sum(found.bytes) over (order by found.name rows between unbounded preceding and 1 preceding), 0) as bytes_before
        from (
          select
            u.id, u.spec_id, u.name, u.priority, u.not_before, u.data as own_data, coalesce(l.data, a.data, u.data) as data,
            ${s}.unit_status(u.ended, l.unit_id is not null, u.not_before, coalesce(${now}, statement_timestamp())) as status,
            case when 'data' = any(${parts}) then octet_length(coalesce(l.data, a.data, u.data)) else 0 end
              + case when 'ownData' = any(${parts}) then octet_length(u.data) else 0 end
              + case when 'attempts' = any(${parts}) then (
                  select coalesce(sum(octet_length(coalesce(h.data, u.data))), 0)
                  from ${s}.any_attempt h where h.spec_id = u.spec_id and h.unit_id = u.id
                ) else 0 end as bytes
          from (${list}
          ) listed
          cross join lateral (select * from ${s}.work_unit u where u.id = listed.id offset 0) u
          left join lateral (select * from ${s}.lease_of_unit l where l.unit_id = u.id offset 0) l on true
          left join lateral (
            select * from ${s}.attempt a where a.unit_id = u.id and a.number = u.active_attempt offset 0
          ) a on true
        ) found
      ) measured
      where bytes_before = 0 or bytes_before + bytes <= ${mostBytes}
    )
    select
      id, name, listed, status, priority, not_before, case when 'data' = any(${parts}) then data end as data,
      case when 'ownData' = any(${parts}) then own_data end as own_data, null::bigint as number, null::timestamptz as started_at,
      null::timestamptz as ended_at, null::timestamptz as expires_at, null::bigint as worker_id, null::bytea as worker_name
    from unit
    union all
    select
      unit.id, unit.name, null, a.status, null, null, coalesce(a.data, unit.own_data), null, a.number, a.started_at, a.ended_at, a.expires_at,
      a.worker_id, (select w.name from ${s}.worker w where w.id = a.worker_id)
    from unit
    cross join lateral (
      select * from ${s}.any_attempt a where a.spec_id = unit.spec_id and a.unit_id = unit.id offset 0
    ) a
    where 'attempts' = any(${parts})
    order by name, number nulls first`;
}
