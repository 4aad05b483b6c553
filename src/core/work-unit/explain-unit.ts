import { statement, type Row } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { instant, instantOrNull, nameFromBytes } from '../instant.js';
import type { Explanation, Reason } from './explanation.js';
import type { WorkUnitStatus } from './work-unit-status.js';

/** Counting the units that come before stops here. */
const mostAhead = 1_000;

/** A runtime that no worker has asked for in so long is one that nobody offers. */
const lately = '15 minutes';

/**
 * All that can keep a unit from running. Indexes: ready_order and ready_range_order, up to `mostAhead` units before the unit's own; lease
 * (spec_id, unit_id). Parameters: unit id, namespace id, now, how many units ahead to count.
 */
const readCircumstances = statement(
  'work-unit.explain',
  (s) => `
    select
      ${s}.unit_status(
        u.ended, l.unit_id is not null, u.not_before, coalesce($3::timestamptz, statement_timestamp())
      ) as status,
      u.not_before, coalesce(l.number, u.active_attempt) as number, l.expires_at, a.ended_at,
      (select h.name from ${s}.worker h where h.id = l.worker_id) as holder,
      w.paused, w.weight, w.priority, w.runtime, w.max_running, w.max_retries,
      (select count(*) from ${s}.any_lease o where o.spec_id = w.id) as pending,
      -- One whose delay has passed may still be among the delayed.
      coalesce(
        (
          select r.attempts from ${s}.ready r
          where r.generation = any((select ${s}.live_generations())::bigint[])
            and r.spec_id = u.spec_id and r.rank = -u.priority and r.name = u.name
        ),
        (select 0 from ${s}.ready_range r where r.id = u.waits_in and u.id = any(r.unit_ids)),
        (select d.attempts from ${s}.delayed d where d.spec_id = u.spec_id and d.unit_id = u.id)
      ) as attempts,
      (
        select count(*) from (
          (
            select from ${s}.ready r
            where r.generation = any((select ${s}.live_generations())::bigint[])
              and r.spec_id = u.spec_id and (r.rank, r.name) < (-u.priority, u.name)
            limit $4::integer
          )
          union all
          (
            select from ${s}.ready_range r
            cross join lateral unnest(r.unit_ids) as m (unit_id)
            cross join lateral (
              select o.name from ${s}.work_unit o where o.id = m.unit_id and o.waits_in = r.id and o.ended is null offset 0
            ) o
            where r.generation = any((select ${s}.live_generations())::bigint[])
              and r.spec_id = u.spec_id and (r.rank, r.first_name) < (-u.priority, u.name) and (r.rank, o.name) < (-u.priority, u.name)
            limit $4::integer
          )
          limit $4::integer
        ) before
      ) as ahead,
      (
        select array[o.name, convert_to(o.priority::text, 'UTF8')]
        from ${s}.work_spec o
        where o.namespace_id = $2::bigint and o.priority > w.priority and not o.paused and o.weight > 0
          and ((
            select true from ${s}.ready r
            where r.generation = any((select ${s}.live_generations())::bigint[]) and r.spec_id = o.id
            order by r.generation limit 1
          ) is true or (
            select true from ${s}.ready_range r
            where r.generation = any((select ${s}.live_generations())::bigint[]) and r.spec_id = o.id
            order by r.generation limit 1
          ) is true)
          and (o.max_running <= 0 or o.max_running > (select count(*) from ${s}.any_lease ol where ol.spec_id = o.id))
        order by o.priority desc, o.name limit 1
      ) as outranked_by,
      exists (
        select from ${s}.runtime_request q
        where q.namespace_id = $2::bigint and (q.runtime is null or q.runtime = w.runtime)
          and q.asked_at > coalesce($3::timestamptz, statement_timestamp()) - interval '${lately}'
      ) as asked_for
    from ${s}.work_unit u
    join ${s}.work_spec w on w.id = u.spec_id
    left join lateral (select * from ${s}.lease_of_unit l where l.unit_id = u.id offset 0) l on true
    left join lateral (
      select * from ${s}.any_attempt a where a.spec_id = u.spec_id and a.unit_id = u.id and a.number = u.active_attempt offset 0
    ) a on true
    where u.id = $1::bigint`,
);

