import { sqlState } from '../../database/index.js';
import { GoneError, InvalidArgumentError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { nextSpecId } from '../namespace/namespace-statements.js';
import { runAndWake } from '../notify/wake.js';
import type { WorkSpecMeta } from './work-spec-meta.js';
import { createWorkSpec, redefineWorkSpec } from './work-spec-statements.js';

/**
 * Creates or redefines a work spec; resolves to its id. Wakes who waits for work: the spec may have been paused or limited, or be
 * continuous now. Raises Gone when the namespace was destroyed.
 */
export function defineWorkSpec(
  bucket: Bucket,
  namespaceId: number,
  name: string,
  data: Buffer,
  meta: WorkSpecMeta,
): Promise<number> {
  const definition = [
    namespaceId,
    Buffer.from(name),
    data,
    meta.priority,
    meta.weight,
    meta.paused,
    meta.continuous,
    meta.intervalMs,
    meta.maxRunning,
    meta.maxAttemptsReturned,
    meta.maxRetries,
    meta.minMemoryGb,
    Buffer.from(meta.nextWorkSpecName),
    Buffer.from(meta.runtime),
  ];
  return bucket.backend.database.transaction({}, async (transaction) => {
    const redefine = async (): Promise<number | undefined> => {
      const values = [...definition, bucket.backend.now()];
      const [row] = await runAndWake(bucket, namespaceId, [redefineWorkSpec, values], { on: transaction });
      return row === undefined ? undefined : Number(row.id);
    };
    const existing = await redefine();
    if (existing !== undefined) return existing;
    // Locks the namespace's row: of two who create the same spec, the second finds it here.
    const [next] = await bucket.backend.run(nextSpecId, [namespaceId], transaction).catch(noMoreSpecs);
    if (next === undefined) throw new GoneError();
    const created = await redefine();
    if (created !== undefined) return created;
    const [row] = await bucket.run(createWorkSpec, [...definition, Number(next.spec_id)], transaction);
    return Number(row?.id);
  });
}

/** The ids of a namespace's work specs, destroyed ones included, are used up. */
function noMoreSpecs(error: unknown): never {
  // 23514: last_spec_serial is checked.
  if (sqlState(error) !== '23514') throw error;
  const problem = 'cannot be made: this namespace has had 16777215 work specs, which is as many as it can; make it in another one';
  throw new InvalidArgumentError('data.name', problem, { cause: error });
}
