import type { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';
import { instant } from '../../core/instant.js';
import { statement } from '../../database/index.js';

/** Parameters: now. */
const readTime = statement('rpc.time', () => `select coalesce($1::timestamptz, statement_timestamp()) as now`);

/** What time it is by the clock that the queue goes by. */
export async function serverTime({ bucket }: PostgresNamespace): Promise<Date> {
  const [row] = await bucket.run(readTime, [bucket.backend.now()]);
  return instant(row?.now);
}
