import { decodeData, type DataDictionary } from '../../codec/index.js';
import { bytes, instant, nameFromBytes } from '../../core/instant.js';
import type { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';
import { statement } from '../../database/index.js';
import { tooLarge } from '../refusal.js';

/** A unit that a child of a worker has an attempt on, with what its active attempt says. */
export interface ChildUnit {
  readonly workSpec: string;
  readonly key: Uint8Array;
  readonly data: DataDictionary;
  readonly worker: string;
  readonly expiration: Date;
}

/**
 * The pending attempts of all children of a worker, and for each the active attempt of its unit, which may be another worker's. A child that
 * has none has a row without a unit. Indexes: worker (namespace_id, name), worker_parent, lease_worker, superseded_worker. Parameters: namespace
 * id, the parent's name, most bytes of data.
 */
const listChildWork = statement(
  'rpc.list-child-work',
  (s) => `
    select
      p.child_name, p.spec_name, p.unit_name, p.worker_name, p.expires_at,
      case when p.size_so_far <= $3::bigint then p.data end as data
    from (
      select q.*, sum(octet_length(q.data)) over (order by q.child_name, q.held rows unbounded preceding) as size_so_far
      from (
        select
          c.name as child_name, a.held, a.spec_name, a.unit_name, a.worker_name, a.expires_at, a.data
        from (select id from ${s}.worker where namespace_id = $1::bigint and name = $2::bytea offset 0) parent
        join ${s}.worker c on c.parent_id = parent.id
        left join lateral (
          select
            h.number as held, w.name as spec_name, u.name as unit_name, v.expires_at, coalesce(v.data, u.data) as data,
            (select x.name from ${s}.worker x where x.id = v.worker_id) as worker_name
          from (
            select spec_id, unit_id, number from ${s}.any_lease where worker_id = c.id
            union all
            select spec_id, unit_id, number from ${s}.superseded where worker_id = c.id
          ) h
          join ${s}.work_unit u on u.id = h.unit_id
          join ${s}.work_spec w on w.id = u.spec_id
          left join lateral (select * from ${s}.lease_of_unit l where l.unit_id = u.id offset 0) l on true
          cross join lateral (
            select * from ${s}.any_attempt v
            where v.spec_id = u.spec_id and v.unit_id = u.id and v.number = coalesce(l.number, u.active_attempt)
            offset 0
          ) v
        ) a on true
      ) q
    ) p
    order by p.child_name, p.held`,
);

/** What the children of a worker are doing, by the name of the child; nothing of a worker that there is not. Refuses what would be too large. */
export async function childWork({ bucket, id }: PostgresNamespace, parent: string, maxBytes: number): Promise<Map<string, ChildUnit[]>> {
  const children = new Map<string, ChildUnit[]>();
  for (const row of await bucket.look(listChildWork, [id, Buffer.from(parent), maxBytes])) {
    const child = nameFromBytes(row.child_name);
    const units = children.get(child) ?? [];
    children.set(child, units);
    if (row.unit_name === null) continue;
    if (row.data === null) throw tooLarge(maxBytes);
    units.push({
      workSpec: nameFromBytes(row.spec_name),
      key: bytes(row.unit_name),
      data: decodeData(bytes(row.data)),
      worker: nameFromBytes(row.worker_name),
      expiration: instant(row.expires_at),
    });
  }
  return children;
}
