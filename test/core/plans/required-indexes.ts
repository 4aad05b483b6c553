/** By which indexes our statements must find their rows. */
export const requiredIndexes: readonly (readonly [label: string, ...indexes: string[]])[] = [
  ['scheduler.list-candidates', 'ready (generation, spec_id, rank, name)', 'work_spec (id)', 'lease (expires_at)', 'delayed (not_before)'],
  ['scheduler.list-named-candidates', 'work_spec (namespace_id, name)', 'ready (generation, spec_id, rank, name)'],
  ['attempt.claim', 'work_spec (id)', 'ready (generation, spec_id, rank, name)'],
  ['attempt.read-claimed', 'lease (worker_id, number)', 'work_unit (id)'],
  ['attempt.end', 'work_unit (id)', 'lease (spec_id, unit_id)'],
  ['attempt.renew', 'work_unit (id)', 'lease (spec_id, unit_id)'],
  ['attempt.read', 'work_unit (id)', 'lease (spec_id, unit_id)', 'attempt (unit_id, number)'],
  ['attempt.list-of-unit', 'work_unit (id)', 'lease (spec_id, unit_id)', 'attempt (unit_id, number)', 'superseded (unit_id)'],
  ['attempt.list-named', 'work_spec (namespace_id, name)', 'work_unit (spec_id, name)', 'lease (spec_id, unit_id)', 'attempt (unit_id, number)'],
  ['attempt.list-all-of-worker', 'attempt (worker_id, number)', 'lease (worker_id, number)', 'superseded (worker_id, number)', 'work_unit (id)'],
  ['attempt.list-active-of-worker', 'lease (worker_id, number)', 'superseded (worker_id, number)', 'work_unit (id)'],
  ['notify.read-outcomes', 'work_unit (id)', 'work_spec (id)', 'attempt (unit_id, number)'],
  ['notify.next-due', 'delayed (not_before)', 'lease (expires_at)', 'work_spec (id)'],
  ['notify.wake', 'waiter (namespace_id, since)'],
  ['work-unit.read', 'work_unit (id)', 'lease (spec_id, unit_id)', 'attempt (unit_id, number)'],
  ['work-unit.find', 'work_unit (spec_id, name)'],
  ['work-unit.list-in-order', 'work_unit (spec_id, name)'],
  ['work-unit.list-named', 'work_unit (spec_id, name)', 'lease (spec_id, unit_id)'],
  ['work-unit.list-by-status', 'work_unit (spec_id, name)', 'lease (spec_id, unit_id)'],
  ['work-unit.list-unended', 'lease (spec_id, unit_id)', 'ready (generation, spec_id, rank, name)', 'delayed (spec_id, unit_id)', 'work_unit (id)'],
  ['summary.oldest-waiting', 'ready (generation, spec_id, rank, name)', 'work_unit (id)'],
  ['telemetry.attempt-times', 'work_unit (id)', 'attempt (unit_id, number)', 'lease (spec_id, unit_id)'],
  ['worker.list-active', 'worker (namespace_id, name)'],
];

/** By which indexes the functions in the database must, which run statements of their own: by the operation that calls them. */
export const requiredOfOperations: readonly (readonly [operation: string, ...indexes: string[]])[] = [
  ['looking at a unit whose lease has run out', 'lease (expires_at)', 'superseded (expires_at)', 'lease (spec_id, unit_id)', 'work_unit (id)'],
  ['asking for what is delayed no longer', 'delayed (not_before)', 'work_unit (id)'],
  ['replacing units', 'work_unit (spec_id, name)', 'work_unit (id)', 'ready (generation, spec_id, rank, name)', 'delayed (spec_id, unit_id)'],
  ['replacing a finished unit', 'attempt (unit_id, number)', 'lease (spec_id, unit_id)'],
  ['changing a priority', 'ready (generation, spec_id, rank, name)', 'work_unit (id)'],
  ['deleting a unit', 'attempt (unit_id, number)', 'superseded (unit_id)', 'lease (spec_id, unit_id)', 'work_unit (id)'],
  ['clearing the active attempt, then renewing it', 'lease (spec_id, unit_id)', 'work_unit (id)'],
];
