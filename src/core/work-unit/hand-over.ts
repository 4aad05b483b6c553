import { sqlState, type Row } from '../../database/index.js';
import { mostTogether } from '../attempt/claim-parts.js';
import type { PostgresAttempt } from '../attempt/postgres-attempt.js';
import type { Bucket } from '../backend.js';
import { namesArray } from '../instant.js';
import { addedPayload, attemptPayloads } from '../notify/payload.js';
import { send } from '../notify/send.js';
import { wakeWhoWaits } from '../notify/wake.js';
import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import type { SleepingWorker } from '../worker/idle-workers.js';
import { addAndStartUnits } from './add-and-start.js';
import type { EncodedUnit } from './unit-batch.js';

/** More at once have leases in ranges, and are claimed. */
const mostHandedOver = 15;

/** How long an addition for a worker waits for a lock: the worker keeps room for it meanwhile, and who would change the spec waits, too. */
const lockTimeout = '20ms';

/** Undefined: as of addNewUnits. */
type Added = Row | undefined;

/** A worker of this process that sleeps and may be given these new units of a spec. */
export function findIdleWorker({ backend, idleWorkers }: Bucket, specId: number, units: readonly EncodedUnit[]): SleepingWorker | undefined {
  // Once the connection is being closed nobody could report; and large payloads take a trip of their own.
  if (units.length > mostHandedOver || backend.closing.aborted || units.some(({ data }) => data.length > mostTogether)) return undefined;
  return idleWorkers.find(namespaceOfSpec(specId), specId, units.length);
}

interface NewUnits {
  readonly specId: number;
  readonly count: number;
  /** As addNewUnits takes them: names, data, priorities, names to look up. */
  readonly values: readonly unknown[];
  readonly wantsIds: boolean;
}

/**
 * Adds units for a worker that sleeps in this process: it begins to work on them as soon as they are committed, without asking. If it may not have them, they
 * are added as for anybody. 'locked': nothing was added, as that would have had to wait for somebody's lock.
 */
export async function addForIdleWorker(
  bucket: Bucket,
  worker: SleepingWorker,
  { specId, count, values, wantsIds }: NewUnits,
): Promise<Added | 'locked'> {
  const { database } = bucket.backend;
  const namespaceId = namespaceOfSpec(specId);
  const now = bucket.backend.now();
  const { lifetimeMs, availableGb, runtimes, workSpecs } = worker.request;
  const beganAt = performance.now();
  const handing = handOver(worker, count);
  try {
    const [row] = await bucket.run(addAndStartUnits, [
      ...[specId, ...values, lockTimeout, wantsIds],
      ...[worker.workerId, lifetimeMs, now, bucket.horizon.since(now), availableGb ?? null],
      ...[runtimes === undefined ? null : namesArray(runtimes), namesArray(workSpecs), namespaceId],
      ...bucket.fronts.parameters(),
    ]);
    if (row === undefined || Number(row.specs) === 0) return undefined;
    const added = addedPayload(namespaceId, specId, count);
    if (row.heads === null) {
      bucket.idleWorkers.declined(namespaceId, specId, worker);
      await database.continuing(() => wakeWhoWaits(bucket, namespaceId, [added]));
      return row;
    }
    bucket.newestNumber = Math.max(bucket.newestNumber, Number(row.greatest));
    bucket.rotation.claimed(bucket.newestNumber, { isDry: true });
    const attempts = await worker.attemptsOf(specId, row, beganAt);
    if (row.watched === true) {
      // First, or it could be told before that they have ended.
      const started = attempts.map(({ number, workUnit }) => ({ number, unitId: workUnit.id }));
      await database.continuing(() => send(bucket, [added, ...attemptPayloads('started', namespaceId, started)]));
    }
    handing.give(attempts);
    return row;
  } catch (error) {
    // 55P03: a lock was not to be had in time.
    if (sqlState(error) !== '55P03') throw error;
    bucket.idleWorkers.declined(namespaceId, specId, worker);
    return 'locked';
  } finally {
    handing.give([]);
  }
}

interface Handing {
  /** Only the first call counts. */
  give(attempts: PostgresAttempt[]): void;
}

function handOver(worker: SleepingWorker, count: number): Handing {
  let give: Handing['give'] = () => undefined;
  // Who has added them is to know first: a handler may look for what he keeps of them.
  worker.expect(count, new Promise((resolve) => (give = (attempts) => setImmediate(() => resolve(attempts)))));
  return { give };
}
