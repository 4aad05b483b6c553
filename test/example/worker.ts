/** A worker process: asks for work, does it, asks again, until it is told to stop. Nothing is lost if it is killed instead. */
import { setTimeout as wait } from 'node:timers/promises';
import { connect, CoordinateError, type Attempt, type PostgresCoordinate } from 'pg-coordinate';
import { leaseMs, stages } from './flow.js';
import { keepLeases } from './keep-leases.js';
import type { WorkerMessage, WorkerSettings } from './messages.js';
import { steps } from './steps.js';

const settings = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
const mostUnits = 10_000;
const idleMs = 100;

// The driver hangs up when the work is done, and also by dying: it may have done so before this process was ready to listen.
let stopping = !process.connected;
process.on('disconnect', () => (stopping = true));
// Ctrl-C reaches all processes of a terminal. The driver decides what comes of it.
process.on('SIGINT', () => undefined);

await using coordinate = await connect(undefined, { schema: settings.schema, pool: { max: 2 } });
const namespace = await coordinate.namespace(settings.namespace);
const worker = await namespace.worker(settings.name);

while (!stopping) {
  const attempts = await worker.requestAttempts({ numberOfWorkUnits: mostUnits, lifetimeMs: leaseMs, workSpecs: stages });
  if (attempts.length > 0) await work(coordinate, attempts);
  // At random, so that idle workers do not all ask at the same moment.
  else await wait(idleMs * (0.5 + Math.random()));
}
await worker.deactivate();

async function work(coordinate: PostgresCoordinate, attempts: readonly Attempt[]): Promise<void> {
  const workSpec = attempts[0]!.workUnit.workSpec;
  const leases = keepLeases(workSpec.namespace, attempts);
  tell({ event: 'claimed', units: attempts.length });
  try {
    await steps[workSpec.name]!({ coordinate, workSpec, attempts });
  } catch (error) {
    // Too late: the lease was lost, and the units are with another worker. What this one did was rolled back.
    if (!(error instanceof CoordinateError && ['LostLease', 'NotPending'].includes(error.code))) throw error;
  } finally {
    leases.stop();
  }
  tell({ event: 'done', units: attempts.length });
}

function tell(message: WorkerMessage): void {
  // If nobody listens any more, that is noticed by 'disconnect'.
  process.send?.(message, () => undefined);
}
