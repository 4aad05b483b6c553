import type { Bucket } from '../backend.js';
import { deleteNamespace } from '../namespace/namespace-statements.js';
import { destroyAllWorkSpecs, destroyWorkSpec, deleteCounts, deleteRanges, forgetDestroyedSpec, listDestroyedSpecs, sweepDestroyedSpec } from './work-spec-statements.js';

/** How many units one statement deletes. */
const sweepLimit = 2_000;

/**
 * Destroys a work spec by name, or (null) the namespace with all of them; resolves to the number of specs there were.
 *
 * First everything disappears at once: the rows are deleted, then the claim gate is passed, so that a claim is either over by then
 * or finds no spec. (In this order: waiting for an adder who holds the spec's row must not keep the gate closed.) Then the
 * units are deleted in batches. If that is interrupted, the next call that destroys anything goes on with it.
 */
export async function destroySpecs(bucket: Bucket, namespaceId: number, name: string | null): Promise<number> {
  const destroyed = await (name === null
    ? bucket.runAndPassGate(destroyAllWorkSpecs, [namespaceId], bucket.backend.step(deleteNamespace, [namespaceId]))
    : bucket.runAndPassGate(destroyWorkSpec, [namespaceId, Buffer.from(name)]));
  await sweepDestroyedSpecs(bucket);
  return destroyed.length;
}

/** Deletes the units of all specs that are gone. */
export async function sweepDestroyedSpecs(bucket: Bucket): Promise<void> {
  for (const { spec_id: specId } of await bucket.run(listDestroyedSpecs)) {
    for (;;) {
      const [row] = await bucket.run(sweepDestroyedSpec, [specId, sweepLimit]);
      if (Number(row?.found) === 0) break;
    }
    for (let time = 1; time <= 2; time++) await bucket.run(deleteCounts, [specId]);
    await bucket.run(deleteRanges, [specId]);
    await bucket.run(forgetDestroyedSpec, [specId]);
  }
}
