import type { WorkSpec } from '../core/work-spec/work-spec.js';
import type { WorkUnitQuery } from '../core/work-spec/work-unit-query.js';
import type { WorkUnit } from '../core/work-unit/work-unit.js';
import { pageSize } from './listing.js';

/** The units of a query, a page at a time, in order of name. */
export async function* unitPages(spec: WorkSpec, query: WorkUnitQuery): AsyncGenerator<WorkUnit[]> {
  const { limit: most = Number.POSITIVE_INFINITY } = query;
  let { previousName } = query;
  for (let left = most; left > 0; ) {
    const limit = Math.min(left, pageSize);
    const units = await spec.workUnits({ ...query, limit, ...(previousName !== undefined && { previousName }) });
    if (units.length > 0) yield units;
    if (units.length < limit) return;
    left -= units.length;
    previousName = units.at(-1)?.key;
  }
}
