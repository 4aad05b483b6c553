import { byteaArray } from '../../database/index.js';
import type { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { recordRuntimeRequest } from './worker-statements.js';

/** How often one process says again what its workers have asked for. */
const recordEveryMs = 10_000;

/** How many namespaces and runtimes a process keeps in mind. */
const mostRemembered = 10_000;

/**
 * Records that work of these runtimes (undefined: of any) is being asked for, so that explain() can tell that nobody does. At most
 * every few seconds a namespace and runtime: most requests write nothing.
 */
export async function recordRuntimes(
  { bucket, id }: PostgresNamespace,
  runtimes: readonly string[] | undefined,
): Promise<void> {
  const last = bucket.runtimesRecorded;
  const now = bucket.backend.now();
  const time = now === null ? performance.now() : Date.parse(now);
  const due = (runtimes ?? [null]).filter((runtime) => {
    const before = last.get(JSON.stringify([id, runtime]));
    return before === undefined || Math.abs(time - before) >= recordEveryMs;
  });
  if (due.length === 0) return;
  if (last.size > mostRemembered) last.clear();
  const distinct = [...new Set(due)];
  await bucket.run(recordRuntimeRequest, [
    id,
    byteaArray(distinct.map((runtime) => (runtime === null ? null : Buffer.from(runtime)))),
    now,
  ]);
  for (const runtime of due) last.set(JSON.stringify([id, runtime]), time);
}
