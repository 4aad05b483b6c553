import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { byteaArray } from '../built-product.js';
import { payloadOf, type Product } from '../product.js';
import { bucket, countUnfinished, nameInOrder, us } from './us.js';

/* What our layout writes, in plain SQL: no checks, no gate, no scheduler, no runtime. When the layout changes, so must these. */
const addRows = `
  with base as materialized (select nextval('${bucket}.ready_range_id') * 1000 as id),
  added as (
    insert into ${bucket}.work_unit (spec_id, name, data, waits_in)
    select $1::bigint, name, data, base.id + (at - 1) / 200
    from base, unnest($2::bytea[], $3::bytea[]) with ordinality as unit (name, data, at)
    returning id, waits_in
  ),
  available as (
    insert into ${bucket}.ready_range (id, generation, spec_id, rank, first_name, last_name, unit_ids)
    select
      waits_in, 1, $1::bigint, 0, ($2::bytea[])[(waits_in - (select id from base)) * 200 + 1],
      ($2::bytea[])[least((waits_in - (select id from base)) * 200 + 200, cardinality($2::bytea[]))], array_agg(id order by id)
    from added group by waits_in
  )
  insert into ${bucket}.unit_count (spec_id, kind, delta) values ($1::bigint, 'all', cardinality($2::bytea[]))`;

/**
 * Committed without waiting for the disk, as our claims are. Numbers of two connections mingle without the gate, so each claim has a thousand of its
 * own, of which the server gives out the first.
 */
const claimRows = (locks: boolean): string => `
  with numbers as materialized (select nextval('${bucket}.attempt_number') * 1000 as first),
  range as materialized (
    select ctid as place, id, unit_ids, set_config('synchronous_commit', 'off', true)
    from ${bucket}.ready_range where generation = 1 and spec_id = $1::bigint order by rank, first_name limit $2::bigint / 200 for update skip locked
  ),
  picked as materialized (
    select unit_id, row_number() over () - 1 as at, first, id from range cross join lateral unnest(unit_ids) as m (unit_id) cross join numbers
  ),
  taken as (delete from ${bucket}.ready_range where ctid = any(array(select place from range))),
  ${locks ? `locked as materialized (
    select u.id from ${bucket}.work_unit u
    where u.id = any(array(select unit_id from picked)) and u.ended is null
    for no key update skip locked
  ),` : ''}
  leased as (
    insert into ${bucket}.lease_range (
      first_number, last_number, spec_id, worker_id, started_at, expires_at, unit_ids, least_unit, greatest_unit, waited_in
    )
    select
      min(first + at), max(first + at), $1::bigint, 1, now(), now() + interval '30 s', array_agg(unit_id order by at), min(unit_id), max(unit_id), min(id)
    from picked ${locks ? 'where (unit_id in (select id from locked)) is true' : ''} group by at / 200
  )
  select unit_id, first from picked`;

/** Names and payloads of a claim, as one row. */
const readRows = `
  select string_agg(int8send(u.id) || int4send(octet_length(u.name)) || int4send(octet_length(u.data)), ''::bytea) as heads,
    string_agg(u.name, ''::bytea) as names, string_agg(u.data, ''::bytea) as datas
  from ${bucket}.lease_range r
  cross join lateral (select u.id, u.name, u.data from ${bucket}.work_unit u where u.id = any(r.unit_ids) offset 0) u
  where r.first_number >= $1::bigint and r.first_number < $1::bigint + 1000`;

const finishRows = `
  with ended as (
    delete from ${bucket}.lease_range where first_number >= $3::bigint and first_number < $3::bigint + 1000 returning *
  ),
  unit as (
    update ${bucket}.work_unit u set ended = 'finished', active_attempt = given.number, attempts = 1
    from (select id, $3::bigint + at - 1 as number from unnest($2::bigint[]) with ordinality as g (id, at)) given where u.id = given.id
  ),
  history as (
    insert into ${bucket}.attempt_range (
      first_number, last_number, spec_id, worker_id, status, started_at, ended_at, expires_at, unit_ids
    )
    select first_number, last_number, spec_id, worker_id, 'finished', started_at, now(), expires_at, unit_ids from ended
  )
  insert into ${bucket}.unit_count (spec_id, kind, delta) values ($1::bigint, 'finished', cardinality($2::bigint[]))`;

/** With how many connections it is fastest, found by trying. */
const connections = 2;
const batch = 1_000;

/** `handsOut`: also locks the units that it claims, and reads their names and payloads. */
const plainSql = (title: string, { handsOut }: { readonly handsOut: boolean }): Product => ({
  title,
  batchCallers: connections,
  processes: 1,
  install: us.install,

  async connectProducer(url, callers) {
    const pool = newPool(url, callers);
    const specId = await specIdOf(pool);
    return {
      addBatch: async (from, count, bytes) => {
        const numbers = Array.from({ length: count }, (_, index) => from + index);
        const names = byteaArray(numbers.map((number) => Buffer.from(nameInOrder(number))));
        const data = byteaArray(numbers.map((number) => Buffer.from(JSON.stringify(payloadOf(number, bytes)))));
        await pool.query({ name: 'add', text: addRows, values: [specId, names, data] });
      },
      addOne: () => Promise.reject(new Error('Plain SQL from one process adds batches')),
      countUnfinished: () => countUnfinished(pool),
      close: () => pool.end(),
    };
  },

  async connectWorker(url, _mode, onJob) {
    const pool = newPool(url, connections);
    const specId = await specIdOf(pool);
    let working = true;
    let loops: Promise<unknown> = Promise.resolve();
    const work = async (): Promise<void> => {
      while (working) {
        const { rows } = await pool.query<{ unit_id: string; first: string }>({ name: 'claim', text: claimRows(handsOut), values: [specId, batch] });
        if (handsOut && rows.length > 0) await pool.query({ name: 'read', text: readRows, values: [rows[0]?.first] });
        if (rows.length === 0) await wait(50);
        else await pool.query({ name: 'finish', text: finishRows, values: [specId, rows.map(({ unit_id: id }) => id), rows[0]?.first] });
        rows.forEach(() => onJob());
      }
    };
    return {
      start: async () => void (loops = Promise.all(Array.from({ length: connections }, work))),
      stop: async () => {
        working = false;
        await loops;
        await pool.end();
      },
    };
  },
});

/** How fast the rows of our layout can be written by plain SQL from one process. */
export const ceiling = plainSql('plain SQL', { handsOut: false });

/** The same, but it locks units one by one and reads names and payloads. */
export const ceilingHandingOut = plainSql('plain SQL that locks and reads', { handsOut: true });

/** Plans as the product has them: made once, by the indexes. */
function newPool(url: string, max: number): pg.Pool {
  const off = ['seqscan', 'bitmapscan', 'hashjoin', 'mergejoin'].map((kind) => `-c enable_${kind}=off`).join(' ');
  const pool = new pg.Pool({ connectionString: url, max, options: `-c plan_cache_mode=force_generic_plan ${off}` });
  pool.on('error', () => undefined);
  return pool;
}

async function specIdOf(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(`select id from ${bucket}.work_spec`);
  return rows[0]?.id ?? '';
}
