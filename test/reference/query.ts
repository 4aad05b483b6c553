import type { WorkUnitQuery } from '../../src/core/work-spec/work-unit-query.js';
import { idOf } from './order.js';
import { unitsByName, unitStatus, type SpecRecord, type UnitRecord } from './state.js';

/** The units that meet all conditions given, ordered by name. An empty list is a condition that none meets. */
export function matchingUnits(spec: SpecRecord, query: WorkUnitQuery): UnitRecord[] {
  const now = spec.namespace.store.clock.now();
  const ids = query.names === undefined ? null : new Set(query.names.map(idOf));
  const previousId = query.previousName === undefined ? '' : idOf(query.previousName);
  return unitsByName(spec)
    .filter(({ id }) => ids === null || ids.has(id))
    .filter((unit) => query.statuses === undefined || query.statuses.includes(unitStatus(unit, now)))
    .filter(({ id }) => id > previousId)
    .slice(0, query.limit);
}
