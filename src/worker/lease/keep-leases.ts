import { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';
import type { LeaseKeeper, LeaseKeeperOptions } from './lease-keeper.js';
import { LoopLeaseKeeper } from './loop-lease-keeper.js';
import { threadSettings } from './thread-settings.js';
import { ThreadLeaseKeeper } from './thread-lease-keeper.js';

/**
 * Begins to keep leases: on a thread of its own if that can be, so that a handler which blocks the event loop keeps its lease. The
 * thread works by the database's clock, on a connection of its own that it opens when a lease first needs to be renewed.
 */
export async function keepLeases(options: LeaseKeeperOptions): Promise<LeaseKeeper> {
  const { namespace, logger } = options;
  if (!(namespace instanceof PostgresNamespace)) return new LoopLeaseKeeper(options);
  const { backend } = namespace.bucket;
  if (backend.now() !== null) return new LoopLeaseKeeper(options);

  const given = threadSettings(backend.clientConfig);
  if ('obstacle' in given) {
    logger.warn(`leases are renewed from the main thread, as no thread can be given the connection's setting "${given.obstacle}"`);
    return new LoopLeaseKeeper(options);
  }
  try {
    return await ThreadLeaseKeeper.start(options, namespace, given.settings);
  } catch (error) {
    logger.warn(`leases are renewed from the main thread, as none can be started: ${error instanceof Error ? error.message : String(error)}`);
    return new LoopLeaseKeeper(options);
  }
}
