import type { Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { nameFromBytes } from '../instant.js';
import { workUnitStatuses, type WorkUnitStatus } from '../work-unit/work-unit-status.js';
import { countUnits } from './count-units.js';
import type { SummaryRow } from './summary.js';

/** The counts of the specs in a range of ids. `namespaceName` answers undefined for one that is none of the caller's. */
export async function countAllUnits(
  bucket: Bucket,
  [from, to]: readonly [from: number, to: number],
  namespaceName: (id: number) => string | undefined,
): Promise<SummaryRow[]> {
  const rows = await bucket.look(countUnits, [from, to, bucket.backend.now()]);
  return rows.flatMap((row) => {
    const namespace = namespaceName(Number(row.namespace_id));
    if (namespace === undefined) return [];
    return nonZeroCounts(row).map(([status, count]) => ({ namespace, workSpec: nameFromBytes(row.name), status, count }));
  });
}

/** The counts of a row of countUnits, in the order of the statuses; zero ones left out. */
export function nonZeroCounts(row: Row): [status: WorkUnitStatus, count: number][] {
  return workUnitStatuses
    .map((status): [WorkUnitStatus, number] => [status, Number(row[status])])
    .filter(([, count]) => count !== 0);
}
