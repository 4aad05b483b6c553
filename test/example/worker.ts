/** A worker process: works until it is told to stop. Nothing is lost if it is killed instead. */
import { connect } from 'pg-coordinate';
import { createWorker } from 'pg-coordinate/worker';
import { leaseMs, type Job, type Stages } from './flow.js';
import { handlersOf } from './handlers.js';

/** What a worker process is told when it is started, as JSON. Where the database is it learns from DATABASE_URL, as connect() does. */
export interface WorkerSettings {
  readonly schema: string;
  readonly namespace: string;
  readonly name: string;
  readonly job: Job;
}

const { schema, namespace, name, job } = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
// Ctrl-C reaches all processes of a terminal. The driver decides what comes of it.
process.on('SIGINT', () => undefined);

await using coordinate = await connect(undefined, { schema, pool: { max: 4 } });
await using worker = createWorker<Stages>({
  coordinate,
  namespace,
  name,
  // The driver kills one of its workers at such a moment, if it was asked to. If it is gone itself, that is noticed below.
  handlers: handlersOf(coordinate, job, () => process.send?.('a file', () => undefined)),
  lifetimeMs: leaseMs,
  logger: { ...console, debug: () => undefined, info: () => undefined, warn: console.error },
});
// The driver hangs up when the work is done, and also by dying: it may have done so before this process was ready to listen.
process.on('disconnect', () => void worker.stop());
if (process.connected) await worker.start();
await worker.ended;