/** Why a unit is, or is not, running. Raises Gone. */
export async function explainUnit(bucket: Bucket, namespaceId: number, unitId: number): Promise<Explanation> {
  const [row] = await bucket.look(readCircumstances, [unitId, namespaceId, bucket.backend.now(), mostAhead]);
  if (row === undefined) throw new GoneError();
  const status = row.status as WorkUnitStatus;
  const reasons = reasonsOf(status, row);
  return { status, reasons, text: describe(status, reasons) };
}

function reasonsOf(status: WorkUnitStatus, row: Row): Reason[] {
  const attempt = Number(row.number);
  switch (status) {
    case 'finished':
    case 'failed':
      return [{ kind: status, attempt, endTime: instant(row.ended_at) }];
    case 'pending':
      return [{ kind: 'held', attempt, worker: nameFromBytes(row.holder), until: instant(row.expires_at) }];
    default:
      return waitingReasons(row, status === 'delayed' ? instantOrNull(row.not_before) : null);
  }
}

function waitingReasons(row: Row, delayedUntil: Date | null): Reason[] {
  const reasons: Reason[] = [];
  const [weight, maxRunning, pending] = [Number(row.weight), Number(row.max_running), Number(row.pending)];
  if (row.paused === true) reasons.push({ kind: 'paused' });
  if (weight <= 0) reasons.push({ kind: 'weightless', weight });
  if (delayedUntil !== null) reasons.push({ kind: 'delayed', until: delayedUntil });
  if (maxRunning > 0 && pending >= maxRunning) reasons.push({ kind: 'limit-reached', maxRunning, pending });
  if (row.asked_for !== true) reasons.push({ kind: 'no-worker', runtime: nameFromBytes(row.runtime) });
  const [attempts, maxRetries] = [Number(row.attempts ?? 0), Number(row.max_retries)];
  if (maxRetries > 0 && attempts >= maxRetries) reasons.push({ kind: 'retries-spent', attempts, maxRetries });
  if (row.outranked_by !== null) {
    const [name, priority] = row.outranked_by as [Buffer, Buffer];
    reasons.push({ kind: 'outranked-by-spec', workSpec: nameFromBytes(name), priority: Number(priority.toString()) });
  }
  const ahead = Number(row.ahead);
  if (delayedUntil === null && ahead > 0) {
    reasons.push({ kind: 'outranked-by-units', ahead, atLeast: ahead >= mostAhead });
  }
  return reasons;
}

function describe(status: WorkUnitStatus, reasons: readonly Reason[]): string {
  if (reasons.length === 0) return 'It is available, and the next one to be handed out of its work spec.';
  const waits = status === 'available' || status === 'delayed';
  return `It is ${waits ? `${status}, and not running` : status}: ${reasons.map(describeReason).join('; ')}.`;
}

function describeReason(reason: Reason): string {
  switch (reason.kind) {
    case 'finished':
    case 'failed':
      return `attempt ${reason.attempt} ${reason.kind} at ${reason.endTime.toISOString()}`;
    case 'held':
      return `worker ${JSON.stringify(reason.worker)} holds it by attempt ${reason.attempt} until ${reason.until.toISOString()}`;
    case 'delayed':
      return `it may not run before ${reason.until.toISOString()}`;
    case 'paused':
      return 'its work spec is paused';
    case 'weightless':
      return `its work spec has the weight ${reason.weight}, and is never chosen`;
    case 'limit-reached':
      return `${reason.pending} units of its work spec are pending, and ${reason.maxRunning} are allowed`;
    case 'outranked-by-spec':
      return `work spec ${JSON.stringify(reason.workSpec)} of priority ${reason.priority} comes first`;
    case 'outranked-by-units':
      return `${reason.atLeast ? 'at least ' : ''}${reason.ahead} units of its work spec come before it`;
    case 'no-worker':
      return `no worker has asked for the runtime ${JSON.stringify(reason.runtime)} in the last ${lately}`;
    case 'retries-spent':
      return `it had ${reason.attempts} attempts of ${reason.maxRetries} allowed, and the next claim will fail it`;
  }
}
