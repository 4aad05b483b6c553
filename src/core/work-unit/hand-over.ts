import { byteaArray, type Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { addedPayload, attemptPayloads } from '../notify/payload.js';
import { send } from '../notify/send.js';
import { wakeWhoWaits } from '../notify/wake.js';
import type { PostgresAttempt } from '../attempt/postgres-attempt.js';
import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import type { SleepingWorker } from '../worker/idle-workers.js';
import { addAndStartUnits } from './add-and-start.js';

/** More at once have leases in ranges, and are claimed. */
const mostHandedOver = 15;

/** A worker of this process that sleeps and may be given so many new units of a spec. */
export function findIdleWorker({ idleWorkers }: Bucket, specId: number, count: number): SleepingWorker | undefined {
  return count > mostHandedOver ? undefined : idleWorkers.find(namespaceOfSpec(specId), specId, count);
}

/**
 * Adds units for a worker that sleeps in this process: it begins to work on them as soon as they are committed, without asking. If it may not have them, they are
 * added as for anybody. `values` are the first parameters of addAndStartUnits; the row is undefined as for addNewUnits.
 */
export async function addForIdleWorker(bucket: Bucket, worker: SleepingWorker, count: number, values: readonly unknown[]): Promise<Row | undefined> {
  const specId = Number(values[0]);
  const namespaceId = namespaceOfSpec(specId);
  const now = bucket.backend.now();
  const { lifetimeMs, availableGb, runtimes, workSpecs } = worker.request;
  const beganAt = performance.now();
  const handing = handOver(worker, count);
  try {
    const [row] = await bucket.run(addAndStartUnits, [
      ...values,
      ...[worker.workerId, lifetimeMs, now, bucket.horizon.since(now), availableGb ?? null],
      ...[runtimes === undefined ? null : namesArray(runtimes), namesArray(workSpecs), namespaceId],
    ]);
    if (row === undefined || Number(row.specs) === 0) return undefined;
    const added = addedPayload(namespaceId, specId, count);
    if (row.heads === null) {
      bucket.idleWorkers.declined(namespaceId, specId, worker);
      await bucket.backend.database.continuing(() => wakeWhoWaits(bucket, namespaceId, [added]));
      return row;
    }
    bucket.newestNumber = Math.max(bucket.newestNumber, Number(row.greatest));
    const attempts = await worker.attemptsOf(specId, row, beganAt);
    handing.give(attempts);
    if (row.watched === true) {
      const started = attempts.map(({ number, workUnit }) => ({ number, unitId: workUnit.id }));
      await send(bucket, [added, ...attemptPayloads('started', namespaceId, started)]);
    }
    return row;
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

function namesArray(names: readonly string[]): Buffer {
  return byteaArray(names.map((name) => Buffer.from(name)));
}
