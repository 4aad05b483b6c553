import type { Namespace } from '../core/namespace/namespace.js';
import type { Worker } from '../core/worker/worker.js';
import { shownName } from './shown-name.js';

/** The worker of this name. Asking for one makes it; looking at one must not. */
export async function findWorker(namespace: Namespace, name: string): Promise<Worker> {
  const [worker] = await namespace.workers({ start: name, limit: 1 });
  if (worker?.name === name) return worker;
  throw new Error(`There is no worker ${shownName(name)} in the namespace ${shownName(namespace.name)}; \`pg-coordinate workers\` lists them`);
}
