import { nameFromBytes } from '../../core/instant.js';
import type { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';
import { statement } from '../../database/index.js';

/*
 * A worker is alive from its last heartbeat until it is unregistered or the time it gave itself is over. The index worker_active passes
 * by all those that were unregistered.
 */

/** Parameters: namespace id, now. */
const listModes = statement(
  'rpc.list-worker-modes',
  (s) => `
    select name, mode from ${s}.worker
    where namespace_id = $1::bigint and active and expires_at >= coalesce($2::timestamptz, statement_timestamp())
    order by name`,
);

/** Parameters: namespace id, now. */
const countModes = statement(
  'rpc.count-worker-modes',
  (s) => `
    select mode, count(*) as workers from ${s}.worker
    where namespace_id = $1::bigint and active and expires_at >= coalesce($2::timestamptz, statement_timestamp())
    group by mode order by mode`,
);

/** Parameters: namespace id, now. */
const countLive = statement(
  'rpc.count-workers',
  (s) => `
    select count(*) as workers, count(parent_id) as children from ${s}.worker
    where namespace_id = $1::bigint and active and expires_at >= coalesce($2::timestamptz, statement_timestamp())`,
);

/** The mode of each live worker. */
export async function workerModes({ bucket, id }: PostgresNamespace): Promise<Map<string, string>> {
  const rows = await bucket.run(listModes, [id, bucket.backend.now()]);
  return new Map(rows.map((row) => [nameFromBytes(row.name), String(row.mode)]));
}

/** How many live workers are in each mode. */
export async function modeCounts({ bucket, id }: PostgresNamespace): Promise<Map<string, number>> {
  const rows = await bucket.run(countModes, [id, bucket.backend.now()]);
  return new Map(rows.map((row) => [String(row.mode), Number(row.workers)]));
}

/** How many live workers there are, and how many of them have a parent. */
export async function countWorkers({ bucket, id }: PostgresNamespace): Promise<{ workers: number; children: number }> {
  const [row] = await bucket.run(countLive, [id, bucket.backend.now()]);
  return { workers: Number(row?.workers), children: Number(row?.children) };
}
