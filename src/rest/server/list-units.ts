import type { WorkSpec } from '../../core/work-spec/work-spec.js';
import type { WorkUnitQuery } from '../../core/work-spec/work-unit-query.js';
import { workUnitPages } from '../../core/work-unit/work-unit-pages.js';
import type { WorkUnit } from '../../core/work-unit/work-unit.js';

/** How many units are read at a time: a client that wants no limit gets millions, but the server holds no more than these. */
export const mostListedUnits = 1_000;

/** The units that a query begins with, in order of name; fewer than `mostListedUnits` are all there are. */
export function firstUnits(spec: WorkSpec, query: WorkUnitQuery): Promise<WorkUnit[]> {
  return spec.workUnits({ ...query, limit: Math.min(query.limit ?? mostListedUnits, mostListedUnits) });
}

/** Those that come after the first ones, a page after the other: what is added or deleted meanwhile may or may not be among them. */
export async function* furtherUnits(spec: WorkSpec, query: WorkUnitQuery, first: readonly WorkUnit[]): AsyncGenerator<readonly WorkUnit[]> {
  let last = first.at(-1);
  let left = (query.limit ?? Number.POSITIVE_INFINITY) - first.length;
  while (last !== undefined && left > 0) {
    const rest: WorkUnitQuery = { ...query, previousName: last.key, ...(Number.isFinite(left) && { limit: left }) };
    if (query.statuses !== undefined && query.names === undefined) {
      // A list by status reads all units of that status to find the first of them; going on by name does not.
      for await (const page of workUnitPages(spec, rest)) yield page.map(({ workUnit }) => workUnit);
      return;
    }
    const page = await firstUnits(spec, rest);
    if (page.length > 0) yield page;
    if (page.length < mostListedUnits) return;
    left -= page.length;
    last = page.at(-1);
  }
}
