import type { DataDictionary } from '../../codec/index.js';
import type { WorkSpec } from '../work-spec/work-spec.js';
import type { WorkUnitQuery } from '../work-spec/work-unit-query.js';
import { mostPageUnits, type WorkUnitPart, type WorkUnitReading } from './work-unit-page.js';

/**
 * All units of a query, however many, a page at a time (see `spec.readWorkUnits`), in order of name. No more than a page is held in memory. Each unit is
 * read at one moment, the pages one after the other: what is added or deleted meanwhile may or may not be among them.
 * Raises InvalidArgument; Gone.
 *
 * @example
 * for await (const page of workUnitPages(spec, { statuses: ['failed'] }, ['data'])) {
 *   for (const { workUnit, data } of page) console.log(workUnit.name, data.error);
 * }
 */
export async function* workUnitPages<Data extends DataDictionary, Part extends WorkUnitPart = never>(
  spec: WorkSpec<Data, never>,
  query: WorkUnitQuery = {},
  parts: readonly Part[] = [],
): AsyncGenerator<readonly WorkUnitReading<Data, Part>[]> {
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  let { previousName } = query;
  do {
    const limit = Math.min(left, mostPageUnits);
    const { units, next } = await spec.readWorkUnits({ ...query, limit, ...(previousName !== undefined && { previousName }) }, parts);
    if (units.length > 0) yield units;
    left -= units.length;
    if (next === null) return;
    previousName = next;
  } while (left > 0);
}
