/** A worker process: works until it is told to stop. Nothing is lost if it is killed instead. */
import { connect, type Coordinate } from 'pg-coordinate';
import { createWorker } from 'pg-coordinate/worker';
import type { Job, Stages } from './flow.js';
import { handlersOf } from './handlers.js';

/** What a worker process is told when it is started, as JSON. Where the database is it learns from DATABASE_URL, as connect() does. */
export interface WorkerSettings {
  readonly schema: string;
  readonly namespace: string;
  readonly name: string;
  readonly job: Job;
  readonly leaseMs: number;
}

const { schema, namespace, name, job, leaseMs } = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
// Ctrl-C reaches all processes of a terminal. The driver decides what comes of it.
process.on('SIGINT', () => undefined);

// That may be the URL of a server: then this process knows nothing of PostgreSQL, and nothing else is different.
const url = process.env.DATABASE_URL ?? '';
const options = /^https?:/.test(url) ? {} : { schema, pool: { max: 4 } };
await using coordinate: Coordinate = await connect(url, options);
await using worker = createWorker<Stages>({
  coordinate,
  namespace,
  name,
  // The driver kills one of its workers at such a moment, if it was asked to. If it is gone itself, that is noticed below.
  handlers: handlersOf(job, () => process.send?.('a file', () => undefined)),
  lifetimeMs: leaseMs,
  logger: { ...console, debug: () => undefined, info: () => undefined, warn: console.error },
});
// The driver hangs up when the work is done, and also by dying: it may have done so before this process was ready to listen.
process.on('disconnect', () => void worker.stop());
if (process.connected) {
  await worker.start();
  await worker.ended;
}
