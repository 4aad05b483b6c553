import { instantOrNull } from '../../core/instant.js';
import type { PostgresWorkUnit } from '../../core/work-unit/postgres-work-unit.js';
import type { WorkUnitMeta } from '../../core/work-unit/work-unit.js';
import { statement, type Transaction } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';

/** Keeps the unit from ending until the end of the transaction; claims of other units go on. Parameters: unit id. */
const lockUnit = statement(
  'rpc.hold-unit',
  (s) => `select priority, not_before, ended from ${s}.work_unit where id = $1::bigint for no key update`,
);

/** Keeps a unit from ending; resolves to its meta, or to null when it has ended already. Raises Gone. */
export async function holdUnit(unit: PostgresWorkUnit, transaction: Transaction): Promise<WorkUnitMeta | null> {
  const [row] = await unit.bucket.run(lockUnit, [unit.id], transaction);
  if (row === undefined) throw new GoneError();
  return row.ended === null ? { priority: Number(row.priority), notBefore: instantOrNull(row.not_before) } : null;
}
