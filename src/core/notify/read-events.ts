import { int8Array, statement } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { instant, nameFromBytes } from '../instant.js';
import type { NamespaceEvent } from './namespace-event.js';
import type { AttemptChange, AttemptReference } from './payload.js';

/** An event as it was told: by ids. */
export type EventReference =
  | { readonly kind: 'missed' }
  | { readonly kind: 'added'; readonly specId: number; readonly count: number }
  | ({ readonly kind: AttemptChange } & AttemptReference);

/**
 * What attempts are called, in the order given; those of deleted units are left out. One probe of each table an attempt.
 * Parameters: unit ids, numbers.
 */
const readAttemptNames = statement(
  'notify.read-attempt-names',
  (s) => `
    select told.number, p.name as spec_name, u.name as unit_name, w.name as worker_name, a.started_at, a.ended_at
    from unnest($1::bigint[], $2::bigint[]) as told (unit_id, number)
    cross join lateral (select * from ${s}.work_unit u where u.id = told.unit_id offset 0) u
    cross join lateral (select p.name from ${s}.work_spec p where p.id = u.spec_id offset 0) p
    cross join lateral (
      select * from ${s}.any_attempt a where a.spec_id = u.spec_id and a.unit_id = u.id and a.number = told.number limit 1
    ) a
    cross join lateral (select w.name from ${s}.worker w where w.id = a.worker_id offset 0) w`,
);

/** Parameters: spec ids. */
const readSpecNames = statement(
  'notify.read-spec-names',
  (s) => `select id, name from ${s}.work_spec where id = any($1::bigint[])`,
);

/** The events with the names of what they are about, in order. Without those of what has been deleted meanwhile. */
export async function readEvents(bucket: Bucket, told: readonly EventReference[]): Promise<NamespaceEvent[]> {
  const attempts = told.filter((reference) => reference.kind !== 'missed' && reference.kind !== 'added');
  const specIds = told.flatMap((reference) => (reference.kind === 'added' ? [reference.specId] : []));
  const values = [int8Array(attempts.map(({ unitId }) => unitId)), int8Array(attempts.map(({ number }) => number))];
  const rows = attempts.length === 0 ? [] : await bucket.run(readAttemptNames, values);
  const specs = specIds.length === 0 ? [] : await bucket.run(readSpecNames, [int8Array([...new Set(specIds)])]);
  const byNumber = new Map(rows.map((row) => [Number(row.number), row]));
  const specNames = new Map(specs.map((row) => [Number(row.id), nameFromBytes(row.name)]));
  return told.flatMap((reference): NamespaceEvent[] => {
    if (reference.kind === 'missed') return [reference];
    if (reference.kind === 'added') {
      const workSpec = specNames.get(reference.specId);
      return workSpec === undefined ? [] : [{ kind: 'added', workSpec, count: reference.count }];
    }
    const { kind, number } = reference;
    const row = byNumber.get(number);
    if (row === undefined) return [];
    return [
      {
        kind,
        workSpec: nameFromBytes(row.spec_name),
        workUnit: nameFromBytes(row.unit_name),
        attempt: number,
        worker: nameFromBytes(row.worker_name),
        time: instant(kind === 'started' ? row.started_at : (row.ended_at ?? row.started_at)),
      },
    ];
  });
}
